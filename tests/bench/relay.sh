#!/bin/bash
# relay.sh [MESSAGES] [BODY_BYTES]: what a relay takes of the processor for a message with jq and without, beside
# what libjq alone takes for the same program and the same bodies. Nanoseconds a message, and ratios; the build
# of $BIN (build/release/bin), a broker of its own or that of $WARREN_TEST_LAB. Not part of CI.
cd "$(dirname "$0")/../.." || exit
. tests/support/tap.sh
use_broker
MESSAGES=${1:-50000} BYTES=${2:-500} ROUNDS=${ROUNDS:-3}
plain=${BIN%/bin}/tests/bench/plain_jq
[ -x "$plain" ] || { echo "no $plain; first: make VARIANT=release ${plain#"$PWD"/}" >&2; exit 1; }

cat >"$work/s.yaml" <<END
queues:
  in:
  out: {max_length: 1}
  many: {max_length: 1}
messages:
  m:
    routing_key: in
    amount: $MESSAGES
    fields: {id: uuid, name: first_name, email: email, at: now, total: {number: {min: 1, max: 500, decimals: 2}},
      tags: {list: {of: word, count: 4}}, city: city, text: {text: {length: $((BYTES - 260))}}}
END
export WARREN_SETTINGS=$work/s.yaml
"$BIN/topology" apply >/dev/null || exit 1
"$BIN/producer" m --amount 1000 --yes -q -f json | jq -c '.body | fromjson' >"$work/bodies" || exit 1
"$BIN/topology" purge --yes >/dev/null 2>&1
echo "$MESSAGES messages of $(($(wc -c <"$work/bodies") / 1000 - 1)) bytes; ns of the processor a message, the least of $ROUNDS rounds"

# relayed ARG...: what a relay takes, less what one takes that has nothing to do.
cpu() { awk '{printf "%d", ($1 + $2) * 1e9}' "$1"; }
relayed() {
	local least=0 round idle
	for ((round = 0; round < ROUNDS; round++)); do
		"$BIN/relay" --queue in --routing-key out --until-empty "$@" -q >/dev/null 2>&1
		/usr/bin/env time -o "$work/idle" -f '%U %S' "$BIN/relay" --queue in --routing-key out --until-empty "$@" -q
		for ((i = 0; i < MESSAGES; i += 1000)); do cat "$work/bodies"; done |
			"$BIN/producer" --from - --from-format bodies --routing-key in --exchange '' --yes -q
		/usr/bin/env time -o "$work/time" -f '%U %S' "$BIN/relay" --queue in --routing-key out --until-empty "$@" -q
		idle=$((($(cpu "$work/time") - $(cpu "$work/idle")) / MESSAGES))
		[ $least -ne 0 ] && [ $least -le $idle ] || least=$idle
	done
	echo $least
}
alone() {
	local least=0 round one
	for ((round = 0; round < ROUNDS; round++)); do
		one=$("$plain" "$1" "$work/bodies" "$MESSAGES")
		[ $least -ne 0 ] && [ $least -le "$one" ] || least=$one
	done
	echo $least
}
passing=$(relayed)
printf '%-36s %10s %10s %10s   %s\n' program libjq relay "its jq" "jq in a relay / libjq; relay / libjq"
printf '%-36s %10s %10s %10s\n' "(none: messages pass)" - "$passing" -
for program in '.' '. + {at: now}' '{id, name, total: (.total * 100 | round), tags: (.tags | map(ascii_upcase))}'; do
	libjq=$(alone "$program") whole=$(relayed --jq "$program")
	awk -v program="$program" -v libjq="$libjq" -v whole="$whole" -v passing="$passing" 'BEGIN {
		printf "%-36.36s %10d %10d %10d   %.2f; %.2f\n", program, libjq, whole, whole - passing, (whole - passing) / libjq, whole / libjq
	}'
done
