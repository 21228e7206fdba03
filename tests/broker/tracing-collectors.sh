#!/bin/bash
# A collector of spans that is slow, silent, absent or unwilling harms nobody; what it does not get is counted.
. tests/support/tap.sh
use_broker
. tests/support/spans.sh
cd "$work" || exit

cat >s.yaml <<'END'
queues:
  jobs: {arguments: {x-max-length: 10}}
messages:
  job: {routing_key: jobs, amount: 20, delay: 0, fields: [id]}
END

# sends N OPTION...: N messages; $seconds it took, $err what was said.
sends() {
	local since=$EPOCHREALTIME
	OTEL_BSP_SCHEDULE_DELAY=${delay:-50} timeout 300 "$BIN/producer" -s s.yaml --yes --format none --amount "$1" "${@:2}" job >out 2>err
	status=$?
	seconds=$(jq -n "$EPOCHREALTIME - $since" 2>/dev/null)
	err=$(cat err)
}
collect 503:1 503:1 200
sends 100 --rate 50/s
is "$status" 0 "503 with Retry-After: the run is as ever"
is "$(spans | wc -l)" 100 "and every span arrives, after a while"

collect 400
sends 100
is "$status" 0 "400: the run is as ever"
is "$(grep -c 'spans are dropped' err)" 1 "that spans are dropped is said once"
like "$err" '0 spans exported, 100 dropped' "and at the end how many"
collect 400 200
OTEL_BSP_MAX_EXPORT_BATCH_SIZE=20 sends 100 --rate 200/s # several requests, however slow the machine
is "$(($(spans | wc -l) + $(sed -n 's/.* \([0-9]*\) dropped/\1/p' err)))" 100 "400 is no reason to try again: what it answers is dropped"
ok "and nothing else is" grep -qE '[1-9][0-9]* spans? exported, [1-9][0-9]* dropped' err

collect partial:3
delay=60000 sends 100 # in one request, at the end
like "$err" '97 spans exported, 3 dropped' "a collector that rejects some"

collect hang
unset OTEL_BSP_EXPORT_TIMEOUT
ends_soon() {
	sends 5000
	jq -en "$status == 0 and $seconds < 5 + $1" >/dev/null
}
ok "silence: the run ends two seconds later" patiently ends_soon
like "$err" '5,000 sent, 5,000 confirmed' "all messages got through"
like "$err" '0 spans exported, 5,000 dropped' "and no more than fits was kept"

stop_collector
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9
sends 5000
is "$status" 0 "nobody there: the run is as ever"
like "$err" '0 spans exported, 5,000 dropped' "its spans are counted"

# ---- what is said ----

collect 200
OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20geheim' OTEL_EXPORTER_OTLP_ENDPOINT=http://ich:geheim@127.0.0.1:$number \
	timeout 60 "$BIN/producer" -s s.yaml --yes --format none -v job >out 2>err
like "$(tr -d '\r' <"$folder/asked")" '^authorization: Bearer geheim$' "headers go with each request"
is "$(grep -c geheim err out)" "$(printf 'err:0\nout:0')" "and are shown to nobody"
OTEL_EXPORTER_OTLP_ENDPOINT='no address' timeout 60 "$BIN/producer" -s s.yaml --yes --format none job >out 2>err
is $? 0 "an endpoint that is none ends nothing"
like "$(cat err)" 'no spans are exported' "but is told"
status_is 64 "--otlp is an option like any" "$BIN/producer" -s s.yaml --yes --otlp nowhere job
stop_collector
done_testing
