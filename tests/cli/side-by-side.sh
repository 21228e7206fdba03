#!/bin/bash
# The tables of make bench-peers: medians, and ratios to the first client of the list.
. tests/support/tap.sh

table() { jq -rs --arg job "$1" -f tests/bench/side_by_side.jq --args "${@:2}" 2>&1 <"$work/lines"; }
row() { table "$@" | sed -n 3p; }
flood() { echo "{\"job\":\"flood\",\"round\":$1,\"client\":\"$2\",\"rate\":$3,\"cpu\":$4}" >>"$work/lines"; }

# rounds in any order; by themselves the medians 300 and 200 would make a ratio of 0.67
flood 2 go 200 0.5
flood 1 warren 100 0.05
flood 1 go 50 0.1
flood 3 warren 300 0.1
flood 2 warren 400 0.1
flood 3 go 300 0.1
is "$(table flood warren go)" \
	"| client | messages/s | x | CPU s/million | x |
| --- | --: | --: | --: | --: |
| **warren** bench | 300 | 1.00 | 0.10 | 1.00 |
| Go amqp091-go | 200 | 0.50 | 0.10 | 2.00 |" "medians of the rounds, and the median of each round's ratio to the first"
is "$(row flood go warren)" "| Go amqp091-go | 200 | 1.00 | 0.10 | 1.00 |" "the first of the list is the measure"
is "$(row flood pika go)" "| Go amqp091-go | 200 | 1.00 | 0.10 | 1.00 |" "a client without lines has no row"
is "$(table paced warren)" "nobody was measured" "a job without lines"

flood 4 go 400 2
is "$(row flood go)" "| Go amqp091-go | 250 | 1.00 | 0.30 | 1.00 |" "of four rounds, between the middle two"

status_is 64 "a client that nobody knows" env BENCH_CLIENTS=nobody tests/bench/side_by_side.sh
like "$(cat "$work/err")" "no client is called 'nobody'" "... is named"
done_testing
