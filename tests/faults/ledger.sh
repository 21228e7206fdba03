#!/bin/bash
# The ledger that judges the other runs is judged first: a wrong input each, which it must tell.
. tests/support/tap.sh
LEDGER=$PWD/${INSTRUMENTS:-build/release/tests}/faults/ledger
cd "$work" || exit

# sent FATE N...: what a producer says. received [MARK] N...: what a consumer says.
sent() {
	local fate=$1 n
	shift
	for n; do printf '{"properties":{"message_id":"id-%s"},"body":"{\\"n\\":%s}","fate":"%s"}\n' "$n" "$n" "$fate"; done
}
received() {
	local redelivered=false headers='' n
	case $1 in
	redelivered) redelivered=true && shift ;;
	resent) headers=',"headers":{"x-warren-resent":true}' && shift ;;
	resent-3) headers=',"headers":{"x-warren-resent":3}' && shift ;;
	esac
	for n; do
		printf '{"redelivered":%s,"properties":{"message_id":"id-%s"%s},"body":"{\\"n\\":%s}"}\n' \
			"$redelivered" "$n" "$headers" "$n"
	done
}
# judge STATUS REGEX NAME [OPTION...]: of the files s and r.
judge() {
	local status=$1 regex=$2 name=$3
	shift 3
	status_is "$status" "$name: exit $status" "$LEDGER" "$@" s -- r
	like "$(cat out)" "$regex" "$name: counted"
}

sent confirmed 1 2 3 >s
received 1 2 3 >r
judge 0 '^sent=3 confirmed=3 returned=0 nacked=0 unconfirmed=0 received=3 duplicates=0 unmarked=0 lost=0 reordered=0 unknown=0 retold=0 without_id=0 torn=0$' \
	"a calm run" --once --in-order
received 1 3 >r
judge 1 'received=2 .* lost=1 ' "a lost message"
: >r
judge 1 'received=0 .* lost=3 ' "nothing received"
received 1 2 3 2 >r
judge 1 'received=3 duplicates=1 unmarked=1 lost=0' "a duplicate without a mark"
for mark in redelivered resent resent-3; do
	{ received 1 2 3 && received $mark 2; } >r
	judge 0 'duplicates=1 unmarked=0 lost=0 reordered=0' "a duplicate marked as $mark"
	judge 1 'duplicates=1 ' "a duplicate marked as $mark, where none may be" --once
done
{ received redelivered 1 2 3 && received 2; } >r
judge 0 'duplicates=1 unmarked=0' "the mark on the first of two"
{ received 1 2 3 2 && received resent 2; } >r
judge 1 'duplicates=2 unmarked=1' "of three, one more than the first without a mark"
received 2 1 3 >r
judge 0 'lost=0 reordered=1 ' "another order is told"
judge 1 'reordered=1 ' "another order, where it matters" --in-order
{ received 2 3 && received redelivered 1; } >r
judge 0 'reordered=0 ' "the order of marked ones does not matter" --in-order
{ received 1 2 3 && received 4; } >r
judge 0 'unknown=1 ' "one that nobody sent is told"
{ received 1 2 && received 3 | head -c 60; } >r
judge 1 'lost=1 .* torn=1$' "half of a last line is not received"
received 3 >r2
ok "and comes with the next run" "$LEDGER" s -- r r2
{ received 1 2 && echo '{"half' && received 3; } >r
status_is 65 "a broken line in the middle: exit 65" "$LEDGER" s -- r
{ sent confirmed 1 && sent returned 2 && sent nacked 3 && sent unconfirmed 4; } >s
received 1 >r
judge 0 '^sent=4 confirmed=1 returned=1 nacked=1 unconfirmed=1 received=1 .* lost=0' "only what is confirmed can be lost"
{ received 1 2 3 4; } >r
judge 0 'received=4 ' "what is not confirmed may have come"
{ sent confirmed 1 && sent unconfirmed 1; } >s
received 1 >r
judge 1 'retold=1 ' "two fates of one message"
status_is 64 "without files to compare: exit 64" "$LEDGER" s
status_is 66 "without a file: exit 66" "$LEDGER" s -- none

sent confirmed {1..200000} >s
received {1..200000} | shuf --random-source=<(yes) >r
since=${EPOCHREALTIME/./}
status_is 0 "200,000 messages" "$LEDGER" s -- r
took=$(((${EPOCHREALTIME/./} - since) / 1000))
like "$(cat out)" '^sent=200000 confirmed=200000 .* received=200000 duplicates=0 unmarked=0 lost=0' "are counted"
ok "within seconds ($took ms)" test $took -lt 50000
sed -i 123456d r
status_is 1 "one of them is missing" "$LEDGER" s -- r
like "$(cat out)" ' lost=1 ' "and found"
done_testing
