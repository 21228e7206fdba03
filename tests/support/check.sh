#!/bin/bash
# What is checked beside the tests: layout, the law of includes, names, both compilers, analysis.
set -u
cd "$(dirname "$0")/../.." || exit 70
./tests/support/deps.sh lint || exit
failed=0
step() {
	local name=$1
	shift
	if "$@" >build/check.log 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		tail -n 40 build/check.log
		failed=$((failed + 1))
	fi
}
mkdir -p build
step "clang-format leaves every file as it is" make --no-print-directory format-check
step "includes go down lib/ORDER, public names are addresses" ./tests/support/house.sh
step "gcc builds without a warning" make --no-print-directory -j"$(nproc)" VARIANT=release EXTRA=-Werror \
	binaries unit instruments
step "clang builds without a warning, with sanitizers" make --no-print-directory -j"$(nproc)" VARIANT=asan EXTRA=-Werror \
	binaries unit instruments fuzzers
step "cppcheck, clang-tidy and shellcheck have nothing to say" ./tests/support/lint.sh
[ $failed -eq 0 ]
