#include "base/chrono.h"
#include "base/num.h"
#include "lab/drill_private.h"

static unsigned long long count(const struct fates_verdict *v, enum fates_kind kind)
{
	return v->counts[kind];
}

void drill_print_verdict(const struct fates_verdict *v, uint64_t begun_ns, bool survived, FILE *out)
{
	struct buf gap = {0};
	num_format_duration(v->gap_ns / CHRONO_MS * CHRONO_MS, &gap);
	/* The caller checks the stream at the end. */
	if (v->lost > 0)
		(void)fprintf(out, "verdict: %llu confirmed message(s) were LOST\n",
		    (unsigned long long)v->lost);
	else
		(void)fprintf(out, "verdict: nothing was lost\n");
	(void)fprintf(out,
	    "  %llu confirmed, %llu returned, %llu nacked, %llu unconfirmed\n"
	    "  %llu received, %llu of them once more\n"
	    "  the longest time without a confirm was %s, from second %.3f\n",
	    count(v, FATES_CONFIRMED), count(v, FATES_RETURNED), count(v, FATES_NACKED),
	    count(v, FATES_UNCONFIRMED), (unsigned long long)v->distinct,
	    (unsigned long long)v->duplicated, gap.ptr,
	    (double)(v->gap_began_ns - begun_ns) / (double)CHRONO_S);
	if (!survived)
		(void)fprintf(out, "  the producer did not survive it: what came after was not "
				   "sent at all\n");
	buf_release(&gap);
}
