#!/bin/bash
# A broker that does one thing wrong, against the real tools: one clear line, the exit status that is
# documented, in time, in little memory; no control byte of the broker's and no password in what is
# printed. The scenarios are hostile.c's; several run at a time, since most of them wait.
. tests/support/tap.sh
HOSTILE=$PWD/${INSTRUMENTS:-build/release/tests}/faults/hostile MEASURE=$PWD/${INSTRUMENTS:-build/release/tests}/faults/measure
cd "$work" || exit
GIVE_UP="--give-up-after 0" # ends a tool at its first loss
MOST_KIB=65536
AT_ONCE=1000 # ms, for what needs no waiting
# Short where silence is what is tried, and only there: a machine that stands still is silent, too.
SILENT='heartbeat=1&connection_timeout=1000'
CALM='heartbeat=4&connection_timeout=20000'
QUERY=$CALM
case $BIN in */release/*) slack=1 ;; *) slack=4 ;; esac # sanitizers take time, and memory of their own

mapfile -t scenarios < <("$HOSTILE" --list)
yes message | head -n 50 >lines
plans=()
declare -A played

# took_ms DIR: of the tool that was started there.
took_ms() { sed -n 's/.* ms=\([0-9]*\).*/\1/p' "$1/took"; }
# start DIR SCENARIO TOOL OPTION...: a broker of that kind and a tool that talks to it.
start() {
	local dir=$1 scenario=$2 tool=$3 own
	shift 3
	case $tool in
	consumer) own="q -f json" ;;
	producer) own="--from $work/lines --routing-key q --mandatory -f json" ;;
	esac
	fresh "$dir/played" "$dir/took" # of the try before
	"$HOSTILE" "$scenario" >"$dir/played" &
	hostile=$!
	eventually 60 test -s "$dir/played" || return
	# shellcheck disable=SC2086 # several words
	AMQP_URL="amqp://user:s3cr3t@127.0.0.1:$(head -n 1 "$dir/played")?$QUERY" \
		"$MEASURE" "$dir/took" 30 "$BIN/$tool" $own --quiet $GIVE_UP "$@" </dev/null >"$dir/out" 2>"$dir/err"
}
is_played() { [ "$(wc -l <"$1/played")" -ge 2 ]; }
# play MS DIR SCENARIO TOOL OPTION...: up to five times, when it took too long, or the broker did not come to its deed.
play() {
	local most=$(($1 * slack)) _
	shift
	for _ in 1 2 3 4 5; do
		start "$@" && :
		kill -9 $hostile
		[ "$(took_ms "$1")" -gt $most ] || ! is_played "$1" || return
	done
}
# plan TOOL SCENARIO STATUS REGEX MS [OPTION...]: ends by itself with this status, after at most MS,
# with one line that matches on stderr; "" for none.
plan() {
	local dir=$work/run.${#plans[@]} tool=$1 scenario=$2 ms=$5
	plans+=("$1 $2 $3 $5 ${*:6}")
	played[$scenario]=1
	mkdir "$dir"
	printf '%s' "$4" >"$dir/regex"
	shift 5
	while [ "$(jobs -rp | wc -l)" -ge 12 ]; do wait -n; done
	play "$ms" "$dir" "$scenario" "$tool" "$@" 2>>"$dir/shell" &
}
# hold TOOL SCENARIO [OPTION...]: does not end by itself, but at once at the second SIGINT.
hold() {
	local dir=$work/run.${#plans[@]} tool=$1 scenario=$2
	plans+=("$1 $2 interrupted 1000 ${*:3}")
	played[$scenario]=1
	mkdir "$dir"
	: >"$dir/regex"
	shift 2
	while [ "$(jobs -rp | wc -l)" -ge 12 ]; do wait -n; done
	interrupted_in_time "$dir" "$scenario" "$tool" "$@" 2>>"$dir/shell" &
}
interrupted_in_time() {
	local _
	for _ in 1 2 3 4 5; do
		interrupt "$@" && [ "$(cat "$1/interrupted")" -le $((AT_ONCE * slack)) ] && return
	done
}
interrupt() {
	local dir=$1 pid since
	fresh "$dir/took" "$dir/played" "$dir/interrupted"
	{ start "$@"; kill -9 $hostile; } &
	eventually 60 eval '[ "$(wc -l <"$dir/played")" -ge 2 ]' || return
	pid=$(sed -n 's/pid=\([0-9]*\).*/\1/p' "$dir/took")
	kill -INT "$pid"
	eventually 1 eval '! kill -0 "$pid"'
	since=${EPOCHREALTIME/./}
	kill -INT "$pid"
	while kill -0 "$pid"; do :; done
	echo $(((${EPOCHREALTIME/./} - since) / 1000)) >"$dir/interrupted"
	wait
}

# ---- silence: each wait has its end ----

QUERY='heartbeat=1' plan consumer silent 69 'does not answer' 6000
# ten seconds, and more than two heartbeats
plan consumer rpc_never 69 'did not answer .* in 10 seconds' 11500
plan producer rpc_never 69 'did not answer .* in 10 seconds' 11500
plan consumer call_answers_something_else 69 'did not answer .* in 10 seconds' 11500
for tool in consumer producer; do
	for scenario in silent start_half_then_hang tune_never open_never; do
		QUERY=$SILENT plan $tool $scenario 69 'does not answer' 2000
	done
	for scenario in close_at_header close_at_start_ok close_at_open close_at_call; do
		plan $tool $scenario 69 '(no answer from|lost) the broker at .*: it closed the connection' $AT_ONCE
	done
	plan $tool reset_at_header 69 'the broker at .*: Connection reset' $AT_ONCE
done
QUERY=$SILENT plan consumer consume_heartbeats_stop 69 'no sign of life for 2' 3200
QUERY=$SILENT plan producer publish_heartbeats_stop 69 'no sign of life for 2' 3200
plan consumer close_at_consume 69 'lost the broker at .*: it closed the connection' $AT_ONCE
plan producer close_at_publish 69 'lost the broker at .*: it closed the connection' $AT_ONCE
plan consumer reset_at_consume 69 'lost the broker at .*: Connection reset' $AT_ONCE
plan producer reset_at_publish 69 'lost the broker at .*: Connection reset' $AT_ONCE
plan consumer goodbye_never 0 '' 5500 --idle 1500ms
plan producer goodbye_never 0 '' 3500
hold consumer consume_stop_reading
hold producer publish_stop_reading
hold producer never_confirm
hold producer blocked_for_ever
hold consumer blocked_for_ever
hold consumer body_never_completes

# ---- what is no AMQP 0-9-1 ----

for tool in consumer producer; do
	plan $tool http 76 'is a web server, not AMQP' $AT_ONCE
	plan $tool amqp_1_0 76 'another version of AMQP \(it answered 1-0-0\)' $AT_ONCE
	plan $tool amqp_same_header 76 'AMQP' $AT_ONCE
	plan $tool tls_alert 76 'TLS' $AT_ONCE
	plan $tool ssh 76 'a frame of unknown type 83' $AT_ONCE
done

# ---- logging in ----

for tool in consumer producer; do
	plan $tool strange_mechanisms 77 "does not offer PLAIN login; it offers 'KERBEROS " $AT_ONCE
	plan $tool huge_start 76 'a frame of 1048576 bytes; agreed were at most' $AT_ONCE
	plan $tool tune_tiny_frames 76 'allows frames of 8 bytes; AMQP asks for at least 4096' $AT_ONCE
	plan $tool tune_twice 76 'out of turn' $AT_ONCE
	plan $tool refuse_login 77 'closed the connection: REFUSED - .*check the user' $AT_ONCE
	plan $tool refuse_vhost 77 'closed the connection: REFUSED - .*the vhost' $AT_ONCE
	plan $tool ack_before 76 'out of turn' $AT_ONCE
done
plan consumer escapes_in_properties 0 'u\{202e\}' 4000 --idle 1500ms --no-quiet --verbose
plan producer escapes_in_properties 0 'u\{202e\}' 2000 --no-quiet --verbose

# ---- calls ----

plan consumer call_closes_channel 76 "NOT_FOUND - no queue '" $AT_ONCE
plan producer call_closes_channel 76 "NOT_FOUND - no queue '" $AT_ONCE
plan consumer call_closes_connection 69 'closed the connection: REFUSED - ' $AT_ONCE
plan producer call_closes_connection 69 'closed the connection: REFUSED - ' $AT_ONCE
plan consumer call_answer_damaged 76 'answer to .* cannot be read' $AT_ONCE
plan producer call_answer_damaged 76 'answer to .* cannot be read' $AT_ONCE
plan consumer consume_closes_channel 76 "NOT_FOUND - no queue '" $AT_ONCE
plan consumer consume_closes_connection 69 'closed the connection: REFUSED - ' $AT_ONCE
plan producer publish_closes_channel 76 "NOT_FOUND - no queue '" $AT_ONCE
plan producer publish_closes_connection 69 'closed the connection: REFUSED - ' $AT_ONCE
plan consumer server_cancel 76 'cancelled the consumer' $AT_ONCE
plan consumer server_cancel_at_once 76 'cancelled the consumer' $AT_ONCE
plan consumer channel_close_at_once 76 'there is no such queue' $AT_ONCE

# ---- frames ----

refuses() { plan consumer "$1" 76 "$2" $AT_ONCE "${@:3}"; }
for scenario in body_size_zero body_size_smaller body_without_header body_alone; do
	refuses $scenario 'a piece of a body out of place'
done
refuses body_size_2_63 'announced a body of 9223372036854775808 bytes'
refuses body_size_most 'announced a body of 18446744073709551615 bytes'
refuses bigger_body 'announced a body of 4294967296 bytes'
refuses deliver_inside_body 'began a message inside another one'
refuses header_without_method 'a content header out of place'
refuses wrong_channel 'a frame on channel 77, which is not open'
refuses frames_on_all_channels 'a frame on channel 2, which is not open'
refuses content_on_channel_0 'out of turn'
refuses unknown_frame_types 'a frame of unknown type 0'
refuses oversized_frame 'a frame of 4294967295 bytes; agreed were at most'
refuses oversized_header 'a content header of 33554432 bytes; at most 16777216 are taken'
refuses frame_end_wrong 'a frame without its end octet'
refuses damaged_heartbeat 'a damaged heartbeat'
refuses short_method 'a method that cannot be read'
refuses method_out_of_order 'out of turn'
refuses channel_close_inside_body "NOT_FOUND - no queue '"
refuses channel_close_without_words 'code 0, without a reason'
plan consumer connection_close_inside_body 69 'closed the connection: REFUSED - ' $AT_ONCE
plan consumer hang_up_inside_body 69 'lost the broker at .*: it closed the connection' $AT_ONCE
plan consumer truncated_frame 69 'lost the broker at .*: it closed the connection' $AT_ONCE
# A method that we do not know does nothing; one that is damaged makes no message.
plan consumer unknown_method 0 '' 4000 --idle 1500ms
plan consumer method_cut_short 0 '' 4000 --idle 1500ms

# ---- messages ----

for format in json pretty; do
	plan consumer escapes_in_message 0 '' 4000 --idle 1500ms -f $format
	plan consumer empty_header_key 0 '' 2000 --count 1 -f $format
	plan consumer ten_thousand_headers 0 '' 2000 --count 1 -f $format
	plan consumer header_above_agreed 0 '' 2000 --count 1 -f $format
done
# What cannot be shown stays in its queue.
plan consumer deep_header_table 1 'nested deeper than 64 levels' 4000 --idle 1500ms --no-quiet
plan consumer deep_header_array 1 'nested deeper than 64 levels' 4000 --idle 1500ms --no-quiet
plan consumer huge_table 1 'damaged field table' 4000 --idle 1500ms --no-quiet
plan consumer unknown_field_kind 1 'cannot be shown' 4000 --idle 1500ms --no-quiet
refuses same_tag_twice 'numbered a delivery out of order'
refuses tags_out_of_order 'numbered a delivery out of order'
plan consumer big_body 0 '' 10000 --count 1 -f none
plan consumer big_body 0 '' 10000 --count 1 -f pretty
plan consumer flood 0 '' 10000 --count 200000
hold consumer flood_held --exec 'sleep 1'
plan consumer flood_of_heartbeats 0 '' 6500 --idle 1500ms

# ---- fates ----

plan producer ack_unknown_tag 76 'settled message 999999, which was not sent' $AT_ONCE
plan producer ack_most 76 'settled message 18446744073709551615, which was not sent' $AT_ONCE
plan producer ack_twice 0 '' $AT_ONCE
hold producer ack_0
plan producer nack_all 1 '' $AT_ONCE --nack-retries 0
plan producer return_all 1 '' $AT_ONCE
plan producer return_unknown 1 '' $AT_ONCE
plan producer deliver_to_producer 76 'damaged return' $AT_ONCE
plan producer blocked_then_unblocked 0 '' $AT_ONCE
plan producer unblocked_never_blocked 0 '' $AT_ONCE

wait

# ---- what became of them ----

# A control byte, C1 in UTF-8, or what turns the direction of writing.
has_control_bytes() { LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$@"; }
judge() {
	local dir=$1 tool=$2 scenario=$3 status=$4 most_ms=$5 options=$6 took why='' ms kib regex
	took=$(cat "$dir/took")
	ms=$(sed -n 's/.* ms=\([0-9]*\).*/\1/p' <<<"$took") kib=$(sed -n 's/.* kib=\([0-9]*\).*/\1/p' <<<"$took")
	regex=$(cat "$dir/regex")
	if [ "$status" = interrupted ]; then
		ms=$(cat "$dir/interrupted") || why="did not come to its deed"
		grep -qE 'status=(0|1|69|130) ' <<<"$took" || why+=" $took"
	else
		grep -q "status=$status " <<<"$took" || why="not status $status: $took"
		if [ -z "$regex" ]; then
			[ ! -s "$dir/err" ] || why+=" it says something"
		elif ! grep -qE "^$tool: .*$regex" "$dir/err"; then
			why+=" it does not say '$regex'"
		fi
		[[ $options == *--no-quiet* ]] || [ "$(wc -l <"$dir/err")" -le 1 ] || why+=" it says too much"
	fi
	[ "${ms:-999999}" -le $((most_ms * slack)) ] || why+=" too late, after $ms ms"
	[ "$scenario" != big_body ] || kib=$((kib - 100 * 1024))
	[ "${kib:-999999}" -le $MOST_KIB ] || [ $slack -gt 1 ] || why+=" $kib KiB"
	! has_control_bytes "$dir/out" "$dir/err" || why+=" control bytes"
	! grep -q s3cr3t "$dir/out" "$dir/err" || why+=" the password"
	is_played "$dir" || why+=" the scenario was not played"
	[ -z "$why" ]
	result $? "$tool: $scenario${options:+, $options}"
	[ -z "$why" ] || {
		echo "#   $why"
		head -n 5 "$dir/err" "$dir/shell" | sed 's/^/#   /'
	}
}
most=0
for i in "${!plans[@]}"; do
	read -r tool scenario status ms options <<<"${plans[$i]}"
	judge "$work/run.$i" "$tool" "$scenario" "$status" "$ms" "$options"
	kib=$(sed -n 's/.* kib=//p' "$work/run.$i/took")
	[ "$scenario" = big_body ] || [ "${kib:-0}" -le $most ] || most=$kib
done
echo "# the most memory, but for the large body: $most KiB"
for name in "${scenarios[@]}"; do [ -n "${played[$name]-}" ] || echo "$name"; done >forgotten
is "$(cat forgotten)" "" "every scenario of the broker is played"
done_testing
