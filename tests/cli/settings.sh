#!/bin/bash
# Malformed settings: each case is refused with status 78 and the lines of its `problems`, before
# anything is done. A try to connect would end with 69: nobody listens at the address given.
# shellcheck disable=SC2317 # the function is called through ok
. tests/support/tap.sh

for variable in "${!WARREN_@}"; do unset "$variable"; done
unset AMQP_URL
# the same values as in tests/unit/test_settings.c, which writes the `problems`
export WARREN_TEST_VALUE='from the environment'
export WARREN_TEST_LINES=$'20\n    weight: 3'
export WARREN_TEST_LIST='[id, email]'
# shellcheck disable=SC2016 # to see that it is not replaced again
export WARREN_TEST_REFERENCE='${WARREN_TEST_VALUE}'

# refused FOLDER/
refused() {
	local folder=$1 status said expected
	timeout 60 "$BIN/producer" -s "${folder}settings.yaml" --url amqp://127.0.0.1:1 --yes \
		>"$work/out" 2>"$work/err" </dev/null
	status=$?
	said=$(<"$work/err") expected=$(<"${folder}problems")
	said=${said//"$folder"/}
	[ "$status" -eq 78 ] || {
		echo "status $status instead of 78"
		echo "$said"
		return 1
	}
	[[ -n $expected && $said == "$expected"$'\n'* ]] || {
		printf 'said:\n%s\nexpected:\n%s\n' "$said" "$expected"
		return 1
	}
	[[ $said != *s3cr3t* && $said != *t3st@* ]] || {
		echo "the password shows: $said"
		return 1
	}
	[ ! -s "$work/out" ] || {
		echo "on stdout: $(head -c 200 "$work/out")"
		return 1
	}
}

for folder in tests/cases/settings/*/; do
	name=${folder%/}
	ok "${name##*/}" refused "$folder"
done
done_testing
