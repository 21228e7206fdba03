#!/bin/bash
# Measures what dedupe costs a consumer: consumer -f none of a queue as it is, then with --dedupe in memory and in a
# store, by id and by jq, in rounds that alternate. Figures only: what counts are the ratios to the first.
#
#   dedupe.sh         ROUNDS, MESSAGES and PREFETCH set the sizes, DIRECTORY where the store is (a disk!)
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
make --no-print-directory -j"$(nproc)" VARIANT=release binaries >/dev/null || exit
BIN=${BIN:-$PWD/build/release/bin}
rounds=${ROUNDS:-5} messages=${MESSAGES:-100000} prefetch=${PREFETCH:-8000}
work=$(mktemp -d "${DIRECTORY:-${TMPDIR:-/tmp}}/warren-dedupe.XXXXXX")
own=
cleanup() {
	[ -z "$own" ] || "$BIN/lab" down --dir "$work/lab" >/dev/null 2>&1
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
if [ -z "${WARREN_TEST_LAB-}" ]; then
	own=yes
	export WARREN_TEST_LAB=$work/lab
	"$BIN/lab" up --wait 300s --dir "$WARREN_TEST_LAB" >/dev/null || exit
fi
eval "$("$BIN/lab" env --dir "$WARREN_TEST_LAB")"
cat >"$work/s.yaml" <<END
queues:
  deduped: {}
messages:
  m:
    routing_key: deduped
    amount: $messages
    properties: {message_id: {volume: uuid4}}
    fields: {n: {sequence: 1}, text: {text: {length: 170}}}
END
export WARREN_SETTINGS=$work/s.yaml
fill() { "$BIN/producer" --yes -q --delay 0; }
rate() {
	"$BIN/consumer" deduped --count "$messages" --prefetch "$prefetch" -f none -q --summary json "$@" 2>&1 | tail -n 1 |
		jq .rate
}
store=(--dedupe-store "$work/marks.db")
echo "# messages a second: plain, and as a ratio to it: by id in memory, in a store, by jq in memory, in a store"
for ((round = 0; round < rounds; round++)); do
	rm -f "$work"/marks.db*
	fill && plain=$(rate) && fill && memory=$(rate --dedupe) && fill && kept=$(rate "${store[@]}") &&
		fill && jq=$(rate --dedupe-by .n) && fill && jq_kept=$(rate --dedupe-by .n "${store[@]}") || exit
	awk -v p="$plain" -v m="$memory" -v k="$kept" -v j="$jq" -v jk="$jq_kept" \
		'BEGIN { printf "%.0f %.2f %.2f %.2f %.2f\n", p, m / p, k / p, j / p, jk / p }'
done | tee "$work/ratios"
median() { sort -n -k "$1" "$work/ratios" | awk -v c="$1" '{all[NR] = $c} END {print all[int((NR + 1) / 2)]}'; }
echo "# medians: $(median 1) $(median 2) $(median 3) $(median 4) $(median 5)"
"$BIN/topology" delete -q --yes 2>/dev/null
