#include "lab/drill.h"

#include "base/chrono.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/child.h"
#include "lab/drill_private.h"
#include "lab/fates.h"
#include "lab/programs.h"
#include "lab/witness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE "200/s"
#define FLOW_MESSAGES 200		/* confirmed and received, to call it flowing */
#define FLOW_LIMIT_NS (30 * CHRONO_S)	/* for that to come after a fault */
#define FINISH_LIMIT_NS (30 * CHRONO_S) /* for a tool to end, and for the last messages */
#define LAB_LIMIT_NS (120 * CHRONO_S)	/* for a command; it has a --wait of its own */
#define LOOK_EVERY_NS (100 * CHRONO_MS)
#define NODE_LINES 6 /* of what the nodes say, after each step */

/* A tool under watch. */
struct player {
	struct run *run;
	const char *who;
	struct witness *witness; /* NULL before its start */
	bool has_ended;
	int wait_status;
	uint64_t ended_ns;
};

struct run {
	const struct drill *drill;
	const struct drill_site *site;
	struct loop *loop;
	uint64_t begun_ns;
	char *settings; /* the file of the tools */
	struct fates fates;
	struct player producer, consumer, lab, logs;
	struct buf last_said; /* by the command of lab, on its standard output */
	char leader[NODE_NAME_BYTES];
	char node[NODE_NAME_BYTES]; /* whose log is being printed */
	size_t node_lines;	    /* left until the next step */
	bool producer_was_stopped;  /* by us: before that its end is news */
};

/* ---- the timeline ---- */

static void say(struct run *run, const char *who, const char *fmt, ...) ERROR_FORMAT(3, 4);

static void say(struct run *run, const char *who, const char *fmt, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args); /* a cut line is still worth having */
	va_end(args);
	(void)fprintf(run->site->out, "%8.3f  %-8s  %s\n",
	    (double)(chrono_now_ns() - run->begun_ns) / (double)CHRONO_S, who, text);
	(void)fflush(run->site->out); /* checked at the end, by the caller */
}

static void say_line(struct run *run, const char *who, struct slice line)
{
	struct buf shown = {0};
	text_escape(line, 400, &shown);
	say(run, who, "%s", shown.ptr ? shown.ptr : "");
	buf_release(&shown);
}

static void say_counts(struct run *run)
{
	say(run, "drill", "so far %zu confirmed, %zu received",
	    run->fates.lists[FATES_CONFIRMED].count, run->fates.lists[FATES_RECEIVED].count);
}

/* Tools begin each line with their name, which the timeline has already. */
static struct slice without_name(struct slice line, const char *who)
{
	size_t length = strlen(who);
	if (line.len > length + 2 && memcmp(line.ptr, who, length) == 0 &&
	    memcmp(line.ptr + length, ": ", 2) == 0)
		return (struct slice){line.ptr + length + 2, line.len - length - 2};
	return line;
}

static void on_tool_line(void *ctx, bool is_error, struct slice line)
{
	struct player *player = ctx;
	if (is_error)
		say_line(player->run, player->who, without_name(line, player->who));
	else
		(void)fates_note_line(&player->run->fates, line,
		    chrono_now_ns()); /* half a line of a killed tool is no message */
}

static void on_lab_line(void *ctx, bool is_error, struct slice line)
{
	struct player *player = ctx;
	if (!is_error) {
		buf_clear(&player->run->last_said);
		buf_append(&player->run->last_said, line);
	}
	if (line.len > 0)
		say_line(player->run, player->who, without_name(line, player->who));
}

/* "2026-11-21 13:29:54.123456+00:00 [warning] <0.123.0> what": only warnings and errors, and only
 * a few of them. "==> a <==" tells whose log goes on. */
static void on_log_line(void *ctx, bool is_error, struct slice line)
{
	struct run *run = ((struct player *)ctx)->run;
	if (line.len == 9 && memcmp(line.ptr, "==> ", 4) == 0)
		run->node[0] = line.ptr[4];
	const char *mark = memmem(line.ptr, line.len, " [warning] ", 11);
	if (mark == NULL)
		mark = memmem(line.ptr, line.len, " [error] ", 9);
	const char *end = line.ptr + line.len;
	const char *text = mark ? memmem(mark, (size_t)(end - mark), "> ", 2) : NULL;
	if (is_error || text == NULL || run->node_lines == 0)
		return;
	struct slice rest = slice_trim((struct slice){text + 2, (size_t)(end - text - 2)});
	char who[] = "node ?";
	who[sizeof who - 2] = run->node[0];
	if (rest.len == 0 || strspn(rest.ptr, "*") > 0)
		return; /* a frame of asterisks */
	run->node_lines--;
	say_line(run, who, rest);
}

/* ---- starting, waiting, ending ---- */

static bool start(
    struct player *player, witness_line_fn *line, char *const words[], struct error *err)
{
	struct run *run = player->run;
	witness_free(player->witness);
	player->has_ended = false;
	const struct witness_spec spec = {.argv = words};
	player->witness = witness_start(run->loop, &spec, line, player, err);
	return player->witness != NULL;
}

static bool start_tool(struct player *player, struct error *err)
{
	struct run *run = player->run;
	const char *const words[] = {"-s", run->settings, "--format", "json",
	    player == &run->consumer ? DRILL_QUEUE : "--yes"};
	struct child_words argv = {0};
	child_words_take(&argv, programs_beside(player->who));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		child_words_take(&argv, mem_strdup(words[i]));
	bool good = start(player, on_tool_line, argv.items, err);
	if (good)
		say(run, player->who, "started");
	child_words_release(&argv);
	return good;
}

static bool is_running(const struct player *player)
{
	return player->witness != NULL && !player->has_ended;
}

static void look_at(struct player *player, bool is_told)
{
	if (!is_running(player) || !witness_has_ended(player->witness, &player->wait_status))
		return;
	player->has_ended = true;
	player->ended_ns = chrono_now_ns();
	struct buf end = {0};
	child_describe_end(player->wait_status, &end);
	if (is_told)
		say(player->run, player->who, "%s", end.ptr);
	buf_release(&end);
}

typedef bool condition_fn(const struct run *run);

/* Turns until the condition holds; *held is false when the limit comes first. */
static bool await(
    struct run *run, condition_fn *condition, uint64_t limit_ns, bool *held, struct error *err)
{
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), limit_ns);
	for (;;) {
		look_at(&run->producer, true);
		look_at(&run->consumer, true);
		look_at(&run->lab, false);
		*held = condition != NULL && condition(run);
		uint64_t now_ns = chrono_now_ns();
		if (*held || now_ns >= deadline_ns)
			return true;
		uint64_t next_ns = chrono_after(now_ns, LOOK_EVERY_NS);
		if (!loop_turn(run->loop, next_ns < deadline_ns ? next_ns : deadline_ns, err))
			return false;
		if (loop_stop_requested(run->loop))
			return error_set(err, ERROR_UNAVAILABLE, "the drill was interrupted");
	}
}

/* ---- the steps ---- */

static bool lab_has_ended(const struct run *run)
{
	return run->lab.has_ended;
}

/* Runs this program again: `lab WORDS... --dir DIR`, the way a person would. */
static bool run_lab(struct run *run, const char *const words[], struct error *err)
{
	struct child_words argv = {0};
	struct buf said = {0};
	child_words_take(&argv, programs_beside("lab"));
	child_words_take(&argv, mem_printf("--dir=%s", run->site->dir));
	child_words_take(&argv, mem_printf("--rabbitmq=%s", run->site->programs));
	for (size_t i = 0; words[i] != NULL; i++) {
		const char *word =
		    strcmp(words[i], DRILL_LEADER_WORD) == 0 ? run->leader : words[i];
		child_words_take(&argv, mem_strdup(word));
		buf_printf(&said, " %s", word);
	}
	say(run, "drill", "lab%s", said.ptr);
	bool held = false;
	bool good = start(&run->lab, on_lab_line, argv.items, err) &&
		    await(run, lab_has_ended, LAB_LIMIT_NS, &held, err);
	if (good && (!held || run->lab.wait_status != 0))
		good = error_set(err, ERROR_UNAVAILABLE, "lab%s did not succeed", said.ptr);
	child_words_release(&argv);
	buf_release(&said);
	return good;
}

static bool find_leader(struct run *run, struct error *err)
{
	static const char *const words[] = {"leader", DRILL_QUEUE, NULL};
	if (!run_lab(run, words, err))
		return false;
	if (run->last_said.len != 1)
		return error_set(err, ERROR_UNAVAILABLE, "the queue has no leader");
	run->leader[0] = run->last_said.ptr[0];
	return true;
}

struct flow {
	size_t confirmed, received;
};

static struct flow measure(const struct run *run)
{
	return (struct flow){
	    run->fates.lists[FATES_CONFIRMED].count, run->fates.lists[FATES_RECEIVED].count};
}

/* Waits for messages to be confirmed and received again, as long as there is a tool that could. */
static bool await_flow(struct run *run, struct error *err)
{
	struct flow before = measure(run);
	uint64_t deadline_ns = chrono_after(chrono_now_ns(), FLOW_LIMIT_NS);
	bool held, confirms = false, receives = false;
	while (!confirms || !receives) {
		if (chrono_now_ns() >= deadline_ns) {
			say(run, "drill", "nothing flows any more");
			break;
		}
		if (!await(run, NULL, LOOK_EVERY_NS, &held, err))
			return false;
		struct flow now = measure(run);
		confirms = !is_running(&run->producer) ||
			   now.confirmed - before.confirmed >= FLOW_MESSAGES;
		receives = !is_running(&run->consumer) || !is_running(&run->producer) ||
			   now.received - before.received >= FLOW_MESSAGES;
	}
	say_counts(run);
	return true;
}

static bool consumer_has_ended(const struct run *run)
{
	return !is_running(&run->consumer);
}

static bool producer_has_ended(const struct run *run)
{
	return !is_running(&run->producer);
}

static bool kill_consumer(struct run *run, struct error *err)
{
	bool held;
	if (!is_running(&run->consumer))
		return true; /* which was told */
	say(run, "drill", "kill -9 of the consumer");
	witness_signal(run->consumer.witness, SIGKILL);
	return await(run, consumer_has_ended, FINISH_LIMIT_NS, &held, err);
}

static bool take_step(struct run *run, const struct drill_step *step, struct error *err)
{
	bool held;
	if (step != run->drill->steps) /* what the logs hold from before is no news */
		run->node_lines = NODE_LINES;
	switch (step->kind) {
	case DRILL_FLOW:
		return await_flow(run, err);
	case DRILL_HOLD:
		return await(run, NULL, step->span_ns, &held, err);
	case DRILL_LAB:
		return run_lab(run, step->words, err);
	case DRILL_LEADER:
		return find_leader(run, err);
	case DRILL_KILL_CONSUMER:
		return kill_consumer(run, err);
	case DRILL_START_CONSUMER:
		return start_tool(&run->consumer, err);
	case DRILL_END:
		break;
	}
	return true;
}

/* ---- the end ---- */

static bool finish_tool(struct player *player, condition_fn *has_ended, struct error *err)
{
	bool held = true;
	if (is_running(player)) {
		witness_signal(player->witness, SIGTERM);
		if (!await(player->run, has_ended, FINISH_LIMIT_NS, &held, err))
			return false;
	}
	return held || error_set(err, ERROR_UNAVAILABLE, "the %s does not end", player->who);
}

static bool all_received(const struct run *run)
{
	struct fates_verdict verdict;
	fates_judge(&run->fates, run->begun_ns, &verdict);
	return verdict.lost == 0;
}

/* What is confirmed and not yet received is in the queue, or lost: somebody must read it. */
static bool receive_rest(struct run *run, struct error *err)
{
	bool held;
	if (!is_running(&run->consumer) && !all_received(run)) {
		say(run, "drill", "the consumer has ended: another one reads what is left");
		if (!start_tool(&run->consumer, err))
			return false;
	}
	return await(run, all_received, FINISH_LIMIT_NS, &held, err);
}

static bool finish(struct run *run, uint64_t *stopped_ns, struct error *err)
{
	run->producer_was_stopped = is_running(&run->producer);
	*stopped_ns = run->producer_was_stopped ? chrono_now_ns() : run->producer.ended_ns;
	if (run->producer_was_stopped)
		say(run, "drill", "the producer is told to end");
	return finish_tool(&run->producer, producer_has_ended, err) && receive_rest(run, err) &&
	       finish_tool(&run->consumer, consumer_has_ended, err);
}

static bool judge(struct run *run, uint64_t stopped_ns, bool *was_lost, struct error *err)
{
	struct fates_verdict verdict;
	fates_judge(&run->fates, stopped_ns, &verdict);
	if (verdict.counts[FATES_CONFIRMED] == 0)
		return error_set(
		    err, ERROR_UNAVAILABLE, "no message was confirmed, so nothing was tried");
	drill_print_verdict(&verdict, run->begun_ns, run->producer_was_stopped, run->site->out);
	*was_lost = verdict.lost > 0;
	return true;
}

/* ---- the beginning ---- */

/* AMQP_URL would come before the list of nodes in the settings. */
static bool write_settings(struct run *run, struct error *err)
{
	run->settings = mem_printf("%s/drill.yaml", run->site->dir);
	FILE *file = fopen(run->settings, "we");
	if (file == NULL)
		return error_set(err, ERROR_CANNOT_CREATE, "cannot create the drill's settings: %s",
		    strerror(errno));
	(void)fprintf(file, "broker:\n  url:\n"); /* fclose tells */
	for (size_t i = 0; i < run->site->state->node_count; i++) {
		char *url = state_url(&run->site->state->nodes[i]);
		(void)fprintf(file, "    - %s\n", url);
		free(url);
	}
	(void)fprintf(file,
	    "queues:\n"
	    "  " DRILL_QUEUE ": {type: %s}\n"
	    "messages:\n"
	    "  step:\n"
	    "    routing_key: " DRILL_QUEUE "\n"
	    "    amount: 1000000\n"
	    "    rate: " RATE "\n"
	    "    fields: {number: {sequence: 1}, text: {text: {length: 100}}}\n",
	    run->drill->queue_type);
	unsetenv("AMQP_URL");
	unsetenv("WARREN_URL");
	return fclose(file) == 0 ||
	       error_set(err, ERROR_IO, "cannot write the drill's settings: %s", strerror(errno));
}

static bool listen_to_nodes(struct run *run, struct error *err)
{
	struct child_words argv = {0};
	child_words_take(&argv, programs_beside("lab"));
	child_words_take(&argv, mem_strdup("logs"));
	child_words_take(&argv, mem_strdup("--follow"));
	child_words_take(&argv, mem_printf("--dir=%s", run->site->dir));
	bool good = start(&run->logs, on_log_line, argv.items, err);
	child_words_release(&argv);
	return good;
}

static bool play(struct run *run, bool *was_lost, struct error *err)
{
	uint64_t stopped_ns;
	if (!write_settings(run, err) || !listen_to_nodes(run, err))
		return false;
	say(run, "drill", "%s: %s", run->drill->name, run->drill->what);
	if (!start_tool(&run->consumer, err) || !start_tool(&run->producer, err))
		return false;
	for (const struct drill_step *step = run->drill->steps; step->kind != DRILL_END; step++)
		if (!take_step(run, step, err))
			return false;
	return finish(run, &stopped_ns, err) && judge(run, stopped_ns, was_lost, err);
}

bool drill_run(
    const struct drill *drill, const struct drill_site *site, bool *was_lost, struct error *err)
{
	struct run run = {.drill = drill,
	    .site = site,
	    .begun_ns = chrono_now_ns(),
	    .node = "a",
	    .producer = {.run = &run, .who = "producer"},
	    .consumer = {.run = &run, .who = "consumer"},
	    .lab = {.run = &run, .who = "lab"},
	    .logs = {.run = &run, .who = "node"}};
	run.loop = loop_create(err);
	if (run.loop == NULL)
		return false;
	bool good = play(&run, was_lost, err);
	struct player *const players[] = {&run.producer, &run.consumer, &run.lab, &run.logs};
	for (size_t i = 0; i < ARRAY_LEN(players); i++)
		witness_free(players[i]->witness);
	loop_free(run.loop);
	fates_release(&run.fates);
	buf_release(&run.last_said);
	free(run.settings);
	return good;
}
