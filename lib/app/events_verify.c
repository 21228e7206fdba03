/* Damage, gaps and a changed past, named. */
#include "app/events_private.h"

#include "base/num.h"
#include "base/text.h"
#include "store/verify.h"

#include <stdlib.h>

#define SHOWN 20

static void write_fault(void *ctx, const struct verify_fault *f)
{
	struct buf *out = ctx;
	if (f->position > 0 && f->last > f->position)
		buf_printf(out, "events %lld to %lld", (long long)f->position, (long long)f->last);
	else if (f->position > 0)
		buf_printf(
		    out, "event %lld", (long long)f->position); /* a changed one may be negative */
	if (f->id.ptr != NULL) {
		buf_append_str(out, ", id ");
		text_escape(f->id, 200, out);
	}
	buf_printf(out, "%s%s\n", f->position > 0 ? ": " : "", f->what);
}

struct printing {
	struct buf *out;
	uint64_t count;
};

static void note_fault(void *ctx, const struct verify_fault *f)
{
	struct printing *p = ctx;
	if (p->count++ < SHOWN)
		write_fault(p->out, f);
}

static void write_hash(const unsigned char *hash, struct buf *out)
{
	for (size_t i = 0; i < STORE_HASH_BYTES; i++)
		buf_printf(out, "%02x", hash[i]);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at =
	    c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static bool read_head(const char *text, unsigned char *out, struct error *err)
{
	bool good = strlen(text) == (size_t)2 * STORE_HASH_BYTES;
	for (size_t i = 0; good && i < STORE_HASH_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		good = high >= 0 && low >= 0;
		out[i] = (unsigned char)(high * 16 + low);
	}
	return good || error_set(err, ERROR_USAGE,
			   "option '--head' takes a hash as verify prints it: 64 digits of 0 to f");
}

/* The hash that was kept elsewhere is that of the last event, or of one before it. */
static void judge_head(
    struct store *store, const struct verify_result *r, struct buf *out, struct error *err)
{
	if (r->wanted_at == 0)
		error_set(err, ERROR_DATA,
		    "store '%s': no event has the hash of --head; the past is not what it was",
		    store_path(store));
	else if (r->wanted_at < r->position)
		buf_printf(out, "the hash of --head is that of event %llu\n",
		    (unsigned long long)r->wanted_at);
}

static void write_end(
    struct store *store, const struct verify_result *r, struct buf *out, struct error *err)
{
	if (r->faults > SHOWN)
		buf_printf(out, "and %llu more\n", (unsigned long long)(r->faults - SHOWN));
	if (r->faults > 0) {
		error_set(err, ERROR_DATA, "store '%s' is damaged, or its past was changed",
		    store_path(store));
		return;
	}
	buf_printf(out, "%s: ", store_path(store));
	num_format_count(r->events, out);
	buf_append_str(out, num_noun(r->events, " event", " events"));
	buf_append_str(out, ", nothing damaged, nothing missing, nothing changed; head ");
	write_hash(r->head, out);
	buf_append_char(out, '\n');
}

static bool verify(struct store *store, const unsigned char *wanted, struct error *err)
{
	struct buf text = {0};
	struct printing printing = {.out = &text};
	struct verify_result result;
	bool good = verify_run(store, wanted, note_fault, &printing, &result, err);
	if (good) {
		write_end(store, &result, &text, err);
		if (wanted != NULL)
			judge_head(store, &result, &text, err);
		struct error unprinted = {0};
		if (!tool_print(buf_slice(&text), &unprinted))
			*err = unprinted;
	}
	buf_release(&text);
	return err->kind == ERROR_NONE;
}

bool events_verify(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	unsigned char wanted[STORE_HASH_BYTES];
	if (!events_operands(operands, "verify", NULL, err) ||
	    (o->head != NULL && !read_head(o->head, wanted, err)))
		return false;
	struct store *store = events_open_store(tool, o, STORE_READ, err);
	bool good = store != NULL && verify(store, o->head != NULL ? wanted : NULL, err);
	store_close(store);
	return good;
}
