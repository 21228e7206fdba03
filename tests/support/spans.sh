# shellcheck shell=bash disable=SC2154 # work is of tap.sh
# spans.sh - what the tests of tracing share: a collector, and the spans it got. After tap.sh.
spans_collector=$PWD/${INSTRUMENTS:-build/release/tests}/support/collector
spans_schema=$PWD/tests/cases/otlp/traces.schema.json

# collect ANSWER...: a collector that answers so; its folder is $folder.
collect() {
	stop_collector
	folder=$work/spans.$((collectors++))
	mkdir "$folder"
	fresh "$folder/taken" "$folder/asked" "$folder/faults"
	"$spans_collector" "$folder" "$spans_schema" "$@" >"$folder/port" &
	collector_pid=$!
	eventually 60 grep -q . "$folder/port"
	number=$(cat "$folder/port")
	export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$number
	export OTEL_BSP_EXPORT_TIMEOUT=60000 # no machine stands still so long
}
stop_collector() {
	[ -z "${collector_pid-}" ] || { kill "$collector_pid" && wait "$collector_pid" 2>/dev/null; }
	collector_pid=
}
collectors=0
# quiet TOOL OPTION...
quiet() { timeout 60 "$BIN/$1" -s s.yaml --quiet "${@:2}"; }
# spans: all that were taken, one a line, with their service.
spans() {
	jq -c '.resourceSpans[] | (.resource.attributes | map({(.key): .value.stringValue}) | add) as $r | .scopeSpans[].spans[]
		| . + {service: $r["service.name"], a: (.attributes | map({(.key): (.value | .stringValue // .intValue)}) | add)} | del(.attributes)' "$folder/taken"
}
# holds JQ NAME: of all spans.
holds() {
	is "$(spans | jq -s "$1")" true "$2"
}
