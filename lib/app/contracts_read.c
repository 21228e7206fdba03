/* Messages in files: a JSON value a line, or one document. */
#include "app/contracts_private.h"

#include "base/mem.h"
#include "base/skim.h"
#include "base/text.h"
#include "flow/core_contract.h"
#include "model/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

enum layout { LAYOUT_UNKNOWN, LAYOUT_LINES, LAYOUT_DOCUMENT };

struct reading {
	int fd;
	char *name; /* printable */
	enum contracts_form form;
	contracts_text_fn *told;
	void *ctx;
	struct buf waiting;	/* not told yet */
	uint64_t line;		/* number of the first line in it, from 1 */
	enum layout layout;	/* of the file */
	struct buf store, data; /* of a record */
};

static bool is_json(struct slice text)
{
	return text_is_utf8(text) && skim_is_json(text);
}

/* ---- one message ---- */

static bool tell_record(struct reading *r, struct contracts_text *text, struct error *err)
{
	struct message m;
	struct error why;
	error_clear(&why);
	if (!record_read(text->body, &m, &r->store, &why))
		text->fault = why.text;
	else
		text->body = core_contract_data(&m, &r->data);
	if (text->fault == NULL && text->body.ptr == NULL)
		text->fault = "the event has no data";
	return r->told(r->ctx, text, err);
}

static bool tell(struct reading *r, struct slice body, struct error *err)
{
	struct contracts_text text = {.file = r->name, .line = r->line, .body = slice_trim(body)};
	if (text.body.len == 0)
		return true;
	if (r->form == CONTRACTS_AUTO)
		r->form = record_looks_like(text.body) ? CONTRACTS_RECORDS : CONTRACTS_BODIES;
	return r->form == CONTRACTS_RECORDS ? tell_record(r, &text, err)
					    : r->told(r->ctx, &text, err);
}

/* ---- lines ---- */

/* Takes the next line off the text; `last`: also one without an end. */
static bool take_line(struct slice *rest, bool last, struct slice *line)
{
	const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
	if (end == NULL && (!last || rest->len == 0))
		return false;
	size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
	*line = (struct slice){rest->ptr, len};
	*rest = slice_from(*rest, end != NULL ? len + 1 : len);
	return true;
}

static bool tell_lines(struct reading *r, bool last, struct error *err)
{
	struct slice rest = buf_slice(&r->waiting), line;
	for (; take_line(&rest, last, &line); r->line++)
		if (!tell(r, line, err))
			return false;
	buf_consume(&r->waiting, r->waiting.len - rest.len);
	return true;
}

/* The first line that is not empty tells: it is whole, or the document goes on behind it. */
static void find_layout(struct reading *r, bool last)
{
	struct slice rest = buf_slice(&r->waiting), line;
	while (r->layout == LAYOUT_UNKNOWN && take_line(&rest, last, &line))
		if (slice_trim(line).len > 0)
			r->layout = is_json(slice_trim(line)) ? LAYOUT_LINES : LAYOUT_DOCUMENT;
}

/* What is not one document after all may be lines of which the first is bad. */
static bool has_good_line(const struct reading *r)
{
	struct slice rest = buf_slice(&r->waiting), line;
	while (take_line(&rest, true, &line))
		if (slice_trim(line).len > 1 && is_json(slice_trim(line)))
			return true;
	return false;
}

static bool tell_document(struct reading *r, struct error *err)
{
	struct slice whole = buf_slice(&r->waiting);
	if (!is_json(whole) && has_good_line(r))
		return tell_lines(r, true, err);
	while (whole.len > 0 && strchr(" \t\r\n", whole.ptr[0]) != NULL) {
		r->line += whole.ptr[0] == '\n';
		whole = slice_from(whole, 1);
	}
	return tell(r, whole, err);
}

/* ---- files ---- */

static bool read_some(struct reading *r, bool *at_end, struct error *err)
{
	ssize_t n;
	do
		n = read(r->fd, buf_reserve(&r->waiting, CHUNK_BYTES), CHUNK_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(
		    err, ERROR_NO_INPUT, "cannot read '%s': %s", r->name, strerror(errno));
	*at_end = n == 0;
	r->waiting.len += (size_t)n;
	return r->waiting.len <= CONTRACTS_MAX_BYTES ||
	       error_set(err, ERROR_DATA, "%s:%llu: a line or document of more than %d MiB",
		   r->name, (unsigned long long)r->line, (int)(CONTRACTS_MAX_BYTES >> 20));
}

static bool read_file(struct reading *r, struct error *err)
{
	for (bool at_end = false; !at_end;) {
		if (!read_some(r, &at_end, err))
			return false;
		find_layout(r, at_end);
		if (r->layout == LAYOUT_LINES && !tell_lines(r, at_end, err))
			return false;
	}
	return r->layout != LAYOUT_DOCUMENT || tell_document(r, err);
}

static bool open_and_read(const char *path, struct reading *r, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	r->name = standard ? mem_strdup("standard input") : text_quote(slice_str(path));
	r->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool good = r->fd >= 0 || error_set(err, ERROR_NO_INPUT, "cannot open '%s': %s", r->name,
				      strerror(errno));
	good = good && read_file(r, err);
	if (r->fd >= 0 && !standard)
		(void)close(r->fd); /* it was only read */
	buf_release(&r->waiting);
	buf_release(&r->store);
	buf_release(&r->data);
	free(r->name);
	return good;
}

bool contracts_read(char *const *files, enum contracts_form form, contracts_text_fn *told,
    void *ctx, struct error *err)
{
	char standard_input[] = "-", *standard[] = {standard_input, NULL};
	for (files = files[0] != NULL ? files : standard; *files != NULL; files++) {
		struct reading r = {.form = form, .told = told, .ctx = ctx, .line = 1};
		if (!open_and_read(*files, &r, err))
			return false;
	}
	return true;
}
