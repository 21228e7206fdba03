/*
 * JSON lines into the store: what export prints, and what `consumer -f json` does.
 *
 * A file is read twice: nothing of it is stored unless every line of it can be read. Of a pipe
 * everything before the first bad line is stored.
 */
#include "app/events_private.h"

#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "model/record.h"
#include "store/append.h"
#include "store/select.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)
#define MOST_LINE_BYTES (256u << 20)
#define MOST_BATCH_BYTES (16u << 20)

/* A time of a line may lie so far ahead: clocks differ. Every event behind it gets it, too. */
#define MOST_AHEAD_US (24 * 3600 * (int64_t)(CHRONO_S / CHRONO_US))

struct import {
	struct store *store;
	struct append *append; /* NULL: only look */
	uint64_t batch;
	int64_t *received; /* of the lines of the batch */
	size_t capacity;
	int fd;
	char *name; /* printable */
	bool at_end;
	struct buf input;
	size_t taken, scanned; /* bytes of input: of lines that were read, without a line feed */
	uint64_t line;	       /* number of the one that was read last */
	uint64_t safe;	       /* lines before this one, and itself, are stored */
	struct buf kept;       /* bytes of the message */
	uint64_t stored, duplicates, reused;
	uint64_t moved; /* stored with the time of an earlier event */
};

/* ---- lines ---- */

static bool read_more(struct import *in, struct error *err)
{
	buf_consume(&in->input, in->taken);
	in->scanned -= in->taken;
	in->taken = 0;
	if (in->input.len > MOST_LINE_BYTES)
		return error_set(err, ERROR_DATA, "%s:%llu: a line of more than 256 MiB", in->name,
		    (unsigned long long)in->line + 1);
	ssize_t got = read(in->fd, buf_reserve(&in->input, READ_BYTES), READ_BYTES);
	if (got < 0 && errno != EINTR)
		return error_set(
		    err, ERROR_NO_INPUT, "cannot read '%s': %s", in->name, strerror(errno));
	in->at_end = got == 0;
	buf_truncate(&in->input, in->input.len + (got > 0 ? (size_t)got : 0));
	return true;
}

/* False at the end, where the last line may lack its line feed, and when it fails. */
static bool next_line(struct import *in, struct slice *out, struct error *err)
{
	for (;;) {
		size_t left = in->input.len - in->scanned;
		const char *end = left > 0 ? memchr(in->input.ptr + in->scanned, '\n', left) : NULL;
		in->scanned = in->input.len;
		if (end == NULL && !in->at_end) {
			if (!read_more(in, err))
				return false;
			continue;
		}
		if (in->taken == in->input.len)
			return false;
		size_t upto = end != NULL ? (size_t)(end - in->input.ptr) : in->input.len;
		*out = (struct slice){in->input.ptr + in->taken, upto - in->taken};
		in->taken = in->scanned = end != NULL ? upto + 1 : upto;
		in->line++;
		return true;
	}
}

/* ---- events ---- */

/* When the event before a position was received. */
static bool received_before(
    const struct import *in, uint64_t position, int64_t *out_us, struct error *err)
{
	const struct select_filter filter = {.from = position - 1, .to = position - 1};
	struct select_event event;
	*out_us = INT64_MIN;
	if (position == 1)
		return true;
	struct select *select = select_open(in->store, &filter, err);
	if (select != NULL && select_next(select, &event, err))
		*out_us = event.received_us;
	select_close(select);
	return err->kind == ERROR_NONE;
}

/* Nobody else's events are between those of one batch. */
static bool count_moved(
    struct import *in, const struct append_result *results, size_t count, struct error *err)
{
	bool has_last = false;
	int64_t last = 0;
	for (size_t i = 0; i < count; i++) {
		if (results[i].outcome != APPEND_STORED)
			continue;
		if (!has_last && !received_before(in, results[i].position, &last, err))
			return false;
		has_last = true;
		if (in->received[i] < last)
			in->moved++;
		else
			last = in->received[i];
	}
	return true;
}

static bool commit(struct import *in, struct error *err)
{
	const struct append_result *results;
	size_t count = append_count(in->append);
	if (!append_commit(in->append, &results, err))
		return error_context(
		    err, "%s: stored up to line %llu", in->name, (unsigned long long)in->safe);
	for (size_t i = 0; i < count; i++) {
		in->stored += results[i].outcome == APPEND_STORED;
		in->duplicates += results[i].outcome == APPEND_DUPLICATE;
		in->reused += results[i].id_was_used;
	}
	in->safe += count;
	return count_moved(in, results, count, err);
}

static bool read_event(struct import *in, struct slice line, struct message *m,
    struct append_event *event, struct error *err)
{
	struct record_told told;
	const int64_t now = (int64_t)(chrono_wall_ns() / CHRONO_US);
	int64_t received = now;
	if (!record_read_told(line, m, &told, &in->kept, err))
		return false;
	if (told.received.ptr != NULL && !chrono_parse_us(told.received, &received, err)) {
		err->kind = ERROR_DATA; /* no option is wrong, but the line */
		return error_context(err, "received");
	}
	if (received > now + MOST_AHEAD_US)
		return error_set(err, ERROR_DATA, "received: more than a day from now");
	*event = (struct append_event){.message = m,
	    .queue = told.queue,
	    .stream_offset = told.offset,
	    .redelivered = told.redelivered,
	    .received_us = received};
	return true;
}

static bool take_line(struct import *in, struct slice line, struct error *err)
{
	struct message m;
	struct append_event event;
	if (!read_event(in, line, &m, &event, err) ||
	    (in->append != NULL && !append_add(in->append, &event, err)))
		return error_context(err, "%s:%llu", in->name, (unsigned long long)in->line);
	if (in->append == NULL)
		return true;
	size_t count = append_count(in->append);
	in->received = mem_grow(in->received, &in->capacity, count, sizeof *in->received);
	in->received[count - 1] = event.received_us;
	if (count < in->batch && append_bytes(in->append) < MOST_BATCH_BYTES)
		return true;
	return commit(in, err);
}

/* What stands before a bad line is stored all the same, as it cannot be offered again. */
static bool keep_rest(struct import *in, bool good, struct error *err)
{
	struct error second = {0}; /* the first failure is the cause */
	if (in->append == NULL)
		return good;
	if (good)
		return commit(in, err);
	bool kept = err->kind == ERROR_DATA && commit(in, &second);
	if (kept && in->safe > 0)
		log_write(LOG_INFO, "%s: what stands before line %llu is stored", in->name,
		    (unsigned long long)in->line);
	return false;
}

static bool read_all(struct import *in, struct error *err)
{
	struct slice line;
	bool good = true;
	while (good && next_line(in, &line, err))
		good = take_line(in, line, err);
	return keep_rest(in, good && err->kind == ERROR_NONE, err);
}

/* ---- the file ---- */

static bool open_input(struct import *in, const char *path, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	in->name = is_stdin ? mem_strdup("standard input") : text_quote(slice_str(path));
	in->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	return in->fd >= 0 ||
	       error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", in->name, strerror(errno));
}

static void begin_anew(struct import *in)
{
	buf_clear(&in->input);
	in->taken = in->scanned = in->line = 0;
	in->at_end = false;
}

/* Looks at all of it first, when it can be read again. */
static bool check_input(struct import *in, struct error *err)
{
	struct stat st;
	off_t start =
	    fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode) ? lseek(in->fd, 0, SEEK_CUR) : -1;
	if (start < 0)
		return true;
	if (!read_all(in, err))
		return false;
	begin_anew(in);
	return lseek(in->fd, start, SEEK_SET) == start ||
	       error_set(
		   err, ERROR_NO_INPUT, "cannot read '%s' again: %s", in->name, strerror(errno));
}

static void report(struct tool *tool, const struct import *in, uint64_t since_ns)
{
	const struct summary_row rows[] = {
	    {"imported", in->stored, false},
	    {"duplicates", in->duplicates, false},
	    {"ids_used_again", in->reused, true},
	    {"times_moved", in->moved, true},
	};
	tool_summarize(tool, rows, ARRAY_LEN(rows), chrono_now_ns() - since_ns);
	if (in->moved > 0)
		log_write(LOG_WARNING,
		    "%llu %s received before the one in front of %s: 'received' is the time of "
		    "that one",
		    (unsigned long long)in->moved, num_noun(in->moved, "event was", "events were"),
		    num_noun(in->moved, "it", "them"));
}

static bool run(struct import *in, struct tool *tool, const struct events_options *o,
    const char *path, struct error *err)
{
	uint64_t since_ns = chrono_now_ns();
	if (!open_input(in, path, err) || !check_input(in, err))
		return false;
	in->store = events_open_store(tool, o, STORE_CREATE, err);
	if (in->store == NULL)
		return false;
	in->batch = o->batch;
	in->append = append_create(in->store);
	bool good = read_all(in, err) && append_settle(in->append, err);
	report(tool, in, since_ns);
	append_free(in->append);
	store_close(in->store);
	return good;
}

bool events_import(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	struct import in = {.fd = -1};
	bool good = events_operands(operands, "import", "a file of JSON lines, or -", err) &&
		    run(&in, tool, o, operands[0], err);
	if (in.fd >= 0)
		close(in.fd);
	free(in.name);
	buf_release(&in.input);
	buf_release(&in.kept);
	free(in.received);
	return good;
}
