#!/bin/bash
# Sessions whose bytes are damaged on their way, by a seed each: no crash, no hang, no status that is
# not documented, no control byte, little memory. make test plays MUTANTS=300; all of them:
#   make test VARIANT=asan T=mutants MUTANTS=5000
. tests/support/tap.sh
HOSTILE=$PWD/${INSTRUMENTS:-build/release/tests}/faults/hostile MEASURE=$PWD/${INSTRUMENTS:-build/release/tests}/faults/measure
cd "$work" || exit
GIVE_UP="--give-up-after 0" # ends a tool at its first loss
MUTANTS=${MUTANTS:-300} MUTANTS_SECONDS=${MUTANTS_SECONDS:-$((450 + MUTANTS / 4))} SEED=${SEED:-1}
MOST_KIB=65536 CHUNK=50 MOST_S=30
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=print_stacktrace=1
yes message | head -n 30 >lines

# run SEED: one session; which tool it is goes by the seed, too.
run() {
	local seed=$1 tool=consumer status
	case $((seed % 4)) in
	0) set -- q -f json --idle 1s ;;
	1) set -- q -f pretty --idle 1s --no-quiet ;;
	2) set -- q -f json --idle 1s --filter '.n == 1' --unmatched reject ;;
	3) tool=producer && set -- --from ../lines --routing-key q --mandatory -f json ;;
	esac
	# shellcheck disable=SC2086 # no word or several
	"$MEASURE" took $MOST_S "$BIN/$tool" --quiet $GIVE_UP "$@" >out 2>err </dev/null
	status=$(sed -n 's/.* status=\([0-9a-z]*\) .*/\1/p' took)
	echo "$status $(sed -n 's/.* kib=//p' took)" >>played
	case $status in 0 | 1 | 65 | 69 | 76 | 77) ;; *)
		{ echo "hostile fuzz $seed: $tool $*: status $status" && tail -n 30 err; } >>bad
		;;
	esac
	! grep -qE '^(consumer|producer): *$' err || echo "hostile fuzz $seed: $tool $*: an empty error" >>bad
	if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' out err || grep -q s3cr3t out err; then
		echo "hostile fuzz $seed: $tool $*: control bytes, or the password" >>bad
	fi
}
# chunk SEED: some of them at one broker; a tool that does not come to it would put the seeds out of step.
chunk() {
	local seed=$1 end=$(($1 + CHUNK))
	mkdir "c$1" && cd "c$1" || return
	"$HOSTILE" fuzz "$seed" >port &
	local hostile=$!
	eventually 60 test -s port || return
	AMQP_URL="amqp://user:s3cr3t@127.0.0.1:$(cat port)?heartbeat=1&connection_timeout=2000"
	export AMQP_URL
	for (( ; seed < end && SECONDS < MUTANTS_SECONDS; seed++)); do run "$seed"; done
	kill -9 $hostile
}
for ((seed = SEED; seed < SEED + MUTANTS && SECONDS < MUTANTS_SECONDS; seed += CHUNK)); do
	while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
	chunk $seed 2>/dev/null &
done
wait
cat c*/played >played
is "$(cat c*/bad 2>/dev/null | head -n 100)" "" "no session crashes a tool, hangs it or gets through it"
is "$(wc -l <played)" "$(((MUTANTS + CHUNK - 1) / CHUNK * CHUNK))" "all sessions were played within $MUTANTS_SECONDS s"
echo "# statuses: $(cut -d' ' -f1 played | sort | uniq -c | awk '{printf "%s x %s, ", $2, $1}')"
most=$(cut -d' ' -f2 played | sort -n | tail -n 1)
case $BIN in
*/release/*) ok "the most memory was $most KiB" test "$most" -le $MOST_KIB ;;
*) echo "# the most memory was $most KiB, the sanitizers' own among it" ;;
esac
# A session that is not damaged at all would prove nothing: most must end in a refusal.
ok "most damages were noticed" test "$(grep -cE '^(76|69|77)' played)" -ge $((MUTANTS / 4))
done_testing
