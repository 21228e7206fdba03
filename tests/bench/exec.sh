#!/bin/bash
# Measures what a program costs a relay, queue to queue and in order: a step jq, which runs inside, beside two workers of
# jq, two of Python, and a command for each message, in rounds that alternate. Figures only; the ratios are to the first.
#
#   exec.sh           ROUNDS, MESSAGES (a command gets a hundredth of them) and JOBS
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
make --no-print-directory -j"$(nproc)" VARIANT=release binaries >/dev/null || exit
BIN=$PWD/build/release/bin
rounds=${ROUNDS:-5} messages=${MESSAGES:-20000} jobs=${JOBS:-2}
work=$(mktemp -d "${TMPDIR:-/tmp}/warren-bench-exec.XXXXXX")
trap '"$BIN/lab" down --dir "$work/lab" >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
"$BIN/lab" up --wait 300s --dir "$work/lab" >/dev/null || exit
eval "$("$BIN/lab" env --dir "$work/lab")"
export AMQP_URL WARREN_SETTINGS=$work/s.yaml

cat >"$work/taxes.py" <<'END'
import json, sys
for line in sys.stdin:
    price = json.loads(json.loads(line)["body"])
    price["total"] = price["net"] * 2
    print(json.dumps({"body": price}), flush=True)
END
cat >"$work/s.yaml" <<END
queues: {in: {}, out: {max_length: 1}}
messages:
  price: {routing_key: in, amount: $messages, fields: {net: {number: {min: 1, max: 500}}, text: {text: {length: 200}}}}
relays:
  step: {queue: in, routing_key: out, core: [{jq: '.total = .net * 2'}]}
  jq: {queue: in, routing_key: out, core: [{exec: [jq, --unbuffered, -c, '.body |= (fromjson | .total = .net * 2)'], worker: true, jobs: $jobs}]}
  python: {queue: in, routing_key: out, core: [{exec: [python3, taxes.py], worker: true, jobs: $jobs}]}
  command: {queue: in, routing_key: out, core: [{exec: [jq, -c, '.total = .net * 2'], jobs: $jobs}]}
END
# measured NAME COUNT: NAME and messages a second, as one line.
measured() {
	"$BIN/producer" price --amount "$2" --yes -q --delay 0 2>"$work/err" &&
		"$BIN/relay" "$1" --count "$2" -f none -q --summary json 2>"$work/err" || {
		cat "$work/err" >&2
		return 1
	}
	echo "$1 $(tail -n 1 "$work/err" | jq .rate)"
}
for ((round = 0; round < rounds; round++)); do
	measured step "$messages" && measured jq "$messages" && measured python "$messages" &&
		measured command $((messages / 100)) || exit
done >"$work/rows"
median() { awk -v name="$1" '$1 == name {print $2}' "$work/rows" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
echo "medians of $rounds rounds, $jobs jobs, $(nproc) cores: messages a second, and to the step jq"
for name in step jq python command; do
	awk -v name=$name -v rate="$(median $name)" -v step="$(median step)" \
		'BEGIN {printf "%-8s %9.0f %8.3f\n", name, rate, rate / step}'
done
