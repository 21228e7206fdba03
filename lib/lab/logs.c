#include "lab/logs.h"

#include "base/chrono.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/folder.h"
#include "lab/node.h"
#include "lab/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_NS (100 * CHRONO_MS)
#define READ_BYTES 65536

struct source {
	char label[16];
	char *path;
	int fd;		 /* -1 until the file is there */
	struct buf line; /* the beginning of a line whose end is not written yet */
};

/* A node says most in its log, but why it could not start on its console. */
enum { SOURCE_MAX = 2 * NODE_MAX };

struct sources {
	struct source items[SOURCE_MAX];
	size_t count;
	const struct source *last; /* whose name was printed last */
	bool named;		   /* print names at all */
	FILE *out;
};

/* Takes the path over. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is freed with the sources */
static void add_take(struct sources *sources, const char *label, char *path)
{
	struct source *source = &sources->items[sources->count++];
	*source = (struct source){.path = path, .fd = -1};
	(void)snprintf(source->label, sizeof source->label, "%s", label); /* names are short */
}

static void add_node(struct sources *sources, const char *dir, const char *name)
{
	add_take(sources, name, node_console_path(dir, name));
	add_take(sources, name, node_log_path(dir, name));
}

static bool has_node(const char *dir, const char *name)
{
	char *path = node_console_path(dir, name);
	bool found = access(path, F_OK) == 0;
	free(path);
	return found;
}

static bool choose(struct sources *sources, const char *dir, const char *name, struct error *err)
{
	static const struct {
		const char *name, *file;
	} others[] = {{"supervisor", SUPERVISOR_LOG}, {"epmd", SUPERVISOR_EPMD_LOG}};
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(others); i++) {
		if (strcmp(others[i].name, name) == 0) {
			add_take(sources, name, mem_printf("%s/%s", dir, others[i].file));
			return true;
		}
	}
	for (size_t i = 0; i < NODE_MAX; i++) {
		char node[NODE_NAME_BYTES];
		node_name(i, node);
		if ((name == NULL || strcmp(node, name) == 0) && has_node(dir, node))
			add_node(sources, dir, node);
	}
	if (sources->count > 0 || name == NULL)
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_USAGE,
	    "the lab has no node '%s'; accepted: its nodes, supervisor, epmd", shown);
	free(shown);
	return false;
}

static void print_name(struct sources *sources, const struct source *source)
{
	if (!sources->named ||
	    (sources->last != NULL && strcmp(sources->last->label, source->label) == 0))
		return;
	(void)fprintf(sources->out, "==> %s <==\n", source->label); /* checked at the end */
	sources->last = source;
}

/* Prints whole lines, and at the very end what stands after the last of them. */
static void print_lines(struct sources *sources, struct source *source, bool is_end)
{
	const char *end =
	    source->line.len > 0 ? memrchr(source->line.ptr, '\n', source->line.len) : NULL;
	size_t length = is_end ? source->line.len : end ? (size_t)(end + 1 - source->line.ptr) : 0;
	if (length == 0)
		return;
	struct buf shown = {0};
	text_escape_lines((struct slice){source->line.ptr, length}, SIZE_MAX, &shown);
	print_name(sources, source);
	(void)fwrite(shown.ptr, 1, shown.len, sources->out); /* checked at the end */
	buf_consume(&source->line, length);
	buf_release(&shown);
}

static void print_new(struct sources *sources, struct source *source)
{
	if (source->fd < 0)
		source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
	for (ssize_t length = 1; source->fd >= 0 && length > 0;) {
		char *end = buf_reserve(&source->line, READ_BYTES);
		length = read(source->fd, end, READ_BYTES);
		source->line.len += length > 0 ? (size_t)length : 0;
		print_lines(sources, source, false);
	}
}

static bool print_all(struct sources *sources, struct error *err)
{
	for (size_t i = 0; i < sources->count; i++)
		print_new(sources, &sources->items[i]);
	if (fflush(sources->out) != 0)
		return error_set(err, ERROR_IO, "cannot write the logs: %s", strerror(errno));
	return true;
}

static bool follow_all(struct sources *sources, const char *dir, struct error *err)
{
	struct loop *loop = loop_create(err);
	if (loop == NULL)
		return false;
	bool good = true;
	while (good && !loop_stop_requested(loop) && folder_holder(dir) != 0) {
		good = loop_turn(loop, chrono_after(chrono_now_ns(), LOOK_EVERY_NS), err) &&
		       print_all(sources, err);
	}
	loop_free(loop);
	return good;
}

static void release(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].path);
		if (sources->items[i].fd >= 0)
			close(sources->items[i].fd);
		buf_release(&sources->items[i].line);
	}
}

bool logs_print(const char *dir, const char *name, bool follow, FILE *out, struct error *err)
{
	if (!folder_is_lab(dir)) {
		char *shown = text_quote(slice_str(dir));
		error_set(err, ERROR_UNAVAILABLE, "there is no lab in '%s'", shown);
		free(shown);
		return false;
	}
	struct sources sources = {.named = name == NULL, .out = out};
	bool good = choose(&sources, dir, name, err) && print_all(&sources, err) &&
		    (!follow || follow_all(&sources, dir, err));
	for (size_t i = 0; i < sources.count; i++)
		print_lines(&sources, &sources.items[i], true);
	release(&sources);
	return good;
}
