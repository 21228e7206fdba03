#!/bin/bash
# lab run: every lesson is played and comes out as it says; what does not is told.
. tests/support/tap.sh
use_broker
export WARREN_LAB_DIR=$WARREN_TEST_LAB

# In a vhost that the lesson makes, which takes a second, or in that of this test.
play_apart() { timeout 300 "$BIN/lab" run --here "$@"; }
play() { play_apart --vhost "$vhost" "$@"; }
vhosts() { "$BIN/lab" ctl --dir "$WARREN_TEST_LAB" -- -q list_vhosts name; }

# ---- every one there is, several at a time: no two use the same queue ----

"$BIN/lab" run --list >"$work/list"
is "$(cut -d ' ' -f 1 "$work/list" | tr '\n' ' ')" \
	"$(for f in settings/*.yaml; do basename "$f" .yaml; done | sort | tr '\n' ' ')" "--list names them all"
is "$(grep -cE '^[a-z-]+ +[^ ].{10,}' "$work/list")" "$(wc -l <"$work/list")" "each with a line of its own"
played() {
	play "$1" >"$work/$1.out" 2>"$work/$1.err" </dev/null
	echo $? >"$work/$1.status"
}
pids=()
while read -r lesson _; do
	while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
	played "$lesson" &
	pids+=($!)
done <"$work/list"
wait "${pids[@]}"
while read -r lesson _; do
	is "$(cat "$work/$lesson.status")" 0 "$lesson is played"
	like "$(tail -n 1 "$work/$lesson.out")" '^([0-9]+) of \1 checks as expected$' "$lesson comes out as it says"
	[ "$(cat "$work/$lesson.status")" = 0 ] || sed 's/^/# /' "$work/$lesson.err" "$work/$lesson.out" | tail -n 40
done <"$work/list"
is "$(grep -lE $'\x1b' "$work"/*.out | wc -l)" 0 "no colour and no cursor in a pipe"
like "$(cat "$work/match.out")" "^lions_fans  \| << lions\.[a-z.]+ [0-9]+' [^ ]" "a line begins with who says it"
like "$(cat "$work/alternate.out")" '^tourist +\| >> atlantis Hi .* \(returned\)$' "what was returned says so"
like "$(cat "$work/work-queue.out")" '^ann +\| << .* \(redelivered\)$' "so does what was redelivered"
like "$(cat "$work/expiry.out")" '^cleaner +\| << pizza [0-9], [a-z]+ \(expired\)$' "and what expired"
like "$(cat "$work/contracts.out")" '^clerk +\|    rejected: /customer: expected object, found boolean true$' "a dead letter says why,"
like "$(cat "$work/contracts.out")" '^clerk +\|    body: /customer$' "where it is wrong"
like "$(cat "$work/contracts.out")" '^clerk +\|    contract: customer\.schema\.json#/type$' "and by what of the contract"

# ---- a lesson of one's own, with what no terminal should see ----

cd "$work" || exit
cat >own.yaml <<'YAML'
broker: {url: "amqp://nobody@127.0.0.1:1"} # lab run leads everybody to its own
queues: {q: , empty: }
messages:
  m:
    routing_key: q
    amount: 4
    fields: {n: {sequence: 1}}
    body: "\e]0;title\a {{n}} \e[31m\u202E"
    headers: {name: "\e[2J"}
lesson:
  title: "own \e[5mtitle"
  watch: Look.
  patience: 1s
  cast:
    shop: producer
    idler: producer --amount 0
    early: consumer q --count 3
    late: consumer q
    odd_one: topology apply
  steps:
    - start: [odd_one, early]
    - pause: Now.
    - start: [shop, idler]
    - wait: {for: [shop, early, idler, odd_one]}
    - start: late
    - wait: {for: late, messages: 1}
  checks:
    - {of: [early, late], once: shop}
    - {of: late, where: $headers.name != null and . == "x", at_most: 0}
YAML
play_apart own.yaml >out 2>err
is $? 0 "a file of one's own is played"
is "$(vhosts | grep -c '^lesson-')" 0 "its vhost is gone"
like "$(cat out)" '^own \\x1b\[5mtitle|^-- own' "its title is escaped"
is "$(grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' out)" 0 "no control character gets through"
like "$(cat out)" '^early +\| << \[name=\\x1b\[2J\] \\x1b\]0;title\\x07 1 ' "the body and headers are readable nevertheless"

# ---- a lesson that is wrong about what happens ----

sed '/^  checks:/,$d' own.yaml >wrong.yaml
cat >>wrong.yaml <<'YAML'
  checks:
    - {that: Good, of: early, count: 3}
    - {that: Count, of: early, count: 4}
    - {that: Most, of: [early, late], at_most: 3}
    - {that: Missing, of: early, once: shop}
    - {that: Foreign, of: [early, late], once: shop, where: '$routing_key == "other"'}
    - {that: Nothing sent, of: late, every: idler}
    - {that: Twice, of: [shop, late], once: shop}
    - {that: Order, of: [early, late], in_order: ['test(" [34] ")', 'test(" [12] ")']}
    - {that: Fate, of: shop, fate: returned, count: 1}
    - {that: Status, of: shop, status: 1}
    - {that: Queue, queue: empty, holds: 1}
YAML
play wrong.yaml >out 2>err
is $? 1 "a lesson whose expectations are false ends with 1"
is "$(grep -c '^  NOT  ' out) $(tail -n 1 out)" "10 1 of 11 checks as expected" "each of them is told"
is "$(sed -n 's/^  ok   //p' out)" "Good" "and the good one"
found() { sed -n "/^  NOT  $1\$/,/^       found: /s/^       found: *//p" out; }
is "$(found Count)" 3 "found: too few"
is "$(found Most)" 4 "found: too many"
is "$(found Missing)" "3 of 4 came, 1 missing" "found: one missing"
is "$(found Foreign)" "0 of 0 came, 4 that should not be there" "found: what nobody sent"
is "$(found 'Nothing sent')" "0 of 0 came, 1 that should not be there" "found: no message to come"
is "$(found Twice)" "4 of 4 came, 1 more than once" "found: one twice"
is "$(found Order)" "4 message(s), 1 out of order" "found: out of order"
is "$(found Status)" "shop ended with 0" "found: another status"
is "$(found Queue)" 0 "found: an empty queue"

# ---- what comes once the checks are met already, and who never ends ----

cat >later.yaml <<'YAML'
queues: {q: }
messages: {m: {routing_key: q, fields: {n: {sequence: 1}}}}
lesson:
  title: later
  watch: Look.
  patience: 100ms
  cast:
    shop: producer --amount 4
    endless: producer --amount 1000000 --rate 100
    late: consumer q --prefetch 1
  steps:
    - start: shop
    - wait: {for: shop}
    - start: late
  checks:
    - {that: Most, of: late, at_most: 1}
    - {that: None, of: late, count: 0}
YAML
sed 's/patience: .*/patience: 60s/' later.yaml >surplus.yaml
play surplus.yaml >out 2>err
is "$? $(found Most | grep -c '^[34]$') $(found None | grep -c '^[34]$')" "1 1 1" "what comes later than a check is met counts, too"
sed 's/start: late/start: endless/; s/Most, of: late, at_most/Most, of: late, at_least/' later.yaml >endless.yaml
play endless.yaml >out 2>err
is "$? $(found Most)" "1 0" "a producer without end does not keep a check open for ever"

sed -i '/^  checks:/,$d; s/idler: .*/idler: producer nobody/' wrong.yaml
echo '  checks: [{of: shop, count: 4}]' >>wrong.yaml
play wrong.yaml >out 2>err
is "$? $(found 'idler ends well')" "1 64" "who fails and should not is told, though no check is about it"
sed 's/count: 4/where: ".[", count: 4/' wrong.yaml >jq.yaml
play jq.yaml >out 2>err
is "$? $(grep -c consumer out)" "64 0" "an expression that does not compile is told before anything is played"
sed 's/wait: .*/wait: {for: late, messages: 9, within: 200ms}/' own.yaml >vain.yaml
play_apart vain.yaml >out 2>err
is "$?" 69 "what does not come in time ends the lesson"
like "$(cat err)" 'waited in vain for late to have 9 message\(s\), not 0' "and is told"
printf 'queues: {q: }\n' >none.yaml
status_is 64 "settings without a lesson" "$BIN/lab" run none.yaml --here
like "$(cat err)" "these settings have no 'lesson'" "are told"
status_is 66 "a lesson that there is not" "$BIN/lab" run football --here
status_is 64 "two lessons at a time" "$BIN/lab" run own.yaml own.yaml --here

# ---- on a terminal ----

mkfifo keys
terminal() { timeout 300 script -qefc "stty cols $1; exec $BIN/lab run --here --vhost $vhost own.yaml" /dev/null; }
exec 3<>keys
NO_COLOR=1 terminal 80 <keys >narrow 2>&1 &
shown=$!
ok "a pause waits for Enter" eventually 60 grep -q 'press Enter' narrow
is "$(grep -c 'shop.*>>' narrow)" 0 "and nothing goes on"
echo >&3
wait $shown
is $? 0 "Enter goes on"
like "$(cat narrow)" '^early +\| << ' "on a narrow terminal lines have names"
is "$(tr -d '\r' <narrow | grep -oE $'\x1b\\[[0-9;]*[A-Za-z]' | sort -u | tr -d '\n')" $'\x1b[K' "NO_COLOR: no colours"
TERM=xterm terminal 200 <keys >wide 2>&1 &
shown=$!
ok "it waits again" eventually 60 grep -q 'press Enter' wide
echo >&3
wait $shown
is $? 0 "and ends well"
like "$(cat wide)" $'shop.*\x1b\\[41G.*idler.*\x1b\\[81G.*early' "on a wide one everybody has a column"
like "$(cat wide)" $'\x1b\\[81G\x1b\\[32m<< ' "and a colour"
terminal 80 <keys >broken_off 2>&1 &
shown=$!
ok "it waits once more" eventually 60 grep -q 'press Enter' broken_off
printf '\003' >&3
wait $shown
is $? 69 "Ctrl+C ends it"
ok "and with it everybody" eventually 60 eval '! pgrep -f "$work/own.yaml"'
exec 3>&-

# ---- interrupted ----

echo 'sleep 600; :' >long.yaml.handler
sed "s/wait: .*/wait: {for: idler, within: 1m}/; s/--amount 0/--amount 100000 --rate 50/
	s|early: .*|early: consumer q --exec 'sh $work/long.yaml.handler'|" own.yaml >long.yaml
left() { pgrep -f "$work/long.yaml"; }
none_left() { ! left && ! vhosts | grep -q '^lesson-long'; }
timeout 300 "$BIN/lab" run long.yaml --here >beside 2>err &
pid=$!
ok "a long lesson runs" eventually 60 pgrep -f "$work/long.yaml.handler"
kill -TERM "$(pgrep -P $pid)"
wait $pid
is $? 69 "a signal ends it"
ok "nobody of the cast is left, nor what they run, nor the vhost" eventually 60 none_left
unset WARREN_LAB_DIR
TMPDIR=$work "$BIN/lab" run long.yaml >alone 2>err &
pid=$!
ok "with a broker of its own" eventually 600 pgrep -f "$work/long.yaml.handler"
kill -TERM $pid
wait $pid
is $? 69 "a signal ends it"
nothing_left() { ! left && ! pgrep -f "$work/warren-lab" && ! ls -d "$work"/warren-lab*; }
ok "and nothing is left" eventually 60 nothing_left
done_testing
