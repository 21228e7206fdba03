/* retrying.h - the retry policies of the queues that a consumer reads, and what carries them out.
 */
#ifndef APP_RETRYING_H
#define APP_RETRYING_H

#include "app/tool.h"
#include "flow/retrier.h"

/* `= {0}` is none. */
struct retrying {
	struct retrier *retrier;	 /* NULL: no queue has a policy */
	struct connection *connection;	 /* for what is sent on; NULL: nothing will be */
	struct recovery *recovery;	 /* of the connection */
	struct retrier_policy *policies; /* owned, with their texts */
	size_t queue_count;
};

/* Reads the policies (`retry:` in the settings) of the queues, which must outlive it; opens a
 * second connection when there is one and messages may fail (`sends`). */
bool retrying_open(struct tool *tool, const char *const *queues, size_t queue_count, bool sends,
    struct retrying *out, struct error *err) MUST_CHECK;
/* Before the source of the messages is closed. */
void retrying_close(struct retrying *retrying);

#endif
