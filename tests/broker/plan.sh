#!/bin/bash
# topology plan tells exactly what differs, whatever it is; apply refuses before it changes anything.
. tests/support/tap.sh
. tests/support/api.sh
known=$(sed -n 's/^ *{\("[a-z_]*"\|NULL\), "\(x-[a-z-]*\)", ARGUMENT_.*/\2/p' lib/model/arguments.c | LC_ALL=C sort -u)
use_broker
cd "$work" || exit

# ---- every attribute ----

cat >every.yaml <<'END'
exchanges:
  d: {arguments: {alternate-exchange: f, x-own: {deep: [1, 2.5, {a: true}], n: 3}}}
  t: {type: topic, auto_delete: true}
  f: {type: fanout, durable: false}
  h: {type: headers, internal: true}
queues:
  classic:
    durable: true
    message_ttl: 1m
    expires: 1h
    max_length: 5
    max_length_bytes: 1KiB
    overflow: drop-head
    max_priority: 9
    single_active_consumer: true
    dead_letter_exchange: f
    dead_letter_routing_key: k
    queue_mode: lazy
    queue_version: 1
    arguments:
      x-queue-master-locator: client-local
      x-consumer-timeout: 60000
      x-message-deduplication: true
      x-cache-size: 100
      x-cache-ttl: 5
      x-cache-persistence: memory
      x-own-byte: {$type: int8, value: 5}
      x-own-real: 5.0
      x-own-float: {$type: float, value: 1.5}
      x-own-time: {$type: timestamp, value: 1700000000}
      x-own-bytes: {$type: bytes, value: "//79"}
      x-own-decimal: {$type: decimal, scale: 2, value: 1234}
      x-own-list: [1, "two", 3.0]
      x-own-table: {a: {b: 1}}
  brief: {durable: false, auto_delete: true, arguments: {x-message-ttl: {$type: int32, value: 1000}}}
  quorum:
    type: quorum
    overflow: reject-publish
    dead_letter_exchange: f
    dead_letter_strategy: at-least-once
    delivery_limit: 3
    initial_group_size: 1
    leader_locator: balanced
    max_in_memory_length: 100
    max_in_memory_bytes: 1MiB
    arguments:
      x-quorum-target-group-size: 1
      x-delayed-retry-type: all
      x-delayed-retry-min: 1000
      x-delayed-retry-max: 2000
  stream: {type: stream, max_age: 7d, max_segment_size: 1MB, initial_group_size: 1, filter_size: 32}
  bound:
  jobs: {retry: {attempts: 3, delay: {from: 1s, to: 2s}}}
bindings:
  - {exchange: d, queue: bound, routing_key: k}
  - {exchange: d, queue: bound, routing_key: l, arguments: {x-own: 1}}
  - {exchange: t, queue: bound, routing_key: "#.a.*"}
  - {exchange: t, to_exchange: h, routing_key: "b.#"}
  - {exchange: f, queue: bound}
  - {exchange: h, queue: bound, match: all, headers: {text: pdf, flag: true, int: 3, real: 2.0, none: null,
      short: {$type: int16, value: 7}, time: {$type: timestamp, value: 1700000000}, money: {$type: decimal, scale: 2, value: 1234},
      raw: {$type: bytes, value: "//79"}, list: [1, "a"], table: {a: 1}}}
  - {exchange: h, queue: bound, match: any-with-x, headers: {x-a: 1}}
END
used=$("$BIN/topology" show -s every.yaml -f json | jq -r '.arguments | keys[]' | LC_ALL=C sort -u)
is "$(LC_ALL=C comm -13 <(echo "$used") <(echo "$known"))" "" "the topology has every argument that warren knows"
ok "and those are $(wc -w <<<"$known")" test "$(wc -w <<<"$known")" -ge 30
status_is 1 "plan before anything is there: exit 1" "$BIN/topology" plan -s every.yaml
is "$(grep -c '^+' out) $(tail -n 1 out)" "20 20 to create, 0 equal" "everything is to create"
like "$(cat out)" '^\+ exchange t  topic durable auto-delete$' "with what it will be"
like "$(cat out)" '^\+ binding d -> bound \[l\] \{"x-own":1\}$' "and so are bindings"
status_is 0 "apply" "$BIN/topology" apply -s every.yaml
status_is 0 "then plan: exit 0" "$BIN/topology" plan -s every.yaml
is "$(cat out)" "20 equal" "and nothing to tell"
status_is 0 "plan --format json" "$BIN/topology" plan -s every.yaml -f json
is "$(jq -r '.change // empty' out | sort | uniq -c | tr -s ' ')" " 20 equal" "has each object as equal"
is "$(jq -c 'select(.plan) | [.plan.equal, .plan.differs, .through]' out)" '[20,0,"http"]' "and the counts at the end"
is "$("$BIN/topology" plan -s every.yaml -v | grep -c '^=')" 20 "--verbose lists them as well"
definitions -S . >before
"$BIN/topology" apply -s every.yaml >again 2>&1
is "$?" 0 "apply once more"
ok "changes nothing" cmp before <(definitions -S .)
(unset RABBITMQ_MANAGEMENT_URL; "$BIN/topology" plan -s every.yaml) >amqp 2>&1
is "$?" 0 "plan over AMQP alone: exit 0"
is "$(head -n 1 amqp)" "7 not seen, 13 equal" "it counts what it cannot see"
like "$(cat amqp)" '^over AMQP alone: bindings cannot be seen, .*--management' "and says so"

# ---- one attribute changed by hand ----

cat >change.jq <<'END'
def other: if type == "number" then . + 1 elif type == "boolean" then not elif type == "array" then . + [1]
	elif type == "object" then . + {z: 1}
	else ({"drop-head": "reject-publish", "reject-publish": "drop-head", lazy: "default", balanced: "client-local",
		"client-local": "min-masters", "at-least-once": "at-most-once", "7D": "8D",
		direct: "topic", topic: "direct", fanout: "direct", headers: "direct"}[.] // . + "2") end;
END
# put KIND NAME OBJECT: deleted, and made anew.
put() {
	api DELETE "$1/$vhost/$2" >/dev/null
	api PUT "$1/$vhost/$2" "$3" >put.out
	[ ! -s put.out ]
}
# told KIND NAME ATTRIBUTE OBJECT: plan names this attribute of this object, and nothing else.
told() {
	local why status
	put "$1" "$2" "$4" || { cat put.out; return 1; }
	"$BIN/topology" plan -s every.yaml -f json >plan.out 2>plan.err
	status=$?
	why=$(jq -c 'select(.change and .change != "equal") | [.change, .object, .name, [.attributes[]?.attribute]]' plan.out)
	[ "$status $why" = "1 [\"differs\",\"${1%s}\",\"$2\",[\"$3\"]]" ] || { echo "$status $why"; return 1; }
}
# each KIND NAME...: changes one attribute after the other, each back to what it was before the next.
each() {
	local name attribute object
	for name in "${@:2}"; do
		object=$(jq -c --arg n "$name" ".$1[] | select(.name == \$n) | del(.name, .vhost)" before)
		for attribute in $(jq -r '(.arguments | keys[] | select(. != "x-queue-type")), (del(.arguments) | keys[])' <<<"$object"); do
			case $name.$attribute in
				quorum.durable | quorum.auto_delete | stream.durable | stream.auto_delete) continue ;; # the broker has no such
			esac
			ok "$name: $attribute" told "$1" "$name" "$attribute" "$(jq -c -L . --arg a "$attribute" \
				'include "change"; if has($a) then .[$a] |= other else .arguments[$a] |= other end' <<<"$object")"
		done
		ok "$name: an argument more" told "$1" "$name" x-more "$(jq -c '.arguments["x-more"] = 1' <<<"$object")"
		put "$1" "$name" "$object"
	done
}
each queues classic brief quorum stream
ok "the type of a queue" told queues jobs type '{"durable": true, "arguments": {"x-queue-type": "quorum"}}'
put queues jobs '{"durable": true, "arguments": {"x-queue-type": "classic"}}'
ok "what is put back is equal again" "$BIN/topology" plan -s every.yaml

# exchanges without bindings, which would go with them
sed '/^queues:/,$d' every.yaml >exchanges.yaml
"$BIN/topology" delete -s every.yaml -q
"$BIN/topology" apply -s exchanges.yaml -q
cp exchanges.yaml every.yaml
each exchanges d t f h

# ---- bindings ----

cat >every.yaml <<'END'
exchanges:
  h: {type: headers}
queues:
  q:
bindings:
  - {exchange: h, queue: q, match: all, routing_key: k, headers: {text: pdf, flag: true, int: 3, table: {a: [1]}}}
END
"$BIN/topology" delete -s exchanges.yaml -q
"$BIN/topology" apply -s every.yaml -q
binding='{"routing_key":"k","arguments":{"x-match":"all","text":"pdf","flag":true,"int":3,"table":{"a":[1]}}}'
# bound NAME CHANGE: a binding that differs so much is another one, beside ours.
bound() {
	local other
	other=$(jq -c "$2" <<<"$binding")
	api POST "bindings/$vhost/e/h/q/q" "$other" >post.out
	"$BIN/topology" plan -s every.yaml -f json >plan.out 2>plan.err
	is "$? $(jq -cS 'select(.change and .change != "equal") | [.change, .exchange, .queue, .routing_key, .arguments]' plan.out)" \
		"1 $(jq -cS '["undeclared", "h", "q", .routing_key, .arguments]' <<<"$other")" "a binding with $1"
	api DELETE "bindings/$vhost/e/h/q/q/$(api GET "bindings/$vhost/e/h/q/q" | jq -r --argjson b "$other" \
		'.[] | select(.routing_key == $b.routing_key and .arguments == $b.arguments) | .properties_key')" >delete.out
}
bound "another key" '.routing_key = "l"'
bound "another match" '.arguments["x-match"] = "any"'
bound "another text" '.arguments.text = "doc"'
bound "another flag" '.arguments.flag = false'
bound "another number" '.arguments.int = 4'
bound "another table" '.arguments.table = {a: [2]}'
bound "a header more" '.arguments.more = 1'
ok "and when they are gone, all is equal" "$BIN/topology" plan -s every.yaml
api DELETE "bindings/$vhost/e/h/q/q/$(api GET "bindings/$vhost/e/h/q/q" | jq -r '.[0].properties_key')" >delete.out
status_is 1 "one that is gone: exit 1" "$BIN/topology" plan -s every.yaml
like "$(head -n 1 out)" '^\+ binding h -> q \[k\] \{' "is to create"
status_is 0 "apply makes it again" "$BIN/topology" apply -s every.yaml
ok "and all is equal" "$BIN/topology" plan -s every.yaml

# ---- what is not declared ----

api PUT "queues/$vhost/q.retry.1s" '{"arguments":{}}' >put.out
api PUT "queues/$vhost/app.q" '{"arguments":{}}' >put.out
api PUT "exchanges/$vhost/app.x" '{"type":"fanout"}' >put.out
status_is 1 "a wait queue of a policy that is no more: exit 1" "$BIN/topology" plan -s every.yaml
is "$(cat out)" "- queue q.retry.1s  (made by a retry policy that the settings do not have any more)
1 not declared, 3 equal" "it is told; what is nobody's of ours is not"
"$BIN/topology" plan -s every.yaml --prefix app. >out 2>err
is "$? $(grep '^-' out | tr '\n' ' ')" "1 - exchange app.x - queue app.q - queue q.retry.1s  (made by a retry policy that the settings do not have any more) " \
	"with --prefix what begins so, too"
status_is 64 "--prefix over AMQP alone: exit 64" env -u RABBITMQ_MANAGEMENT_URL "$BIN/topology" plan -s every.yaml --prefix app.
status_is 64 "--prefix is for plan" "$BIN/topology" apply -s every.yaml --prefix app.
for q in q.retry.1s app.q; do api DELETE "queues/$vhost/$q" >/dev/null; done

# ---- policies ----

"$BIN/topology" apply -s every.yaml --set queues.p.message_ttl=1m -q
api PUT "policies/$vhost/short" '{"pattern":"^p$","definition":{"message-ttl":500,"max-length":7}}' >put.out
noted() { "$BIN/topology" plan -s every.yaml --set queues.p.message_ttl="$1" >out 2>err && grep -c '^    note: ' out; }
ok "a policy is noted" eventually 30 noted 1m
is "$(LC_ALL=C sort out)" "    note: policy 'short' sets max-length to 7
    note: policy 'short' sets message-ttl to 500
4 equal
= queue p" "where it gives what the settings do not ask for, and all is equal nevertheless"
api DELETE "queues/$vhost/p" >/dev/null
"$BIN/topology" apply -s every.yaml --set queues.p.message_ttl=0.1 -q
ok "once more" eventually 30 noted 0.1
is "$(grep note: out)" "    note: policy 'short' sets max-length to 7" "but not where the settings ask for less"
api DELETE "policies/$vhost/short" >/dev/null
api DELETE "queues/$vhost/p" >/dev/null

# ---- apply refuses before it changes anything ----

cat >s.yaml <<'END'
exchanges: {x: {type: topic}}
queues: {a: {max_length: 5, message_ttl: 1s}, b: }
END
"$BIN/topology" apply -s s.yaml -q
definitions -S . >before
new=(--set exchanges.new.type=fanout --set queues.a.max_length=6 --set queues.a.message_ttl=2s --set queues.a.queue_mode=lazy --set exchanges.x.type=direct)
# refused NAME COMMAND...: each attribute of each object, and what resolves it.
refused() {
	local part
	status_is 76 "$1: exit 76" "${@:2}"
	is "$(wc -l <err)" 2 "$1: a sentence an object"
	like "$(cat err)" "^topology: exchange 'x' exists .*; change the settings, or delete it first: topology delete x -s s.yaml$" "$1: the exchange"
	like "$(cat err)" "^topology: queue 'a' exists .*; move it: topology apply --migrate a -s s.yaml; or change .*topology delete a -s s.yaml \(nothing was changed\)$" "$1: the queue"
	for part in "'type': you asked for 'direct', it is 'topic'" "'x-max-length': you asked for 6, it is 5" \
		"'x-message-ttl': you asked for 2000, it is 1000" "'x-queue-mode': you asked for 'lazy', it is none"; do
		like "$(cat err)" "another $part" "$1: $part"
	done
	ok "$1: nothing was changed" cmp before <(definitions -S .)
}
refused "apply of what differs" "$BIN/topology" apply -s s.yaml "${new[@]}"
refused "the same over AMQP alone" env -u RABBITMQ_MANAGEMENT_URL "$BIN/topology" apply -s s.yaml "${new[@]}"
status_is 0 "the API of another port: apply goes on over AMQP" "$BIN/topology" apply -s s.yaml --management http://127.0.0.1:1
like "$(cat err)" 'going on over AMQP alone' "and says so"
status_is 69 "plan does not: exit 69" "$BIN/topology" plan -s s.yaml --management http://127.0.0.1:1
done_testing
