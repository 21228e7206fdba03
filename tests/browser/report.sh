#!/bin/bash
# The report of a bench run in a real browser: what a reader sees once the script has run.
# shellcheck disable=SC2317 # functions are called through ok
. tests/support/tap.sh
report_of=${INSTRUMENTS:-build/release/tests}/support/report_of

# document INTERVALS [FILTER]: a realistic result, changed by the filter of jq.
document() { jq -n --argjson intervals "$1" -f tests/browser/result.jq | jq -c "${2-.}"; }

# browse NAME: opens $work/NAME.html; the DOM in $work/dom, what the console said in $work/console.
browse() {
	timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
		--user-data-dir="$work/profile" --virtual-time-budget=10000 --enable-logging=stderr --v=0 \
		--dump-dom "file://$work/$1.html" >"$work/dom" 2>"$work/log"
	grep CONSOLE "$work/log" >"$work/console"
	[ -s "$work/dom" ] || { tail -n 5 "$work/log" && false; }
}
# look NAME: makes a report of the result on stdin and opens it; a last script counts its requests.
look() {
	"$report_of" >"$work/$1.page" || return
	sed 's|^</body>|<script>document.body.dataset.requests = performance.getEntriesByType("resource").length</script>&|' \
		"$work/$1.page" >"$work/$1.html"
	browse "$1"
}
# part ID: the chart or table of that id.
part() { awk -v RS='</svg>|</table>' -v key="id=\"$1\"" 'i = index($0, key) {print substr($0, i)}' "$work/dom"; }
# rows ID: the cells of a table, a line each row, "|" between.
rows() {
	part "$1" | sed 's/<\/tr>/\n/g' | sed -E 's/^.*<tr>//; s/<\/t[hd]><t[hd][^>]*>/|/g; s/<[^>]*>//g' |
		sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | grep '|'
}
# texts ID CLASS: the texts of that class in a chart, with ";" between.
texts() { part "$1" | grep -oE "class=\"$2\"[^>]*>[^<]*" | sed 's/^.*>//' | paste -sd ';'; }
series() { part "$1" | grep -oE '<path class="series [^"]*" d="M' | wc -l; }
title() { grep -oE '<title>[^<]*' "$work/dom" | head -n 1 | sed 's/<title>//'; }
charts() { grep -oE '<svg id="[^"]*"' "$work/dom" | sed 's/.*id=//' | tr -d '"' | paste -sd ' '; }
# silent NAME: nothing on the console, nothing asked of a network or of other files.
silent() {
	is "$(cat "$work/console")" "" "$1: the console is silent"
	like "$(grep -o '<body[^>]*>' "$work/dom")" 'data-requests="0"' "$1: nothing else was loaded"
}

# ---- a usual run ----

document 60 >"$work/minute.json"
# figure FILTER: a number of that document as the page writes it.
figure() { jq -r "$1 | tostring" "$work/minute.json" | sed ':a; s/\B[0-9]\{3\}\>/,&/; ta'; }
ok "a run of a minute opens" look minute <"$work/minute.json"
silent "a run of a minute"
is "$(title)" "bench: 4,922/s received, p99 latency 6.84 ms" "the title has the headline figures"
like "$(cat "$work/dom")" 'id="verdict" class="pill bad">expectations failed<' "the verdict stands in front"
is "$(charts)" "rates latency-over-time latency-histogram confirm-over-time confirm-histogram" "a chart for each subject that was measured"
is "$(series rates)" 3 "rates: sent, confirmed, received"
is "$(series latency-over-time)" 8 "latency: four percentiles, from due and from sent"
is "$(series latency-histogram)" 4 "histogram: two areas with their outlines"
is "$(texts rates label-y), $(texts rates label-x)" "messages per second, time since the start" "the axes say what they show"
is "$(texts rates tick-x)" "0 s;10 s;20 s;30 s;40 s;50 s;60 s" "ticks of time have their unit"
is "$(texts rates tick-y)" "0;2,000;4,000;6,000" "ticks of rates are round"
is "$(texts latency-over-time tick-y)" "100 µs;1 ms;10 ms;100 ms;1 s;10 s" "latency has a tick each power of ten"
is "$(part latency-over-time | grep -o 'class="shade"' | wc -l)" 2 "the two blocked intervals are shaded"
is "$(part rates | grep -o 'class="column"' | wc -l)" 60 "each interval answers to the mouse"
like "$(part rates)" '>0 s to 1 s
sent 4,9[0-9]+/s' "and tells its figures"
like "$(part latency-over-time)" 'publishing was blocked for 650 ms' "a blocked one tells that too"
is "$(rows expectations)" "expected|wanted|found|
latency_p99|at most 5 ms|6.84 ms|failed
lost|0|0|met" "the expectations are a table"
is "$(rows percentiles | head -n 2)" "|count|min|mean|p50|p75|p90|p95|p99|p99.9|p99.99|max
latency_due|$(figure .latency.latency_due.count)|285 µs|1.48 ms|1.14 ms|1.60 ms|2.39 ms|3.42 ms|6.84 ms|131 ms|700 ms|840 ms" "the percentiles are those of the document"
is "$(rows percentiles | tail -n 1)" "operation|–|–|–|–|–|–|–|–|–|–|–" "what was not measured is absent"
is "$(rows percentiles | wc -l)" 7 "all six measures have a row"
is "$(rows ledger | sed -n 's/^\(sent\|received\|duplicated\|lost\)|\([^|]*\)|.*/\1 \2/p' | paste -sd ' ')" \
	"sent $(figure .totals.sent) received $(figure .totals.received) duplicated 3 lost 0" "the ledger is that of the document"
is "$(rows options | head -n 3 | paste -sd ' ')" "--producers|2 --consumers|4 --rate|5000/s" "the options are those given"
is "$(rows machine | paste -sd ';')" "broker|RabbitMQ 3.10.8;system|Linux 6.1.0-37-amd64 x86_64;CPU|2 × AMD EPYC 7B13;memory|24.0 GiB;warren|0.1.0" "the machine is described"

# ---- with a comparison ----

ok "a run with a comparison opens" look comparison < <(document 10 '.comparison = {
	differs: [{name: "producers", old: "2", now: null}],
	figures: [{name: "sent", unit: "rate", old: 4000, now: 5000, change: 0.25, noise: 0.0123, verdict: "better"},
		{name: "operation p50", unit: "time", old: null, now: 0.002, change: null, noise: null, verdict: "in one run only"}]}')
silent "a comparison"
is "$(rows differs | tail -n 1)" "producers|2|–" "it tells what differs"
is "$(rows comparison | tail -n 2)" "sent|4,000/s|5,000/s|+25.0 %|±1.23 %|better
operation p50|–|2.00 ms|–|–|in one run only" "and what changed"

# ---- strings that would like to be more ----

# shellcheck disable=SC2016
hostile='</script><script>document.title="owned"</script><!-- <b onclick=x>&amp;'
ok "a run with hostile strings opens" look hostile < <(document 3 | jq -c --arg s "$hostile" '
	.options = {($s): $s, "__proto__": "x"} | .broker = $s | .machine.cpu = $s + "\u2028" | .stopped_by = $s
	| .expectations[0] |= {name: $s, wanted: $s, found: $s, met: false}')
silent "hostile strings"
like "$(title)" '^bench: [0-9,]+/s received, p99 latency 6.84 ms$' "the title is ours"
is "$(rows options | head -n 1)" "--$hostile|$hostile" "an option is shown as it was given"
is "$(rows options | tail -n 1)" "--__proto__|x" "even one with a name of JavaScript"
is "$(rows expectations | sed -n 2p)" "$hostile|$hostile|$hostile|failed" "an expectation too"
is "$(grep -o '<script' "$work/dom" | wc -l)" 3 "no script was added to the two of the page and that of this test"

# ---- little, nothing, much ----

empty='.intervals = [] | .histogram[] = [] | .latency[] = null | .totals[] = 0 | .rates[] = 0 | .options = {} | .expectations = [] | .verdict = null'
ok "a run without a message opens" look empty < <(document 1 "$empty")
silent "a run without a message"
is "$(title)" "bench: 0.00/s sent" "it has a title"
is "$(charts)" "" "and no charts"
is "$(rows percentiles | wc -l)" 7 "and empty percentiles"

ok "a run of idle intervals opens" look idle < <(document 3 '.latency[] = null | .histogram[] = []
	| .intervals[] |= (.counts[] = 0 | .latency[] = null)')
silent "a run of idle intervals"
is "$(charts), $(series rates)" "rates, 0" "it has axes and no lines"

ok "a run that only opens and closes opens" look churn < <(document 5 '.rates = {operations: 1234} | .latency = {operation: .latency.gap}
	| .histogram = {operation: .histogram.gap} | .verdict = null
	| .intervals[] |= (.counts = {operations: 1234} | .latency = {operation: .latency.gap})')
silent "churn"
is "$(title)" "bench: 1,234/s opened and closed, p99 operation 330 µs" "the title tells of openings"
is "$(charts) $(series rates) $(series operation-over-time)" "rates operation-over-time operation-histogram 1 4" "and so do the charts"
like "$(cat "$work/dom")" '>no expectations<' "the verdict is that none was asked for"

ok "a run of one interval opens" look one < <(document 1)
silent "a run of one interval"
is "$(series rates) $(series latency-over-time)" "3 8" "its points are drawn"

ok "nulls everywhere open" look nulls < <(document 2 '.totals = null | .rates = null | .latency = null | .machine = null
	| .intervals[0].latency = null | .intervals[1].counts = null | .histogram = null | .options = null | .expectations = null')
silent "nulls everywhere"
is "$(rows percentiles | wc -l)" 7 "the tables are there"

ok "an empty object opens" look object <<<'{}'
silent "an empty object"
ok "no result at all opens" look nothing <<<'null'
silent "no result at all"
like "$(cat "$work/dom")" '<h1>There is no result in this page.</h1>' "and says so"
cp web/report.html "$work/bare.html"
ok "the page without a result opens" browse bare
is "$(cat "$work/console")" "" "the console is silent"

ok "a run of 10,000 intervals opens" look long < <(document 10000)
silent "a run of 10,000 intervals"
is "$(series rates) $(series latency-over-time)" "3 8" "it has all lines"
is "$(part rates | grep -o 'class="column"' | wc -l)" 589 "thinned out to what a chart can show"
like "$(cat "$work/dom")" 'Each point stands for 17 intervals' "and says so"

# ---- this test can fail: a picture from elsewhere is refused, and heard of ----

sed 's|^</body>|<img src="http://127.0.0.1:1/x.png">&|' "$work/one.page" >"$work/picture.html"
ok "a page with a picture from elsewhere opens" browse picture
like "$(cat "$work/console")" 'Content Security Policy' "and the picture is refused"

done_testing
