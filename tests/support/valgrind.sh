#!/bin/bash
# Runs the unit tests of what reads foreign bytes under valgrind, and the tools through one walkthrough.
# The sanitizers see the others.
set -u
cd "$(dirname "$0")/../.." || exit 70
failed=0 count=0
make --no-print-directory -j"$(nproc)" binaries unit >/dev/null || exit
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
	--suppressions=tests/support/pcre2.supp)
# those that read what comes from outside
for name in connection frames kept record table text uri; do
	test=build/release/tests/unit/test_$name
	[ -x "$test" ] || continue
	count=$((count + 1))
	CK_FORK=no CK_EXCLUDE_TAGS=no-valgrind timeout 300 "${memcheck[@]}" "$test" >build/valgrind.log 2>&1 || {
		echo "not ok ${test##*/}"
		grep '^==' build/valgrind.log | head -n 30
		failed=1
	}
done
# the command itself is quoted for the shell that lab run starts
# shellcheck disable=SC2016
build/release/bin/lab run -- bash -c '
	valgrind=("$@")
	"${valgrind[@]}" build/release/bin/topology apply -s walkthrough -q &&
	"${valgrind[@]}" build/release/bin/producer -s walkthrough --delay 0 --yes -q &&
	"${valgrind[@]}" build/release/bin/consumer -s walkthrough --count 20 -f json -q >/dev/null
' bash "${memcheck[@]}" || {
	echo "not ok the walkthrough under valgrind"
	failed=1
}
echo "valgrind: $count unit tests and the walkthrough, $([ $failed -eq 0 ] && echo clean || echo with errors)"
exit $failed
