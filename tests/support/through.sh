# shellcheck shell=bash
# through.sh - what the runs with a ledger share: a proxy before the broker, a queue, the judge.
# Source it behind tap.sh, which makes $work, with AMQP_URL set.
work=${work:?}
FAULTS=$PWD/${INSTRUMENTS:-build/release/tests}/faults
cd "$work" || exit

# proxy_up [SEED [FAULTS EVERY_BYTES]]: AMQP_URL then goes through it.
proxy_up() {
	local broker_port
	broker_port=$(sed -nE 's#.*:([0-9]+)(/.*)?$#\1#p' <<<"$AMQP_URL")
	mkfifo commands
	"$FAULTS/proxy" "$broker_port" "$@" <commands >answers 2>proxy.err &
	proxy=$!
	exec 7>commands
	eventually 60 test -s answers || exit 1
	direct_url=$AMQP_URL
	AMQP_URL=$(sed -E "s#:$broker_port(/|\$)#:$(head -n 1 answers)\\1#" <<<"$AMQP_URL")
}
# proxy COMMAND...: and its answer in $answer.
proxy() {
	local before
	before=$(wc -l <answers)
	echo "$*" >&7
	eventually 60 eval "[ \$(wc -l <answers) -gt $before ]"
	answer=$(tail -n 1 answers)
}
# of NAME: a count of the last answer.
of() { sed -nE "s/.* $1=([0-9]+).*/\\1/p" <<<"$answer"; }
proxy_down() {
	local status
	kill "$proxy" && wait "$proxy"
	status=$?
	answer=$(tail -n 1 answers)
	return $status
}
# settings AMOUNT [BODY_BYTES]: one durable queue, one message with a number.
settings() {
	cat >s.yaml <<-END
		queues:
		  ledger: {durable: true}
		messages:
		  m:
		    routing_key: ledger
		    amount: $1
		    fields: {n: {sequence: 1}, text: {text: {length: ${2:-150}}}}
	END
	export WARREN_SETTINGS=$work/s.yaml
	"$BIN/topology" apply --url "${direct_url:-$AMQP_URL}" >applied || exit 1
}
# rest FILE [OPTION...]: what is still in the queue, fetched past the proxy.
rest() {
	deserted ledger
	timeout 60 "$BIN/consumer" ledger --url "${direct_url:-$AMQP_URL}" --until-empty -f json --quiet "${@:2}" >"$1" 2>"$1.err"
}
# judged NAME [OPTION...] FILES: the ledger finds nothing lost and nothing twice without a mark.
judged() {
	local name=$1
	shift
	"$FAULTS/ledger" "$@" >verdict 2>&1
	result $? "$name"
	sed 's/^/#   /' verdict
}
verdict() { sed -nE "s/(.* |^)$1=([0-9]+).*/\\2/p" verdict; }
