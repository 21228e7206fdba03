#!/bin/bash
# Dead letters of every kind are told, and brought back without losing one, on both kinds of queue.
. tests/support/tap.sh
use_broker
cd "$work" || exit

# deadletters, as called below, begins when what the one before it has looked at is back in the queue:
# that is soon, but not at once. How many there are stands in the file `there`.
there() { echo "$1" >"$work/there"; }
mkdir tools
cat >tools/deadletters <<-'END'
	#!/bin/bash
	. "$TOOLS/look"
	are_back() { [ ! -s "$TOOLS/../there" ] || has dead "$(cat "$TOOLS/../there")"; }
	eventually 60 are_back
	exec "$BIN/deadletters" "$@"
END
chmod +x tools/deadletters
export BIN TOOLS=$work/tools
PATH=$TOOLS:$BIN:$PATH
count() { "$BIN/topology" show -s "$work/s.yaml" -f json | jq --arg q "$1" 'select(.object == "queue" and .name == $q) | .ready'; }
has() { [ "$(count "$1")" = "$2" ]; }
# plain: records without what looking itself changes; x-delivery-count may be the only header
plain() { jq -cS 'del(.redelivered, .death, .properties.headers["x-delivery-count"]) | if .properties.headers == {} then del(.properties.headers) else . end'; }
{ declare -f eventually count has && printf 'work=%q\n' "$work"; } >tools/look
# look QUEUE: what is in it, in its order; then it is there again
look() {
	"$BIN/consumer" "$1" --ack requeue --until-empty -f json -q --prefetch 65535 |
		plain >looked
	eventually 60 has "$1" "$(wc -l <looked)"
	cat looked
}
drain() { timeout 60 "$BIN/consumer" "$1" --until-empty -f json -q; }
send() { "$BIN/producer" --from - -q; }
reject() { timeout 60 "$BIN/consumer" "$1" --ack reject --until-empty -f none -q; }
# message N EXCHANGE KEY: a line for producer --from with every property and every type of header
message() {
	jq -cn --arg id "m$1" --argjson n "$1" --arg exchange "$2" --arg key "$3" '{exchange: $exchange, routing_key: $key,
		properties: {message_id: $id, content_type: "application/json", content_encoding: "identity", delivery_mode: 2, priority: 3,
			correlation_id: "c", reply_to: "r", timestamp: 1700000000, type: "t", user_id: "guest", app_id: "a",
			headers: {i: $n, s: "text", d: 1.5, t: true, v: null, a: [1, "x"], f: {deep: {deeper: 1}}, u8: {"$type": "uint8", value: 7},
				time: {"$type": "timestamp", value: 1700000000}, x: {"$type": "bytes", value: "AP8="}, D: {"$type": "decimal", scale: 2, value: 1234},
				float: {"$type": "float", value: 0.5}, odd: {"$type": "string", value: "/w=="}}},
		body: ({n: $n} | tojson)}'
}
# messages FROM TO EXCHANGE KEY: the same with other numbers, quickly
messages() {
	message 0 "$3" "$4" | jq -c --argjson from "$1" --argjson to "$2" '. as $m | range($from; $to + 1) |
		. as $n | $m | .properties.message_id = "m\($n)" | .properties.headers.i = $n | .body = "{\"n\":\($n)}"'
}
without_marks() { jq -cS 'del(.redelivered, .queue, .properties.headers["x-warren-returned", "x-warren-resent", "x-delivery-count"])' | sort; }
ids() { jq -r .properties.message_id | sort; }

for type in classic quorum; do
	: >there
	cat >s.yaml <<-END
		exchanges:
		  order: {type: topic}
		  dlx: {type: fanout}
		queues:
		  dead: {type: $type}
		  work: {type: $type, arguments: {x-dead-letter-exchange: dlx}}
		  short: {arguments: {x-dead-letter-exchange: dlx, x-message-ttl: 1}}
		  full: {arguments: {x-dead-letter-exchange: dlx, x-max-length: 1}}
		  limited: {type: quorum, arguments: {x-dead-letter-exchange: dlx, x-delivery-limit: 1}}
		  paid: {type: $type, retry: {attempts: 2, delay: 10ms}, dead_letter: dead}
		  s: {type: stream}
		bindings:
		  - {exchange: order, queue: work, routing_key: order.*}
		  - {exchange: dlx, queue: dead}
	END
	ok "$type: the queues are made" "$BIN/topology" apply -s s.yaml

	# ---- list: every reason there is ----

	messages 1 3 order order.new | send
	reject work
	message 4 '' short | send
	messages 5 6 '' full | send
	message 7 '' limited | send
	give_up() { "$BIN/consumer" limited --ack requeue --until-empty -f none -q; has dead 6; }
	ok "$type: messages die in four ways" eventually 60 give_up
	jq -cn '{exchange: "", routing_key: "dead", body: "\u001b]0;title\u0007\u009b\u202e", properties: {message_id: "p\u001b[2J",
		headers: {"x-warren-reason": "attempts", "x-warren-error": "exit \u001b[31m1\nand more", "x-warren-queue": "work", "x-warren-exchange": "order",
			"x-warren-routing-key": "order.new", "x-warren-time": {"$type": "timestamp", value: 1700000000}, "x-warren-attempts": 3}}}' | send
	echo '{"exchange":"","routing_key":"dead","body":"from nowhere"}' | send
	ok "$type: and others are put beside them" eventually 60 has dead 8
	there 8
	look dead >before
	deadletters list dead -f json 2>err | jq -c '[.count, .reason, .queue, .error]' | sort >groups
	is "$(cat groups)" "$(sort <<-'END'
		[3,"rejected","work",null]
		[1,"expired","short",null]
		[1,"maxlen","full",null]
		[1,"delivery_limit","limited",null]
		[1,"attempts","work","exit \u001b[31m1\nand more"]
		[1,"unknown",null,null]
	END
	)" "$type: list groups them by reason, queue and error"
	deadletters list dead >table 2>/dev/null
	is "$(awk 'length > 80' table | wc -l)" 0 "$type: the table has at most 80 columns"
	is "$(head -n 4 table | tail -n 3 | sed 's/  *[0-9]*s  *[0-9]*s$//')" "$(printf '%s\n' '      3  rejected         work' '         first  m1  {"n":1}' '         last   m3  {"n":3}')" \
		"$type: with the first and the last of each group"
	deadletters show dead >shown 2>/dev/null
	is "$(cat table shown | LC_ALL=C tr -d '\12\40-\176' | wc -c)" 0 "$type: no foreign byte reaches the terminal"
	like "$(cat shown)" 'died: rejected in queue .work., 1 time, 20.*; sent to exchange .order. with key .order.new.' "$type: show tells the history"
	like "$(cat shown)" 'error: exit .x1b\[31m1.nand more' "$type: and the error"
	deadletters show dead -f json 2>/dev/null >records
	is "$(plain <records)" "$(cat before)" "$type: show -f json is the record, in the order of the queue"
	is "$(jq -c 'select(.properties.message_id == "m1") | .death | del(.time)' records)" '{"reason":"rejected","queue":"work","exchange":"order","routing_key":"order.new","count":1}' "$type: and how it died"

	# ---- selecting ----

	# a quorum queue puts what was looked at behind the rest
	in_order() { if [ $type = classic ]; then cat; else sort; fi; }
	selected() { deadletters show dead -f json -q "$@" | jq -r '.properties.message_id // .body' | in_order | paste -sd' '; }
	is "$(selected --reason rejected)" 'm1 m2 m3' "$type: --reason selects"
	is "$(selected --queue full)" m5 "$type: --queue selects where it died"
	is "$(selected --id m2 --id m7 --id nosuch)" "$(printf 'm2 m7')" "$type: --id selects, several times"
	is "$(selected --jq '.n > 1 and .n < 4')" 'm2 m3' "$type: --jq selects by the body"
	is "$(selected --jq '$death.reason == "maxlen" or $headers.i == 1' | tr ' ' '\n' | sort | paste -sd' ')" 'm1 m5' "$type: and by \$death and \$headers"
	is "$(selected --limit 2)" 'm1 m2' "$type: --limit takes the first"
	is "$(selected --older-than 365d)" $'p\e[2J' "$type: --older-than knows only what has a time"
	is "$(selected --reason nosuch)" '' "$type: nothing selected is nothing shown"
	status_is 64 "$type: --dry-run is not for list" deadletters list dead --dry-run
	status_is 64 "$type: without a terminal, return needs --yes" deadletters return dead
	status_is 64 "$type: into the same queue it does not go" deadletters return dead --yes --exchange '' --routing-key dead
	status_is 76 "$type: an exchange that does not exist is refused" deadletters return dead --yes --exchange nosuch
	status_is 76 "$type: a queue that does not exist, too" deadletters list nosuch
	status_is 76 "$type: and a stream" deadletters list s
	like "$(cat err)" 'not in streams' "$type: which is told"

	# ---- dry runs change nothing ----

	deadletters return dead --dry-run -f json 2>/dev/null | jq -c '[.count, .exchange, .routing_key, .stays]' | sort >plan
	is "$(cat plan)" "$(sort <<-'END'
		[3,"order","order.new",null]
		[1,"","short",null]
		[1,"","full",null]
		[1,"","limited",null]
		[1,"order","order.new",null]
		[1,null,null,"nothing on it tells where it came from (--exchange sends it)"]
	END
	)" "$type: return --dry-run tells what would go where"
	ok "$type: purge --dry-run succeeds" deadletters purge dead --dry-run
	look dead >after
	ok "$type: all that leaves the queue as it was, byte for byte" cmp <(in_order <before) <(in_order <after)

	# ---- return ----

	status_is 1 "$type: what nobody can tell the origin of stays, exit 1" deadletters return dead --yes --reason unknown --summary json
	is "$(tail -n 1 err | jq -c '[.returned, .stayed]')" '[0,1]' "$type: counted"
	status_is 0 "$type: but goes where it is sent" deadletters return dead --yes --reason unknown --exchange order --routing-key order.x
	there 7
	status_is 1 "$type: what nobody takes stays, exit 1" deadletters return dead --yes --reason rejected --exchange order --routing-key nobody --summary json
	is "$(tail -n 1 err | jq -c '[.returned, .unroutable]')" '[0,3]' "$type: counted"
	is "$(selected --reason rejected)" 'm1 m2 m3' "$type: in its place"
	status_is 0 "$type: to the queue where it died" deadletters return dead --yes --id m2 --to-queue
	there 6
	status_is 0 "$type: a parked one to where it came from" deadletters return dead --yes --reason attempts
	there 5
	is "$(drain work | jq -c '[.properties.message_id, .exchange, .routing_key, (.properties.headers | keys - ["i", "s", "d", "t", "v", "a", "f", "u8", "time", "x", "D", "float", "odd"])]')" \
		"$(printf '%s\n' '[null,"order","order.x",["x-warren-resent","x-warren-returned"]]' '["m2","","work",["x-warren-resent","x-warren-returned"]]' '["p\u001b[2J","order","order.new",["x-warren-resent","x-warren-returned"]]')" \
		"$type: all arrive, with nothing of their death, and marked: somebody has looked at them"
	is "$(selected --reason rejected)" 'm1 m3' "$type: and are gone here"
	deadletters purge dead --yes -q

	messages 1 1000 order order.new >sent
	send <sent
	reject work
	ok "$type: a thousand are dead" eventually 60 has dead 1000
	there 1000
	look dead >before
	status_is 0 "$type: return brings them back" deadletters return dead --yes --summary json
	is "$(jq -c '[.returned, .looked_at, .nacked, .unconfirmed, .stayed]' err)" '[1000,1000,0,0,0]' "$type: all of them"
	drain work >came
	is "$(jq -r .properties.message_id came | paste -sd' ')" "$(jq -r .properties.message_id sent | paste -sd' ')" "$type: in order"
	ok "$type: with every header and property as they were sent" cmp <(without_marks <came) <(without_marks <sent)
	is "$(jq -c '.properties.headers["x-warren-returned"]' came | sort | uniq -c | xargs)" '1000 1' "$type: each knows that it came back once"
	ok "$type: and the dead letters are gone" eventually 60 has dead 0
	messages 1 1 order order.new | send
	reject work
	ok "$type: one is dead" eventually 60 has dead 1
	there 1
	deadletters return dead --yes -q
	is "$(drain work | jq -c '.properties.headers["x-warren-resent"]')" null "$type: what nobody had before is not marked as resent"

	# ---- what warren's retry policy has parked ----

	message 1 '' paid | jq -c '.properties += {expiration: "600000"} | .properties.headers.CC = ["nobody"]' >sent
	send <sent
	"$BIN/consumer" -s s.yaml paid --exec false --until-empty -f none -q 2>/dev/null
	ok "$type: a message is parked" eventually 60 has dead 1
	is "$(deadletters show dead -f json -q | jq -c '.death | del(.time)')" '{"reason":"rejected","error":"ended with status 1","queue":"paid","exchange":"","routing_key":"paid","count":1}' "$type: why is told"
	status_is 0 "$type: it goes back" deadletters return dead --yes
	is "$(drain paid | without_marks)" "$(jq -c 'del(.properties.expiration, .properties.user_id) | .properties.headers["x-warren-user-id"] = "guest"' sent | without_marks)" \
		"$type: as it was, but for its lifetime and its user"

	# ---- the loop guard, and messages that would end a channel ----

	round() { reject work && eventually 60 has dead 1 && deadletters return dead --yes "$@"; }
	message 1 order order.new | send
	ok "$type: three times it comes back" eval 'round -q && round -q && round -q'
	round --summary json 2>err >/dev/null
	is "$? $(tail -n 1 err | jq -c '[.returned, .stayed]')" '1 [0,1]' "$type: the fourth time it stays, exit 1"
	like "$(cat err)" '1 stayed: it has come back as often as --max-returns allows' "$type: and is told why"
	status_is 0 "$type: unless --max-returns says more" deadletters return dead --yes --max-returns 4
	ok "$type: or --force" round -q --force --max-returns 1
	is "$(drain work | jq -c '.properties.headers["x-warren-returned"]')" 5 "$type: it goes on counting"
	ctl() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- "$@" >/dev/null 2>&1; }
	ctl add_user "other$vhost" secret && ctl set_permissions -p "$vhost" "other$vhost" '.*' '.*' '.*'
	message 1 order order.new | jq -c --arg u "other$vhost" '.properties.user_id = $u' |
		AMQP_URL=${AMQP_URL/guest:guest/other$vhost:secret} "$BIN/producer" --from - -q
	jq -cn '{exchange: "", routing_key: "dead", body: "gone", properties: {message_id: "gone", headers: {"x-warren-reason": "rejected", "x-warren-exchange": "nosuch", "x-warren-routing-key": "k"}}},
		{exchange: "", routing_key: "dead", body: "own", properties: {message_id: "own", headers: {"x-death": [{exchange: "amq.rabbitmq.trace", "routing-keys": ["k"]}]}}},
		{exchange: "", routing_key: "dead", body: "long", properties: {message_id: "long", headers: {"x-death": [{exchange: "order", "routing-keys": ["k" * 300]}]}}},
		{exchange: "", routing_key: "dead", body: "here", properties: {message_id: "here", headers: {"x-death": [{exchange: "", "routing-keys": ["dead"]}]}}}' | send
	reject work
	ok "$type: five messages of bad manners" eventually 60 has dead 5
	there 5
	status_is 1 "$type: one that claims another user, and those without a way, end no run" deadletters return dead --yes --summary json
	is "$(tail -n 1 err | jq -c '[.returned, .stayed, .nacked, .unsigned]')" '[1,3,1,1]' "$type: all are counted"
	is "$(drain work | jq -c '[.properties.message_id, .properties.user_id, .properties.headers["x-warren-user-id"]]')" "[\"m1\",null,\"other$vhost\"]" "$type: the one comes back, and its user is a header now"
	ctl delete_user "other$vhost"
	there 4
	jq -cn '{exchange: "order", routing_key: "order.new", body: "", properties: {message_id: "cc", headers: {CC: ["order.copy"]}}}' | send
	drain work >/dev/null
	jq -cn '{exchange: "", routing_key: "dead", body: "", properties: {message_id: "cc", headers: {CC: ["limited"], "x-death": [{queue: "work", exchange: "", "routing-keys": ["work"]}]}}}' | send
	drain limited >/dev/null
	there 5
	status_is 0 "$type: CC is for where it came from, not for one queue" deadletters return dead --id cc --to-queue --yes
	is "$(drain work | jq -r .properties.message_id) $(count limited)" 'cc 0' "$type: one copy, no other"
	there 4

	# ---- many that stay ----

	deadletters purge dead --id cc --yes -q
	jq -cn 'range(3000) | {exchange: "", routing_key: "dead", body: "", properties: {message_id: "s\(.)", headers: {"x-warren-reason": "rejected", "x-warren-exchange": "order",
		"x-warren-routing-key": (if . < 2500 then "nobody" else "order.new" end)}}}' | send
	there 3004
	eventually 60 has dead 3004
	look dead >all
	head -n $(($(wc -l <all) - 500)) all >before
	status_is 1 "$type: what stays is tried once" deadletters return dead --reason rejected --yes --summary json
	is "$(tail -n 1 err | jq -c '[.returned, .unroutable]')" '[500,2500]' "$type: and not in the way of what goes"
	there 2504
	eventually 60 has dead 2504
	look dead >after
	ok "$type: it keeps its place" cmp <(in_order <before) <(in_order <after)
	drain work >/dev/null
	deadletters purge dead --jq '$headers["x-warren-routing-key"] == "nobody"' --yes -q

	# ---- purge ----

	rm -f saved.jsonl
	there 4
	status_is 0 "$type: purge deletes what is selected" deadletters purge dead --yes --id own --id gone --save saved.jsonl --summary json
	is "$(jq -c '[.purged, .looked_at]' err) $(jq -r .properties.message_id saved.jsonl | paste -sd' ') $(stat -c %a saved.jsonl)" '[2,4] gone own 600' "$type: and writes it down first, for us alone"
	there 2
	is "$(selected)" "$(printf '%s\n' long here | in_order | paste -sd' ')" "$type: the others stay"
	status_is 74 "$type: what cannot be written is not deleted" deadletters purge dead --yes --save /dev/full
	status_is 73 "$type: nor when there is no file" deadletters purge dead --yes --save /nosuch/file
	is "$(selected)" "$(printf '%s\n' long here | in_order | paste -sd' ')" "$type: they are still there"
	ask() { script -qefc "deadletters purge dead" /dev/null <<<"$1" >asked 2>&1; }
	ask n
	like "$(cat asked)" "purge 2 messages of queue 'dead'\? \[y/N\]" "$type: on a terminal it asks"
	is "$(selected)" "$(printf '%s\n' long here | in_order | paste -sd' ')" "$type: and no is no"
	ask y
	ok "$type: yes is yes" eventually 60 has dead 0
	: >there

	# ---- killed in the middle ----

	messages 1 10000 order order.new >sent
	ids <sent >sent.ids
	send <sent
	reject work
	ok "$type: ten thousand are dead" eventually 60 has dead 10000
	moved() { [ "$(count work)" -gt "$1" ] || ! kill -0 $pid; }
	middles=0
	for _ in 1 2 3 4 5; do
		at=$(count work)
		"$BIN/deadletters" return dead --yes -q &
		pid=$!
		eventually 60 moved "$at"
		kill -9 $pid && middles=$((middles + 1))
		wait $pid 2>/dev/null && reject work # we stood still, and it came to its end
	done
	ok "$type: return was killed in the middle ($middles times)" [ $middles -gt 1 ]
	# the broker may still be giving back what the last one held
	: >came
	complete() {
		deadletters return dead --yes -q
		drain work >>came
		ids <came >came.ids
		cmp -s <(uniq came.ids) sent.ids
	}
	ok "$type: the next one brings back the rest, none is lost" eventually 60 complete
	# a message that came twice was still dead when a run was killed
	twice=$(uniq -d came.ids | wc -l)
	ok "$type: at most what was under way came twice ($twice)" [ "$twice" -le $((middles * 2000)) ]
	marked() { jq -r 'select(.redelivered or .properties.headers["x-warren-resent"]) | .properties.message_id' came | sort -u; }
	is "$(comm -23 <(uniq -d came.ids) <(marked) | wc -l)" 0 "$type: and each of those says so"
	drain dead >/dev/null
	"$BIN/topology" delete -s s.yaml >/dev/null
done
done_testing
