#include "app/ask.h"

#include "base/chrono.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

struct answer {
	char text[256];
	size_t len;
	bool given;
};

bool ask_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void on_typed(void *ctx, short revents)
{
	(void)revents;
	struct answer *a = ctx;
	ssize_t got = read(STDIN_FILENO, a->text + a->len, sizeof a->text - a->len);
	if (got > 0)
		a->len += (size_t)got;
	a->given = got <= 0 || a->len == sizeof a->text || memchr(a->text, '\n', a->len) != NULL;
}

bool ask_yes(struct tool *tool, const char *question, bool *yes, struct error *err)
{
	struct answer answer = {.given = false};
	struct loop *loop = tool->loop;
	IGNORE_RESULT(write(STDERR_FILENO, question, strlen(question))); /* nobody answers then */
	loop_watch(loop, STDIN_FILENO, POLLIN, on_typed, &answer);
	bool good = true;
	while (good && !answer.given && !loop_stop_requested(loop))
		good =
		    loop_turn(loop, CHRONO_NEVER, err) && connection_check(tool->connection, err);
	loop_unwatch(loop, STDIN_FILENO);
	struct slice said = slice_trim((struct slice){answer.text, answer.len});
	*yes =
	    answer.given && (slice_is(said, "y") || slice_is(said, "Y") || slice_is(said, "yes"));
	return good;
}
