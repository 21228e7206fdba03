#!/bin/bash
# Replays compose/Dockerfile without an engine, in bare Debian root directories (debootstrap, minbase),
# and runs the tools from the last one as an image would: as its user, its root read-only, the settings
# mounted, against a private broker. It reads the Dockerfile; there is no second copy of its steps.
#   tests/support/image.sh        needs root and the network; the bare root is kept in build/image/
set -eu -o pipefail
cd "$(dirname "$0")/../.."
if [ -z "${IMAGE_MOUNTS-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "image: must be root, for chroot" >&2 && exit 77; }
	./tests/support/deps.sh image
	# in a namespace of its own: whatever is mounted is gone with this process, however it ends
	IMAGE_MOUNTS=own exec unshare -m --propagation private "$0" "$@"
fi

file=compose/Dockerfile
tools=${BIN:-build/release/bin}
store=build/image base_tar=build/image/bookworm.tar
mkdir -p $store
work=$(mktemp -d -p "$PWD/$store")
lab=
cleanup() {
	local pids mount
	pids=$(jobs -p)
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
	[ -z "$lab" ] || "$tools/lab" down --dir "$lab" >/dev/null 2>&1 || true
	# rm must not walk into /proc
	awk '{print $2}' /proc/mounts | grep -F "$work/" | sort -r | while read -r mount; do umount -l "$mount"; done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
say() { printf '%s\n' "$*"; }
fail() {
	printf 'image: %s\n' "$*" >&2
	[ ! -s "$work/log" ] || tail -n 20 "$work/log" >&2
	exit 1
}
size() { du -smx "$1" | awk '{print $1 " MB"}'; }

# ---- the bare root, and the context ----

if [ ! -e $base_tar ]; then
	say "debootstrap: Debian 12, minbase (once) ..."
	debootstrap --variant=minbase bookworm "$work/base" >"$work/log" 2>&1 || fail "debootstrap failed"
	printf 'deb http://deb.debian.org/debian%s bookworm%s main\n' '' '' '' -updates -security -security \
		>"$work/base/etc/apt/sources.list"
	# as in the image: apt keeps neither packages nor an index of them
	cat >"$work/base/etc/apt/apt.conf.d/docker-clean" <<-'END'
		DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
	END
	rm -rf "$work"/base/var/cache/apt/{archives/*.deb,*.bin} "$work"/base/var/lib/apt/lists/*
	tar -C "$work/base" -cf $base_tar.part . && mv $base_tar.part $base_tar
	rm -rf "$work/base"
fi

# What .dockerignore lets through; it forbids everything first.
[ "$(grep -v '^#' .dockerignore | head -n 1)" = '*' ] || fail ".dockerignore is not read like that here"
context=$work/context
mkdir "$context"
sed -n 's/^!//p' .dockerignore | while read -r pattern; do
	# shellcheck disable=SC2086 # patterns
	cp -a --parents $pattern "$context"
done

# ---- the Dockerfile ----

# One instruction a line of "steps": lines that end in \ are joined, comments are dropped.
sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' $file | sed -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*//;ba' -e '}' >"$work/steps"

declare -A stages=()            # name or number: its root directory
declare -A args=() defaults=()  # defaults: before the first FROM
declare -a env=()
root='' user='' directory=/ command='' number=0 bare=''

# expand TEXT: ${NAME} and $NAME of ARG and ENV.
expand() {
	local text=$1 name
	for name in "${!args[@]}"; do
		text=${text//\$\{$name\}/${args[$name]}}
	done
	[[ $text != *\$* ]] || fail "cannot expand: $text"
	printf %s "$text"
}
inside() { # COMMAND...: in the stage, with its environment, as its user
	chroot ${user:+--userspec="$user"} "$root" /usr/bin/env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${env[@]}" \
		/bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$directory" "$@"
}

step_FROM() { # IMAGE [AS NAME]
	local image name
	args=()
	for name in "${!defaults[@]}"; do args[$name]=${defaults[$name]}; done
	read -r image _ name <<<"$(expand "$1")"
	[ "$image" = debian:bookworm-slim ] || fail "FROM $image: only Debian 12 is here"
	args=()
	root=$work/stage$number user='' directory=/ command='' env=()
	mkdir "$root"
	tar -C "$root" -xf $base_tar
	bare=$(size "$root")
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	mount -t proc proc "$root/proc"
	stages[$number]=$root
	[ -z "${name-}" ] || stages[$name]=$root
	number=$((number + 1))
}
step_ARG() { # NAME[=DEFAULT]
	local name=${1%%=*} value=
	[[ $1 != *=* ]] || value=${1#*=}
	value=${value%\"}
	value=${value#\"}
	[ -n "$value" ] || value=${defaults[$name]-}
	args[$name]=$value
	if [ -n "$root" ]; then env+=("$name=$value"); else defaults[$name]=$value; fi
}
step_ENV() { # NAME=VALUE
	[[ $1 =~ ^[A-Za-z_]+=[^\ ]*$ ]] || fail "ENV of another form: $1"
	env+=("$(expand "$1")")
}
step_RUN() { inside /bin/sh -c "$1" >"$work/log" 2>&1 || fail "RUN failed: $1"; }
step_COPY() { # [--from=STAGE] SOURCE... TARGET
	local words from=$context target source
	read -r -a words <<<"$(expand "$1")"
	if [[ ${words[0]} == --from=* ]]; then
		from=${stages[${words[0]#--from=}]-} && words=("${words[@]:1}")
		[ -n "$from" ] || fail "COPY from no stage: $1"
	fi
	target=${words[-1]}
	[[ $target == /* ]] || target=$directory/$target
	for source in "${words[@]:0:${#words[@]}-1}"; do
		[ -e "$from/$source" ] || fail "COPY: $source is not there (or .dockerignore keeps it out)"
		if [ -d "$from/$source" ]; then
			mkdir -p "$root/$target" && cp -a --no-preserve=ownership "$from/$source/." "$root/$target"
		else
			[[ $target != */ ]] || mkdir -p "$root/$target"
			cp -a --no-preserve=ownership "$from/$source" "$root/$target"
		fi
	done
}
step_WORKDIR() {
	directory=$(expand "$1")
	mkdir -p "$root/$directory"
}
step_USER() { user=$(expand "$1"); }
step_LABEL() { [[ $1 =~ ^[a-z.]+=\" ]] || fail "LABEL of another form: $1"; }
step_STOPSIGNAL() { kill -l "${1#SIG}" >/dev/null || fail "no such signal: $1"; }
step_CMD() {
	jq -e 'type == "array"' <<<"$1" >/dev/null || fail "CMD is no list: $1"
	command=$1
}

while read -r instruction rest; do
	[ "$(type -t "step_$instruction")" = function ] || fail "an instruction that is not known here: $instruction"
	start=$SECONDS
	"step_$instruction" "$rest"
	say "$(printf '%3d s  %s %.90s' $((SECONDS - start)) "$instruction" "$rest")"
done <"$work/steps"

# ---- the last root as a container ----

final=$root
say "the roots: bare $bare, build $(size "${stages[build]}"), runtime $(size "$final")"
umount "$final/proc"
mkdir -p "$final$directory/settings"
mount --bind "$final" "$final" && mount -t proc proc "$final/proc" && mount --bind settings "$final$directory/settings"
mount -t tmpfs tmpfs "$final/run"
mount -o remount,ro,bind "$final/$directory/settings" && mount -o remount,ro,bind "$final"

count=0 failed=0
check() { # NAME COMMAND...
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/log" 2>&1; then say "ok $count - $name"; else
		say "not ok $count - $name"
		sed 's/^/#   /' "$work/log" | tail -n 10
		failed=1
	fi
}
eventually() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		read -r -t 0.05 <> <(:) || true
	done
}
mapfile -t words < <(jq -r '.[]' <<<"$command")
check "its command works: ${words[*]}" inside "${words[@]}"
check "its user is not root" test "$(inside id -u)" = 1000
check "nothing can be written" eval '! inside sh -c "touch x || touch /tmp/x || touch settings/x"'
check "no compiler, no make, no sources" eval '! inside sh -c "command -v cc || command -v gcc || command -v ld || command -v make || ls /src"'
for path in "$final"/usr/local/bin/*; do
	check "${path##*/} starts" inside "${path##*/}" --version
done

lab=$work/lab
"$tools/lab" up --dir "$lab" >"$work/log" 2>&1 || fail "no private broker"
eval "$("$tools/lab" env --dir "$lab")"
mkdir "$final/run/secrets"
echo "$AMQP_URL" >"$final/run/secrets/amqp_url"
env+=(AMQP_URL_FILE=/run/secrets/amqp_url WARREN_DELAY=20ms WARREN_WAIT=20s)
# as process 1 of its container
(root=$final && inside true) || fail "cannot start anything in it"
unshare -pf chroot --userspec="$user" "$final" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin AMQP_URL_FILE=/run/secrets/amqp_url \
	/bin/sh -c "cd $directory && exec warren-consumer -s walkthrough" >"$work/consumed" 2>"$work/consumer" &
consumer=$!
check "the producer sends the walkthrough from there" inside warren-producer -s walkthrough
cp "$work/log" "$work/producer"
check "20 orders, all confirmed" grep '20 sent, 20 confirmed, 0 returned, 0 nacked' "$work/producer"
check "the consumer gets them there" eventually 30 eval '[ "$(wc -l <"$work/consumed")" -ge 20 ]'
kill -TERM "$(pgrep -P $consumer)"
check "as process 1 it ends at SIGTERM with 0" wait $consumer
check "and its summary" grep "20 received, 20 acknowledged" "$work/consumer"
check "topology show" inside warren-topology show -s walkthrough
say "1..$count"
exit $failed
