#!/bin/bash
# fold.sh [EVENTS]: what folds of a large store take, 1,000,000 events unless said otherwise; of one stream and
# of 10,000. Seconds, those of the processor and the most memory of each, with the
# build of $BIN (build/release/bin). Not part of CI.
set -eu
cd "$(dirname "$0")/../.."
./tests/support/deps.sh measure
BIN=${BIN:-$PWD/build/release/bin}
events=${1:-1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/warren-fold.XXXXXX")
trap 'rm -rf "$work"' EXIT
printf 'projections:\n  balance: {reduce: .state + .event.data.amount}\n' >"$work/settings.yaml"

# measure WHAT OPTIONS...: what a fold takes, beside what it is.
measure() {
	local what=$1
	shift
	/usr/bin/env time -o "$work/time" -f '%e s %U+%S %M KiB' "$BIN/events" fold --store "$store" "$@" >"$work/out"
	printf '%-62s %s\n' "$what" "$(<"$work/time")"
}
sum='.state + .event.data.amount'
for streams in 1 10000; do
	store=$work/events-$streams.db
	"${BIN%/bin}/tests/bench/store_speed" "$store" "$events" 2000 "$streams" >/dev/null
	echo "$events events, $streams streams"
	measure "  the whole store, from its beginning" --reduce "$sum"
	measure "  the whole store, with snapshots" --reduce "$sum"
	for part in 1 2 3; do
		at=$((events * part / 4 + part))
		measure "  the whole store as of $at" --reduce "$sum" --as-of $at
	done
	measure "  one stream, from its beginning" --reduce "$sum" --stream account/acc0 --snapshot-every 0
	measure "  one stream, keeping snapshots" --reduce "$sum" --stream account/acc0
	for part in 1 2 3; do
		at=$((events * part / 4 + part))
		measure "  one stream as of $at" --reduce "$sum" --stream account/acc0 --as-of $at
	done
	measure "  each stream" --reduce "$sum" --each
	measure "  each stream by an expression" --reduce "$sum" --each --stream-by '.number % 100'
	measure "  a table brought up to date" -s "$work/settings.yaml" --projection balance --follow --until-empty
	measure "  the same again" -s "$work/settings.yaml" --projection balance --follow --until-empty
	rm -f "$store"*
done
