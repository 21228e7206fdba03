#!/bin/bash
# relay.sh [MESSAGES] [BODY_BYTES]: what a relay takes of the processor for a message with jq and without, beside
# what libjq alone takes for the same program and the same bodies. Nanoseconds a message, and ratios of the
# two in one round; medians of ROUNDS; the build
# of $BIN (build/release/bin), a broker of its own or that of $WARREN_TEST_LAB. Not part of CI.
cd "$(dirname "$0")/../.." || exit
. tests/support/tap.sh
use_broker
MESSAGES=${1:-50000} BYTES=${2:-500} ROUNDS=${ROUNDS:-5}
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
echo "$MESSAGES messages of $(($(wc -c <"$work/bodies") / 1000 - 1)) bytes; ns of the processor a message, medians of $ROUNDS rounds"

# spent ARG...: nanoseconds of the processor until the queue is empty.
spent() {
	local TIMEFORMAT='%U %S'
	{ time "$BIN/relay" --queue in --routing-key out --until-empty "$@" -q 2>"$work/err"; } 2>"$work/time" || {
		cat "$work/err" >&2
		return 1
	}
	awk '{printf "%d", ($1 + $2) * 1e9}' "$work/time"
}
# relayed ARG...: what a relay takes for a message, less what one takes that has nothing to do.
relayed() {
	local idle whole
	spent "$@" >/dev/null && idle=$(spent "$@") || return
	for ((i = 0; i < MESSAGES; i += 1000)); do cat "$work/bodies"; done |
		"$BIN/producer" --from - --from-format bodies --routing-key in --exchange '' --yes -q || return
	whole=$(spent "$@") && echo $(((whole - idle) / MESSAGES))
}
programs=('.' '. + {at: now}' '{id, name, total: (.total * 100 | round), tags: (.tags | map(ascii_upcase))}')
for ((round = 0; round < ROUNDS; round++)); do
	passing=$(relayed) || exit
	for i in "${!programs[@]}"; do
		libjq=$("$plain" "${programs[i]}" "$work/bodies" "$MESSAGES") && whole=$(relayed --jq "${programs[i]}") || exit
		awk -v i="$i" -v libjq="$libjq" -v whole="$whole" -v passing="$passing" 'BEGIN {
			step = whole - passing
			print i, libjq, whole, passing, step, step / libjq, whole / libjq
		}' >>"$work/rows"
	done
done
# median PROGRAM COLUMN
median() { awk -v i="$1" -v c="$2" '$1 == i {print $c}' "$work/rows" | sort -n | sed -n "$(((ROUNDS + 1) / 2))p"; }
printf '%-36s %10s %10s %10s   %s\n' program libjq relay "its jq" "its jq / libjq; relay / libjq"
printf '%-36s %10s %10s %10s\n' "(none: messages pass)" - "$(median 0 4)" -
for i in "${!programs[@]}"; do
	printf '%-36.36s %10d %10d %10d   %.2f; %.2f\n' "${programs[i]}" "$(median "$i" 2)" "$(median "$i" 3)" "$(median "$i" 5)" \
		"$(median "$i" 6)" "$(median "$i" 7)"
done
