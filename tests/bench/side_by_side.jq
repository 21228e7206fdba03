# The lines of side_by_side.sh as a table: a row for each client ($ARGS.positional is their order),
# columns of the job ($job), and the ratios to the first row.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def columns: {
	flood: [["messages/s", "rate", 0], ["CPU s/million", "cpu", 2]],
	paced: [["p50 from due", "p50_due_us", 0], ["p99 from due", "p99_due_us", 0],
		["p50 from sent", "p50_sent_us", 0], ["p99 from sent", "p99_sent_us", 0],
		["p99 of sent - due", "p99_gap_us", 0], ["CPU s/million", "cpu", 2]]
}[$job];

def titles: {warren: "**warren** bench", tools: "**warren** producer, consumer", go: "Go amqp091-go",
	node: "Node amqplib", pika: "Python pika"};

# 3.10 and not 3.1
def fixed($digits):
	pow(10; $digits) as $unit | . * $unit | round | if $digits == 0 then tostring
	else tostring | if length <= $digits then "0" * ($digits + 1 - length) + . else . end
		| .[:-$digits] + "." + .[-$digits:] end;

def row: "| " + join(" | ") + " |";

map(select(.job == $job)) | group_by(.client) | map({key: .[0].client, value: sort_by(.round)}) | from_entries
| . as $runs
| [$ARGS.positional[] | select($runs[.])] as $clients
| if $clients == [] then "nobody was measured" else $runs[$clients[0]] as $first
| (["client"] + (columns | map(.[0], "x")) | row),
  (["---"] + (columns | map("--:", "--:")) | row),
  ($clients[] as $client | $runs[$client] as $own
	| [titles[$client] // $client]
	+ (columns | map(. as [$_, $key, $digits]
		| ($own | map(.[$key]) | median | fixed($digits)),
		  ([range($own | length) | $own[.][$key] / $first[.][$key]] | median | fixed(2))))
	| row)
end
