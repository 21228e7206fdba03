#!/bin/bash
# Runs every test on binaries that count which lines they execute, and says how many of lib/ were.
# coverage.sh [PART OF A NAME]; the files with the most lines left are listed.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 70
find build/cov -name '*.gcda' -delete 2>/dev/null
./tests/support/run.sh cov "${1-}"
status=$?
# gcov says "File 'lib/x.c'" and then "Lines executed:93.75% of 64"
find build/cov/lib -name '*.gcda' -print0 | xargs -0 gcov -n -r 2>/dev/null |
	awk -F"[':% ]+" '/^File/ { file = $2 }
		/^Lines executed/ && file ~ /^lib\/.*\.c$/ { done = $3 * $5 / 100; all += $5; hit += done
			printf "%5d of %5d lines not executed: %s\n", $5 - done + 0.5, $5, file; file = "" }
		END { printf "%.1f %% of %d lines of lib/ are executed\n", 100 * hit / all, all }' >build/coverage.txt
grep 'not executed' build/coverage.txt | sort -rn | head -n 25
tail -n 1 build/coverage.txt
exit $status
