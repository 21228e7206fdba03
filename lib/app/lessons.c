#include "app/lessons.h"

#include "app/locate.h"
#include "base/chrono.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/attend.h"
#include "lab/child.h"
#include "lab/remote.h"
#include "lab/stage.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- which there are ---- */

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "match" for "settings/match.yaml"; to free(). */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	return mem_strndup(name, strcspn(name, "."));
}

static bool is_listed(const struct child_words *lines, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < lines->count; i++)
		if (strncmp(lines->items[i], name, length) == 0 && lines->items[i][length] == ' ')
			return true;
	return false;
}

/* A file that cannot be read tells so when it is played. */
static void add_line(struct child_words *lines, const char *path)
{
	struct problems problems = {0};
	struct error ignored = {0};
	struct document *document = document_load(path, &problems, &ignored);
	const json_t *lesson =
	    document != NULL ? json_object_get(document_root(document), "lesson") : NULL;
	const char *title = json_string_value(json_object_get(lesson, "title"));
	char *name = name_of(path), *shown = text_quote(slice_str(name));
	if (title != NULL && !is_listed(lines, shown)) {
		struct buf line = {0};
		buf_printf(&line, "%-18s ", shown);
		text_escape(slice_str(title), SIZE_MAX, &line);
		buf_append_char(&line, '\n');
		child_words_take(lines, buf_take(&line));
	}
	free(name);
	free(shown);
	document_free(document);
	problems_release(&problems);
}

void lessons_render_list(struct buf *out)
{
	struct child_words lines = {0};
	char *installed = locate_installed();
	const char *const folders[] = {"settings", installed};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		glob_t found;
		char *pattern = mem_printf("%s/*.yaml", folders[i]);
		if (glob(pattern, 0, NULL, &found) == 0) {
			for (size_t n = 0; n < found.gl_pathc; n++)
				add_line(&lines, found.gl_pathv[n]);
			globfree(&found);
		}
		free(pattern);
	}
	if (lines.count > 0)
		qsort(lines.items, lines.count, sizeof *lines.items, by_line);
	for (size_t i = 0; i < lines.count; i++)
		buf_append_str(out, lines.items[i]);
	child_words_release(&lines);
	free(installed);
}

/* ---- playing one ---- */

struct showing {
	struct tool *tool;
	const struct lessons_options *options;
	char *path; /* of the file, absolute */
	struct state state;
	char *vhost;
};

/* A lab of its own is this program once more, beside that lab. */
static bool play_privately(struct showing *s, struct error *err)
{
	static const char *const colors[] = {"auto", "always", "never"};
	struct child_words command = {0};
	child_words_take(&command, mem_strdup("/proc/self/exe"));
	child_words_take(&command, mem_strdup("run"));
	child_words_take(&command, mem_strdup("--here"));
	child_words_take(&command, mem_strdup("--vhost=/"));
	child_words_take(&command, mem_printf("--rabbitmq=%s", s->options->lab.programs));
	child_words_take(&command, mem_printf("--color=%s", colors[s->tool->options->color]));
	if (s->options->yes)
		child_words_take(&command, mem_strdup("--yes"));
	child_words_take(&command, mem_strdup(s->path));
	log_write(LOG_INFO, "starting a private lab; it takes some seconds");
	bool good = attend_command(&s->options->lab, command.items, &s->tool->status, err);
	child_words_release(&command);
	return good;
}

static char *make_url(const struct showing *s)
{
	struct buf url = {0};
	char *node = state_url(&s->state.nodes[0]);
	buf_printf(&url, "%s/", node);
	for (const char *c = s->vhost; *c != '\0'; c++)
		buf_printf(&url, isalnum((unsigned char)*c) || *c == '-' ? "%c" : "%%%02x",
		    (unsigned)(unsigned char)*c);
	free(node);
	return buf_take(&url);
}

static bool is_terminal(int fd)
{
	const char *kind = getenv("TERM");
	return isatty(fd) && kind != NULL && strcmp(kind, "dumb") != 0;
}

static size_t terminal_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static bool play_there(struct showing *s, struct error *err)
{
	bool is_met = false;
	char *url = make_url(s), *folder = locate_directory(s->path);
	const struct stage_site site = {.url = url,
	    .topology = &s->tool->settings.topology,
	    .settings = s->path,
	    .folder = folder,
	    .out = stdout,
	    .width = terminal_width(),
	    .has_cursor = is_terminal(STDOUT_FILENO),
	    .color = tool_wants_color(s->tool, STDOUT_FILENO),
	    .pauses = !s->options->yes && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)};
	bool good = stage_play(&s->tool->settings.lesson, &site, &is_met, err);
	free(url);
	free(folder);
	if (good && (fflush(stdout) != 0 || ferror(stdout)))
		return error_set(
		    err, ERROR_IO, "cannot write to standard output: %s", strerror(errno));
	if (good && !is_met)
		s->tool->status = ERROR_UNDELIVERED;
	return good;
}

/* Evaluates an expression about the vhost, V. */
static bool tell_node(const struct showing *s, const char *expression, struct error *err)
{
	struct buf vhost = {0}, said = {0};
	remote_render_binary(slice_str(s->vhost), &vhost);
	char *text = mem_printf("V = %s, %s", vhost.ptr, expression);
	const struct remote remote = {.dir = s->options->lab.dir,
	    .programs = s->options->lab.programs,
	    .deadline_ns = chrono_after(chrono_now_ns(), s->options->lab.wait_ns)};
	bool good = remote_eval(&remote, &s->state, &s->state.nodes[0], text, &said, err);
	if (good && !slice_is(buf_slice(&said), "ok"))
		good = error_set(err, ERROR_UNAVAILABLE, "the broker has no vhost for the lesson");
	free(text);
	buf_release(&vhost);
	buf_release(&said);
	return good;
}

/* In a vhost of its own, so that it meets nothing that was there before, and leaves nothing. */
static bool play_apart(struct showing *s, struct error *err)
{
	char *name = name_of(s->path);
	free(s->vhost);
	s->vhost = mem_printf("lesson-%s-%d", name, (int)getpid());
	free(name);
	if (!tell_node(s,
		"ok = rabbit_vhost:add(V, <<\"warren\">>), "
		"rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, V, <<\".*\">>, "
		"<<\".*\">>, <<\".*\">>, <<\"warren\">>).",
		err))
		return false;
	bool good = play_there(s, err);
	struct error ignored = {0}; /* the first failure counts */
	return tell_node(s, "rabbit_vhost:delete(V, <<\"warren\">>), ok.", good ? err : &ignored) &&
	       good;
}

static bool play_here(struct showing *s, struct error *err)
{
	if (!lab_find(s->options->lab.dir, &s->state, err))
		return false;
	if (s->state.phase != STATE_RUNNING)
		return error_set(err, ERROR_UNAVAILABLE, "the lab is still starting, or ending");
	if (s->options->vhost == NULL)
		return play_apart(s, err);
	s->vhost = mem_strdup(s->options->vhost);
	return play_there(s, err);
}

static bool find_file(struct showing *s, struct error *err)
{
	char *path = locate_settings(s->options->lesson, err);
	s->path = path != NULL ? realpath(path, NULL) : NULL;
	if (path != NULL && s->path == NULL) {
		char *shown = text_quote(slice_str(path));
		error_set(err, ERROR_NO_INPUT, "cannot read '%s': %s", shown, strerror(errno));
		free(shown);
	}
	free(path);
	if (s->path == NULL)
		error_context(
		    err, "'lab run --list' names the lessons, 'lab run -- COMMAND' runs one");
	return s->path != NULL;
}

bool lessons_play(struct tool *tool, const struct lessons_options *options, struct error *err)
{
	struct showing s = {.tool = tool, .options = options};
	bool good = find_file(&s, err) && tool_read_settings(tool, options->lesson, 0, err);
	if (good && tool->settings.lesson.title == NULL)
		good = error_set(err, ERROR_USAGE,
		    "these settings have no 'lesson'; 'lab run --list' names those that have");
	good = good && (options->here ? play_here : play_privately)(&s, err);
	free(s.path);
	free(s.vhost);
	return good;
}
