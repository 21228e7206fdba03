#!/bin/bash
# Runs the unit tests that finish soon under valgrind, and the tools through one walkthrough.
set -u
cd "$(dirname "$0")/../.." || exit 70
failed=0 count=0
make --no-print-directory -j"$(nproc)" VARIANT=debug binaries unit >/dev/null || exit
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
	--suppressions=tests/support/pcre2.supp)
for test in build/debug/tests/unit/test_*; do
	case $test in *.o | *.d) continue ;; esac
	# the long ones: the whole JSON Schema suite, hundreds of files, millions of draws, commands
	case $test in
	*schema_suite | *test_settings | *test_pace | *test_volumes | *test_pattern | *core_exec | *test_lab) continue ;;
	*test_ledger | *test_sequences | *test_histogram) continue ;; # millions of notes, too
	esac
	count=$((count + 1))
	CK_FORK=no CK_EXCLUDE_TAGS=no-valgrind timeout 300 "${memcheck[@]}" "$test" >build/valgrind.log 2>&1 || {
		echo "not ok ${test##*/}"
		grep '^==' build/valgrind.log | head -n 30
		failed=1
	}
done
# the command itself is quoted for the shell that lab run starts
# shellcheck disable=SC2016
build/debug/bin/lab run -- bash -c '
	valgrind=("$@")
	"${valgrind[@]}" build/debug/bin/topology apply -s walkthrough -q &&
	"${valgrind[@]}" build/debug/bin/producer -s walkthrough --delay 0 --yes -q &&
	"${valgrind[@]}" build/debug/bin/consumer -s walkthrough --count 20 -f json -q >/dev/null
' bash "${memcheck[@]}" || {
	echo "not ok the walkthrough under valgrind"
	failed=1
}
echo "valgrind: $count unit tests and the walkthrough, $([ $failed -eq 0 ] && echo clean || echo with errors)"
exit $failed
