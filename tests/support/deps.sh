#!/bin/sh
# Installs the Debian packages that are missing; says nothing when none is. `deps.sh lint` adds
# what the checks need, `deps.sh browser` what looks at web pages, `deps.sh bench` the clients that
# warren is measured against, `deps.sh measure` what the most memory is measured with, `deps.sh image` what replays
# the Dockerfile.
set -eu
packages="gcc libc6-dev make pkg-config librabbitmq-dev libjansson-dev libyaml-dev libpcre2-dev
	libjq-dev libmicrohttpd-dev libcurl4-openssl-dev libssl-dev openssl libsqlite3-dev sqlite3 check jq iproute2 graphviz rabbitmq-server"
[ "${1-}" = lint ] && packages="$packages clang clang-format clang-tidy cppcheck shellcheck valgrind
	libclang-rt-14-dev"
[ "${1-}" = browser ] && packages="$packages chromium fonts-dejavu-core"
[ "${1-}" = measure ] && packages="$packages time"
[ "${1-}" = image ] && packages="$packages debootstrap"
if [ "${1-}" = bench ]; then
	packages="$packages python3-pika golang-go golang-github-rabbitmq-amqp091-go-dev"
	# a node from elsewhere brings its npm, and cannot live beside Debian's
	{ command -v node && command -v npm; } >/dev/null || packages="$packages nodejs npm"
fi

missing=
for p in $packages; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "deps: these packages are missing, and there is no sudo to install them:$missing" >&2
	exit 69
fi

# The broker's own service is not wanted: the lab starts private nodes. A policy-rc.d of our own
# keeps the installation from starting it, and is taken away again.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
	made_policy=yes
fi
cleanup() { [ -z "$made_policy" ] || $as_root rm -f $policy; }
trap cleanup EXIT

echo "deps: installing$missing"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	rm -f "$log"
	exit 69
fi
rm -f "$log"
