#!/bin/bash
# Runs the unit tests of what reads foreign bytes under valgrind, and the tools through one walkthrough.
# The sanitizers see the others.
set -u
cd "$(dirname "$0")/../.." || exit 70
make --no-print-directory -j"$(nproc)" binaries unit >/dev/null || exit
export memcheck="valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
	--suppressions=tests/support/pcre2.supp"
one() {
	local log=build/valgrind-$1.log
	# shellcheck disable=SC2086 # it is several words
	CK_FORK=no CK_EXCLUDE_TAGS=no-valgrind timeout 300 $memcheck "build/release/tests/unit/test_$1" >"$log" 2>&1 && return
	echo "not ok test_$1"
	grep '^==' "$log" | head -n 30
	return 1
}
walkthrough() {
	# shellcheck disable=SC2016 # the command is quoted for the shell that lab run starts
	build/release/bin/lab run -- bash -c '
		$memcheck build/release/bin/topology apply -s walkthrough -q &&
		$memcheck build/release/bin/producer -s walkthrough --delay 0 --yes -q &&
		$memcheck build/release/bin/consumer -s walkthrough --count 20 -f json -q >/dev/null
	' && return
	echo "not ok the walkthrough"
	return 1
}
export -f one
# those that read what comes from outside
units="connection frames kept record table text uri"
# shellcheck disable=SC2086
printf '%s\n' $units | xargs -P "$(nproc)" -I{} bash -c 'one {}'
failed=$?
walkthrough || failed=1
echo "valgrind: $(wc -w <<<"$units") unit tests and the walkthrough, $([ $failed -eq 0 ] && echo clean || echo with errors)"
exit $failed
