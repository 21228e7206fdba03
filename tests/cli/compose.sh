#!/bin/bash
# The files of compose/, without an engine: what they say is what the Compose specification allows, and
# what they name is there; each command line is given to the real tool. Then what containers ask of
# the tools: secrets of other users, and to be process 1.
# shellcheck disable=SC2317 # functions are called through ok
. tests/support/tap.sh

for variable in "${!WARREN_@}" AMQP_URL RABBITMQ_IMAGE; do unset "$variable"; done
reader=$INSTRUMENTS/support/document_of schema=tests/cases/compose/compose-spec.json
files="compose cluster elsewhere common"
nobody=amqp://127.0.0.1:1 # where no broker listens
for name in producer consumer topology events deadletters bench rpc relay workflow; do ln -s "$(realpath "$BIN/$name")" "$work/warren-$name"; done
PATH=$work:$PATH

# ---- the Compose specification ----

for file in $files; do
	ok "$file.yaml is what the specification allows" "$reader" compose/$file.yaml $schema
	[ $file = common ] && continue
	"$reader" compose/$file.yaml >"$work/$file.json"
done
sed 's/read_only:/readonly:/' compose/common.yaml >"$work/wrong.yaml"
status_is 1 "a key that Compose does not know is found" "$reader" "$work/wrong.yaml" $schema
like "$(cat "$work/err")" "services.tool.readonly: unknown key 'readonly'; did you mean 'read_only'" "and named"

# services FILE: each service of it with all it extends, as {name, ...} a line.
"$reader" compose/common.yaml >"$work/common.json"
services() {
	jq -c --slurpfile common "$work/common.json" '
		def whole: if .extends then ($common[0].services[.extends.service] | whole) as $base
				| (($base.volumes // []) + (.volumes // [])) as $volumes
				| $base * . * {volumes: $volumes} else . end;
		.services | to_entries[] | {name: .key} + (.value | whole)' "$work/$1.json"
}
for file in compose cluster elsewhere; do services $file >"$work/$file.services"; done
cat "$work"/{compose,cluster,elsewhere}.services >"$work/services"
is "$(jq -r 'select(.image == null) | .name' "$work/services")" "" "every service has an image"
is "$(jq -r 'select(.image != "warren") | .image' "$work/services" | sort -u)" "rabbitmq:3.13-management" "brokers are RabbitMQ 3.13"
is "$(for file in compose cluster; do RABBITMQ_IMAGE=rabbitmq:4-management "$reader" compose/common.yaml; done |
	jq -r '.services.broker.image' | sort -u)" "rabbitmq:4-management" "and another one with RABBITMQ_IMAGE"
is "$(jq -r '(.ports // [])[]' "$work/services" | grep -vc '^127\.0\.0\.1:')" 0 "nothing is reached from other machines"
is "$(jq -r 'select(.image == "warren" and .build == null and .name != "warren") | select(.read_only and .cap_drop == ["ALL"] | not) | .name' "$work/services")" \
	"" "the tools may write nowhere, and have no capabilities"

# ---- what they name is there ----

missing() { # of paths relative to compose/
	while read -r path; do
		[ -e "compose/$path" ] || echo "$path"
	done
}
is "$(jq -r '.volumes[]' "$work/services" | grep -v ':ro$' | sort -u)" "events:/events" "all but the event store is mounted read-only"
is "$(jq -rs 'map(.volumes // {} | keys[]) | unique[]' "$work"/{compose,cluster,elsewhere}.json)" events "which is a volume"
is "$(jq -r '.volumes[] | split(":")[0]' "$work/services" | grep -vx events | sort -u | missing)" "" "what is mounted is there"
is "$(jq -r '.services[].extends.file // empty' "$work"/{compose,cluster,elsewhere}.json | sort -u)" common.yaml "all extend common.yaml"
is "$(jq -r '.secrets // {} | .[].file' "$work"/*.json | grep -v '/amqp_url$' | missing)" "" "so are the secrets"
is "$(jq -rs 'map((.secrets // {}) | keys[]) | unique[]' "$work"/{compose,cluster,elsewhere}.json)" \
	"$(jq -r '(.secrets // [])[]' "$work/services" | sort -u)" "each secret is declared, and used"
is "$(jq -rs 'map(.name) as $names | map(.depends_on // {} | keys[]) - $names | .[]' "$work/compose.services")" "" "who is waited for is there"
is "$(jq -r '.profiles // [] | .[]' "$work/compose.services" | sort -u)" \
	"$(for file in settings/*.yaml; do basename "$file" .yaml; done | sort)" "each lesson has a profile, and each profile is a lesson"
is "$(sed -n 's/^\([A-Z_]*\)=.*/\1/p' compose/.env.example | grep -vx COMPOSE_PROFILES | while read -r name; do
	grep -qF "\${$name:-" compose/*.yaml || echo "$name"
done)" "" ".env.example sets what is asked for"
is "$(jq -r '.hostname // empty' "$work/cluster.services" | sed 's/^/rabbit@/')" \
	"$(sed -n 's/^cluster_formation.classic_config.nodes.* = //p' compose/cluster/cluster.conf)" "cluster.conf names the nodes of cluster.yaml"

# ---- the image ----

is "$(jq -r '.command // [] | join(" ")' "$work/services" | grep -o 'warren-[a-z]*' | sort -u | while read -r tool; do
	sed -n 's/^ARG TOOLS="\(.*\)"/\1/p' compose/Dockerfile | grep -qw -- "${tool#warren-}" || echo "$tool"
done)" "" "every tool that is called is in the image"
is "$(sed -n '/^packages=/,/"$/p' tests/support/deps.sh | grep -oE '[a-z0-9.+-]+-dev' | while read -r package; do
	grep -qw -- "$package" compose/Dockerfile || echo "$package"
done)" "" "it is built with the libraries that deps.sh installs"
is "$(sed -n 's/^COPY \([a-zA-Z].*\) .*/\1/p' compose/Dockerfile | tr ' ' '\n' | while read -r path; do
	[ -e "$path" ] || echo "$path"
done)" "" "what it copies is there"

# ---- the command lines ----

# One record a service, each part ended by a NUL: its name, then VARIABLE=VALUE and the words of its command as
# env takes them, then nothing. No broker answers, and none is waited for.
records() {
	jq -j '.name, (.environment // {} | to_entries[]
		| select(.key != "WARREN_WAIT" and (.key | endswith("_FILE") | not))
		| "\(.key)=\(.value | gsub("amqp://[^ ]*"; "'$nobody'"))"), (.command[] | sub("^/events/"; "'"$work"'/")), "" | . + "\u0000"'
}
lines=0 record=()
while IFS= read -r -d '' part; do
	[ -z "$part" ] || record+=("$part")
	[ -z "$part" ] || continue
	timeout 20 env "${record[@]:1}" </dev/null >"$work/out" 2>"$work/err"
	is $? "$([ "${record[0]}" = warren ] && echo 0 || echo 69)" "${record[0]}: $(tr '\n' ' ' <<<"${record[*]:2}")"
	lines=$((lines + 1)) record=()
done < <(jq -c 'select(.image == "warren")' "$work/services" | records)
ok "there are command lines" test $lines -gt 15
status_is 64 "a queue that a lesson does not have would be found" warren-consumer -s walkthrough nosuch --url $nobody
status_is 66 "and a lesson that is not there" warren-consumer -s nosuch --url $nobody

# ---- the entry point of a node ----

mkdir "$work/secrets" "$work/home"
printf 'a cookie\r\n' >"$work/secrets/erlang_cookie"
printf 'pass word\r\n' >"$work/secrets/password"
printf '#!/bin/sh\nprintf "%%s|" "$RABBITMQ_DEFAULT_PASS" "$@"\n' >"$work/docker-entrypoint.sh"
chmod +x "$work/docker-entrypoint.sh"
for round in first second; do
	is "$(HOME=$work/home SECRETS=$work/secrets sh compose/cluster/node.sh rabbitmq-server)" "pass word|rabbitmq-server|" \
		"a node has the password and the image's entry point ($round start)"
	is "$(stat -c %a "$work/home/.erlang.cookie") $(od -An -c "$work/home/.erlang.cookie" | tr -d ' ')" "400 acookie" \
		"and the cookie, for itself alone ($round start)"
done
rm "$work/secrets/password"
status_is 1 "without its secret it does not start" env HOME="$work/home" SECRETS="$work/secrets" sh compose/cluster/node.sh rabbitmq-server

# ---- secrets, and process 1 ----

if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	chmod 711 "$work"
	cp "$BIN/consumer" "$work/consumer"
	(umask 077 && echo "$nobody" >"$work/url")
	status_is 66 "a secret of another user" setpriv --reuid=12345 --clear-groups env AMQP_URL_FILE="$work/url" "$work/consumer" q
	is "$(cat "$work/err")" "consumer: cannot use the URL file '$work/url': Permission denied; it is user 0's, mode 600, and we are user 12345" \
		"is told with both users"
	# shellcheck disable=SC2016 # for the inner shell
	status_is 69 "a secret of a container is read" unshare -m sh -c '
		mount -t tmpfs none /run && mkdir /run/secrets && echo "$1" >/run/secrets/amqp_url &&
		chmod 444 /run/secrets/amqp_url && AMQP_URL_FILE=/run/secrets/amqp_url exec "$2" q' sh $nobody "$work/consumer"
	is "$(wc -l <"$work/err")" 1 "and everybody in there may: no warning"
else
	for name in "a secret of another user" "is told with both users" "a secret of a container is read" "and everybody in there may"; do
		skip "$name" "needs root"
	done
fi
# What waits for a broker as process 1 ends as anywhere: the kernel keeps signals without a handler from it.
if unshare -rpf true 2>/dev/null; then
	for tool in consumer producer; do
		for signal in TERM INT; do
			unshare -rpf "$BIN/$tool" -s walkthrough --wait 60s --url $nobody </dev/null >"$work/out" 2>"$work/err" &
			outer=$!
			eventually 30 grep -q "waiting for the broker" "$work/err"
			kill -$signal "$(pgrep -P $outer)"
			wait $outer
			is $? 69 "$tool as process 1 ends at SIG$signal"
		done
	done
else
	for tool in consumer producer; do skip "$tool as process 1" "no user namespaces here"; done
fi
done_testing
