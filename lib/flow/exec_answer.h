/*
 * exec_answer.h - what a worker answers to a message: a line with one JSON value.
 *
 *   "text"                      the new body
 *   {"body": .., ..}            the new message: a record (model/record.h) that may leave out
 *                               everything; what it does not name stays as it was. A body that is
 *                               no string is JSON, and taken digit for digit.
 *   true                        the message as it is
 *   [.., ..]                    several of those; [] drops the message
 *   {"retry": "reason"}         another try, later
 *   {"reject": "reason"}        the message is not wanted
 *
 * Nothing else is an answer, so that no member of a body is taken for a command. An exchange counts
 * only when it is another one than the message came with: who gives back what it got means nothing
 * by it.
 */
#ifndef FLOW_EXEC_ANSWER_H
#define FLOW_EXEC_ANSWER_H

#include "base/error.h"
#include "model/message.h"

#define EXEC_ANSWER_MAX_RESULTS 10000
#define EXEC_ANSWER_MAX_REASON 1000 /* bytes that are read of it */

enum exec_answer_kind { EXEC_ANSWER_RESULTS, EXEC_ANSWER_RETRY, EXEC_ANSWER_REJECT };

/* `= {0}` before it is read. */
struct exec_answer {
	enum exec_answer_kind kind;
	char *reason;		 /* printable; NULL for results */
	struct message *results; /* borrow from the cause, and from the stores */
	size_t count, capacity;
	bool is_list;
	struct buf *stores; /* one a result */
	size_t store_capacity;
	size_t bytes; /* of all the stores */
};

/* Reads an answer to `cause`, which must live as long as the answer, while the line need not. The
 * exchange of a result that names none is the cause's, or a NULL slice when `clears_exchange`.
 * ERROR_DATA: the text follows on "the worker .. answered: ". */
bool exec_answer_read(struct slice line, const struct message *cause, bool clears_exchange,
    struct exec_answer *out, struct error *err) MUST_CHECK;
void exec_answer_release(struct exec_answer *answer);

#endif
