#!/bin/bash
# --metrics: what Prometheus gets of producer, consumer and recorder while they run. The reader of the format is
# awk's, and shares nothing with the writer.
. tests/support/tap.sh
use_broker
cd "$work" || exit

cat >s.yaml <<'END'
queues:
  jobs: {retry: {attempts: 2, delay: 100ms}}
  other:
  begin:
  replies:
  prices:
messages:
  begun: {routing_key: begin, amount: 3, delay: 0, body: '{"price": 4}'}

  job: {routing_key: jobs, rate: 200/s, fields: [id]}
relays:
  moving: {queue: jobs, core: [{jq: '., .'}], routing_key: other}
responders:
  prices: {queue: prices, core: [{jq: '.price'}]}
workflows:
  sale: {start: {queue: begin}, replies: replies, steps: [{name: price, request: {routing_key: prices, body: .input}}]}
projections:
  sum: {reduce: '(.state // 0) + 1', stream_by: routing_key}
END

# begin NAME TOOL OPTION...: in the background; $address is where its metrics are.
begin() {
	local name=$1
	shift
	fresh "$name.err"
	"$@" --metrics 127.0.0.1:0 >"$name.out" 2>"$name.err" </dev/null &
	pids+=($!)
	eventually 60 grep -q 'metrics at' "$name.err" || sed 's/^/# /' "$name.err"
	address=$(sed -n 's|.*metrics at http://\([^/]*\)/metrics.*|\1|p' "$name.err")
}
# page: one scrape, without the headers.
page() {
	local page
	exec {page}<>"/dev/tcp/${address%:*}/${address#*:}" || return
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&"$page"
	sed '1,/^\r$/d' <&"$page"
	exec {page}>&-
}
# shows REGEX: a line of the page.
shows() { page | grep -qE -- "$1"; }
# flawless FILE: each sample belongs to the family before it, no sample comes twice, counters end in _total, buckets
# rise to the count.
flawless() {
	awk '
	function bad(why) { print "line " NR ": " why ": " $0; failed = 1 }
	/^# HELP / { help = $3; next }
	/^# TYPE / { if (help != $3 || $3 in seen) bad("family"); seen[family = $3] = type = $4
		if (type == "counter" && family !~ /_total$/) bad("name"); next }
	!/^[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? (NaN|[+-]?Inf|[0-9.e+-]+)$/ { bad("syntax"); next }
	{ name = $0; sub(/[{ ].*/, "", name); id = $0; sub(/ [^ ]*$/, "", id)
		if (id in ids) bad("twice"); ids[id] = 1
		base = name; if (type == "histogram") sub(/_(bucket|sum|count)$/, "", base)
		if (base != family) bad("of another family") }
	type == "histogram" && name ~ /_bucket$/ { if ($NF + 0 < last) bad("falls"); last = $NF + 0 }
	type == "histogram" && name ~ /_count$/ { if ($NF + 0 != last) bad("count"); last = 0 }
	END { exit failed || NR < 10 }' "$1"
}
# end: the last one that was begun, by a signal.
end() {
	kill -INT "${pids[-1]}"
	wait "${pids[-1]}"
	is $? "$1" "$2"
	unset 'pids[-1]'
}
pids=()

begin consumer "$BIN/consumer" -s s.yaml jobs other --format none --exec 'sh -c "! grep -q 3"'
ok "before anything comes there are zeros" eventually 60 shows '^warren_messages_received_total\{tool="consumer",queue="jobs"\} 0$'
timeout 60 "$BIN/producer" -s s.yaml job --yes --quiet --amount 50 --delay 0 --summary none
ok "messages come in" eventually 60 shows '^warren_messages_received_total\{tool="consumer",queue="jobs"\} [5-9][0-9]$'
ok "by fate" eventually 60 shows '^warren_messages_settled_total\{tool="consumer",queue="jobs",fate="accepted"\} [1-9][0-9]*$'
ok "what the command rejects is parked, and counted" eventually 60 shows '^warren_dead_letters_total\{tool="consumer"\} [1-9]'
ok "none is under way in the end" eventually 60 shows '^warren_messages_under_way\{tool="consumer",queue="jobs"\} 0$'
page >consumer.page
ok "the page is well-formed" flawless consumer.page
like "$(grep build_info consumer.page)" '^warren_build_info\{tool="consumer",version="[0-9.]+"\} 1$' "which warren it is"
is "$(grep -c 'queue="other"' consumer.page)" "$(grep -c 'queue="jobs"' consumer.page)" "each queue has all of its figures"
is "$(sed -n 's/^warren_message_duration_seconds_count{tool="consumer",queue="jobs"} //p' consumer.page)" \
	"$(sed -n 's/^warren_messages_settled_total{tool="consumer",queue="jobs".* //p' consumer.page | awk '{n += $1} END {print n}')" "a duration for each that has a fate"
end 0 "and the consumer ends as ever"

begin producer "$BIN/producer" -s s.yaml job --yes
ok "producer: what was sent" eventually 60 shows '^warren_messages_sent_total\{tool="producer"\} [1-9]'
ok "producer: what was confirmed" eventually 60 shows '^warren_messages_settled_total\{tool="producer",fate="accepted"\} [1-9]'
page >producer.page
ok "producer: well-formed" flawless producer.page
end 0 "producer ends as ever"

begin record "$BIN/events" record -s s.yaml jobs
ok "recorder: what was stored" eventually 60 shows '^warren_messages_sent_total\{tool="events",flow="record"\} [1-9]'
page >record.page
ok "recorder: well-formed" flawless record.page
end 0 "recorder ends as ever"

begin relay "$BIN/relay" -s s.yaml moving --format none
timeout 60 "$BIN/producer" -s s.yaml job --yes --quiet --amount 50 --delay 0 --summary none
ok "relay: by its name" eventually 60 shows '^warren_messages_settled_total\{tool="relay",flow="moving",queue="jobs",fate="accepted"\} [1-9]'
ok "relay: twice as many come out" eventually 60 shows '^warren_messages_sent_total\{tool="relay",flow="moving"\} [1-9][0-9]*[02468]$'
page >relay.page
ok "relay: well-formed" flawless relay.page
end 0 "relay ends as ever"

begin serve "$BIN/rpc" serve -s s.yaml --format none
serve=$address
begin workflow "$BIN/workflow" run -s s.yaml --format none --store w.db
timeout 60 "$BIN/producer" -s s.yaml begun --yes --quiet --summary none
ok "workflow: instances" eventually 60 shows '^warren_workflows_completed_total\{tool="workflow"\} 3$'
page >workflow.page
ok "workflow: well-formed" flawless workflow.page
ok "workflow: what goes" grep -q '^warren_messages_sent_total{tool="workflow",flow="requests"} 3$' workflow.page
end 0 "workflow ends as ever"
address=$serve
ok "rpc: requests" eventually 60 shows '^warren_messages_settled_total\{tool="rpc",flow="serve",queue="prices",fate="accepted"\} 3$'
page >serve.page
ok "rpc: well-formed" flawless serve.page
end 0 "rpc ends as ever"

begin fold "$BIN/events" fold -s s.yaml --follow --projection sum --store events.db
ok "fold: events" eventually 60 shows '^warren_events_folded_total\{tool="events"\} [1-9]'
end 0 "fold ends as ever"

status_is 64 "no address" "$BIN/consumer" jobs --metrics nowhere
like "$(cat err)" "address to listen on" "and what one looks like"
WARREN_METRICS=127.0.0.1:0 timeout 60 "$BIN/consumer" jobs --until-empty --format none 2>err
like "$(cat err)" 'metrics at http://127.0.0.1' "out of the environment"
done_testing
