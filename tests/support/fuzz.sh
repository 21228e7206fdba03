#!/bin/bash
# fuzz.sh SECONDS FUZZER...: runs each fuzzer so long on its corpus, as many at a time as there are
# processors; a crash is kept and told.
set -u
cd "$(dirname "$0")/../.." || exit 70
export seconds=$1
shift

one() {
	local fuzzer=$1 seeds='' runs
	mkdir -p "build/fuzz/corpus/$fuzzer"
	[ ! -d "tests/fuzz/corpus/$fuzzer" ] || seeds=tests/fuzz/corpus/$fuzzer
	# shellcheck disable=SC2086 # an absent folder is no argument
	if "build/asan/tests/fuzz/$fuzzer" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/$fuzzer-" "build/fuzz/corpus/$fuzzer" $seeds >"build/fuzz/$fuzzer.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$fuzzer.log")
		echo "ok $fuzzer: ${runs:-?} runs in $seconds s"
	else
		echo "not ok $fuzzer"
		tail -n 30 "build/fuzz/$fuzzer.log"
		return 1
	fi
}
export -f one
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
