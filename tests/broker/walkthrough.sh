#!/bin/bash
# The walkthrough as a newcomer runs it, the producer first; tests/broker/lessons.sh has the other order.
. tests/support/tap.sh
use_broker

# ean_ok: every line of stdin is a 13-digit EAN with the right check digit.
ean_ok() {
	awk 'length($0) != 13 || /[^0-9]/ { bad = 1; next }
	{ s = 0; for (i = 1; i <= 12; i++) s += substr($0, i, 1) * (i % 2 ? 1 : 3)
	  if ((10 - s % 10) % 10 != substr($0, 13, 1)) bad = 1; n++ }
	END { exit bad || n != 20 }'
}
bodies() { jq -r '.body' "$1"; }
# The four fields of each of the 20 lines, in their order.
fields_ok() { [ "$(bodies "$1" | jq -c 'keys_unsorted' | sort | uniq -c | tr -s ' ')" = ' 20 ["id","first_name","last_name","email"]' ]; }

"$BIN/producer" -s walkthrough --amount 20 --delay 0 --yes >"$work/sent" 2>"$work/producer.err"
is $? 0 "producer first: it exits 0"
timeout 30 "$BIN/consumer" -s walkthrough --count 20 --format json >"$work/first" 2>"$work/consumer.err"
is $? 0 "then the consumer exits 0"
is "$(wc -l <"$work/first")" 20 "20 JSON lines"
ok "with the four fields each" fields_ok "$work/first"
ok "13-digit EANs with right check digits" eval "bodies $work/first | jq -r .id | ean_ok"
is "$(ready order_notify)" 0 "and the queue is empty afterwards"
like "$(cat "$work/producer.err")" '20 sent, 20 confirmed' "the producer's summary says so"
like "$(cat "$work/consumer.err")" '20 received, 20 acknowledged' "and the consumer's"

"$BIN/producer" -s walkthrough --amount 50 --delay 0 --yes --seed 7 --format json >"$work/seven" 2>/dev/null
"$BIN/producer" -s walkthrough --amount 50 --delay 0 --yes --seed 7 --format json >"$work/seven-again" 2>/dev/null
is "$(wc -l <"$work/seven")" 50 "--seed 7 sends what was asked for"
ok "--seed 7 twice gives the same bytes" cmp "$work/seven" "$work/seven-again"
"$BIN/producer" -s walkthrough --amount 50 --delay 0 --yes --seed 8 --format json >"$work/eight" 2>/dev/null
ok "--seed 8 gives others" eval "! cmp -s $work/seven $work/eight"
done_testing
