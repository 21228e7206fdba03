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
# measured NAME ARG...: NAME, messages a second, microseconds of processor time a message, as one line.
measured() {
	local name=$1 TIMEFORMAT='%U %S'
	shift
	fill || return
	{ time "$BIN/consumer" deduped --count "$messages" --prefetch "$prefetch" -f none -q --summary json "$@" 2>"$work/err"; } \
		2>"$work/cpu" || return
	awk -v name="$name" -v rate="$(tail -n 1 "$work/err" | jq .rate)" -v n="$messages" \
		'{printf "%s %.0f %.2f\n", name, rate, ($1 + $2) * 1e6 / n}' "$work/cpu"
}
echo "# which, messages a second, microseconds of processor time a message; and as ratios to plain"
for ((round = 0; round < rounds; round++)); do
	rm -f "$work"/*.db*
	measured plain && measured id --dedupe && measured id-store --dedupe-store "$work/ids.db" &&
		measured jq --dedupe-by .n && measured jq-store --dedupe-by .n --dedupe-store "$work/keys.db" || exit
done | tee "$work/rows"
median() { awk -v name="$1" -v c="$2" '$1 == name {print $c}' "$work/rows" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
for name in plain id id-store jq jq-store; do
	awk -v name=$name -v r="$(median $name 2)" -v c="$(median $name 3)" -v pr="$(median plain 2)" -v pc="$(median plain 3)" \
		'BEGIN {printf "# median of %s: %.0f a second (%.2f), %.2f us (%.2f)\n", name, r, r / pr, c, c / pc}'
done
"$BIN/topology" delete -q --yes 2>/dev/null
