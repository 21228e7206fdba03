#!/bin/bash
# The two laws of the house: a file includes only modules that stand above it in lib/ORDER, and a
# public function's name begins with its file's. Also: every module is listed, and third-party headers stay home.
set -u
cd "$(dirname "$0")/../.." || exit 70
failed=0
complain() {
	echo "$*"
	failed=1
}
mapfile -t modules < <(sed 's/#.*//' lib/ORDER | awk 'NF {print $1}')
declare -A rank
for i in "${!modules[@]}"; do rank[${modules[$i]}]=$i; done

for file in lib/*/*.[ch]; do
	module=${file#lib/}
	module=${module%.[ch]}
	own=${rank[$module]-}
	[ -n "$own" ] || { complain "$file: not in lib/ORDER" && continue; }
	while IFS=: read -r line include; do
		include=${include#*\"}
		include=${include%.h\"*}
		[ "$include" != "${module}_private" ] || continue # what its own parts share
		target=${rank[$include]-}
		[ -n "$target" ] || complain "$file:$line: includes '$include', which is not in lib/ORDER"
		[ "${target:-0}" -le "$own" ] || complain "$file:$line: includes '$include', which stands below it"
	done < <(grep -nE '^#include "' "$file")
done

# Declarations in a header that begin a line and end in a parenthesis.
for header in lib/*/*.h; do
	name=$(basename "$header" .h)
	name=${name%_private}
	while read -r function; do
		case $function in "$name"_* | "$name") ;; *) complain "$header: $function does not begin with ${name}_" ;; esac
	done < <(grep -E '^[a-z][a-z0-9_ ]*[ *]+[a-z0-9_]+\(' "$header" | grep -vE '^(typedef|static|extern|#)' |
		grep -vE '__attribute__\(\(' | sed -E 's/^[a-z0-9_ ]*[ *]+([a-z0-9_]+)\(.*/\1/')
done

# One home per library.
home() {
	local header=$1 where=$2
	grep -lE "^#include <$header" lib/*/*.[ch] | grep -vE "$where" | while read -r file; do
		echo "$file: <$header> has its home in $where"
	done
}
stray=$(home yaml.h '^lib/config/(nodes|emit)\.' && home pcre2.h '^lib/schema/' && home amqp '^lib/broker/' && home jq.h '^lib/jq/' && home jv.h '^lib/jq/' && home microhttpd.h '^lib/web/http' && home curl/ '^lib/web/client' && home openssl/ '^lib/(broker/tls|base/digest)' && home sqlite3.h '^lib/store/')
[ -z "$stray" ] || complain "$stray"
exit $failed
