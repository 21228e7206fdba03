#!/bin/bash
# rpc: what is wrong with a command line or the settings is said before any broker is asked.
. tests/support/tap.sh
cd "$work" || exit
for variable in "${!WARREN_@}"; do [ "$variable" = WARREN_TEST_LAB ] || unset "$variable"; done
export AMQP_URL=amqp://127.0.0.1:1 # where no broker listens

# says TEXT STATUS ARGUMENTS: the first line that is said, and the status.
says() {
	local text=$1 status=$2
	shift 2
	timeout 20 "$BIN/rpc" "$@" >out 2>err </dev/null
	is $? "$status" "rpc $*"
	is "$(head -n 1 err)" "$text" "says: $text"
}
refuses() { says "rpc: $2" "$1" "${@:3}"; }

refuses 64 "call or serve? --help tells"
refuses 64 "unknown command 'ask'; accepted: call, serve" ask
refuses 64 "whom to ask? name the QUEUE of the requests, or give --exchange and --routing-key" call
refuses 64 "what to ask? give a BODY behind the queue, --from FILE or --message NAME" call q
refuses 64 "BODY, --from and --message exclude each other" call q body --from -
refuses 64 "--exchange goes with --routing-key" call --exchange x body
refuses 64 "--from-format goes with --from" call q body --from-format lines
refuses 64 "--jq does not go with call; it goes with serve" call q body --jq .
refuses 64 "--deadline does not go with serve; it goes with call" serve q --echo --deadline 1s
refuses 64 "what answers? give --jq, --exec or --echo, or settings with responders" serve q
refuses 64 "whose requests? name the QUEUE that they come to" serve --echo
refuses 64 "--echo excludes --jq and --exec" serve q --echo --jq .
refuses 64 "--exec-shell, --exec-timeout and --exec-jobs go with --exec" serve q --jq . --exec-jobs 2
refuses 64 "the queue 'q' is named twice" serve q q --echo
refuses 66 "cannot read 'nosuch': No such file or directory" call q --from nosuch

cat >s.yaml <<'END'
queues:
  prices: {}
responders:
  price:
    queue: prices
    core:
      - jq: .amount * 2
  broken: {queue: broken}
messages:
  question: {routing_key: prices, amount: 1, fields: [id]}
END
says "s.yaml:8:19: responders.broken.queue: queue 'broken' is not declared" 78 serve -s s.yaml
sed -i '/broken/d' s.yaml
refuses 64 "the settings have no responder 'prize'; did you mean 'price'?" serve -s s.yaml prize
refuses 64 "the settings have no message 'questions'; did you mean 'question'?" call -s s.yaml --message questions
refuses 69 "cannot connect to 127.0.0.1:1: Connection refused" serve -s s.yaml
sed -i 's/amount \* 2/amount */' s.yaml
says "rpc: s.yaml:7:9: responders.price.core.0: cannot compile the jq expression '.amount *': syntax error, unexpected \$end" 78 serve -s s.yaml
refuses 69 "cannot connect to 127.0.0.1:1: Connection refused" call q body --wait 0
refuses 64 "--deadline is how long a call waits for its reply, not 0" call q body --deadline 0
done_testing
