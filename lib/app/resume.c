#include "app/resume.h"

#include "base/log.h"
#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>

/* Takes the seed over when the spool remembers a run with these options. */
static bool is_remembered(const struct resume *r, const json_t *options, uint64_t *seed)
{
	struct slice identity = spool_run(r->spool);
	json_t *run = json_loadb(identity.ptr, identity.len, 0, NULL);
	const json_t *stored = json_object_get(run, "options");
	bool same = stored != NULL && json_equal(stored, options);
	if (same)
		*seed = (uint64_t)json_integer_value(json_object_get(run, "seed"));
	json_decref(run);
	return same;
}

static bool begin(struct resume *r, const json_t *options, struct error *err)
{
	json_t *run = json_pack("{s:I, s:O}", "seed", (json_int_t)r->seed, "options", options);
	char *identity = json_dumps(run, JSON_COMPACT | JSON_SORT_KEYS);
	bool good = spool_begin(r->spool, slice_str(identity), err);
	free(identity);
	json_decref(run);
	return good;
}

static void tell(const struct resume *r)
{
	struct buf line = {0};
	if (spool_cut_bytes(r->spool) > 0)
		log_write(LOG_WARNING,
		    "the last %" PRIu64
		    " bytes of the spool were not written whole and are left out",
		    spool_cut_bytes(r->spool));
	size_t left = spool_unsettled_count(r->spool);
	if (r->skip > 0) {
		buf_append_str(&line, "going on after message ");
		num_format_count(r->skip, &line);
	}
	if (left > 0) {
		buf_append_str(&line, line.len > 0 ? "; " : "");
		num_format_count(left, &line);
		buf_append_str(&line, " without a fate in the spool are sent again");
	}
	if (line.len > 0)
		log_write(LOG_INFO, "%s", line.ptr);
	buf_release(&line);
}

bool resume_open(
    const char *path, bool is_synced, const json_t *options, struct resume *out, struct error *err)
{
	out->spool = spool_open(path, is_synced, err);
	if (out->spool == NULL)
		return false;
	if (is_remembered(out, options, &out->seed))
		out->skip = spool_next_number(out->spool) - spool_first_number(out->spool);
	else if (!begin(out, options, err))
		return false;
	tell(out);
	return true;
}

uint64_t resume_first_number(const struct resume *r)
{
	return spool_first_number(r->spool) + r->skip;
}

bool resume_close(struct resume *r, bool is_over, struct error *err)
{
	bool good = true;
	if (r->spool == NULL)
		return true;
	good = spool_flush(r->spool, err);
	if (good && is_over)
		good = spool_end(r->spool, err);
	spool_close(r->spool);
	r->spool = NULL;
	return good;
}
