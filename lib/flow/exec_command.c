#include "flow/exec_command.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- splitting ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at) || strncmp(at, "\\\n", 2) == 0)
		at += *at == '\\' ? 2 : 1;
	return at;
}

/* True for a backslash that means something between double quotes. */
static bool is_escape(const char *at)
{
	return at[0] == '\\' && at[1] != '\0' && strchr("$`\"\\\n", at[1]) != NULL;
}

/* Takes a quoted part; returns what follows it, or NULL when the quote stays open. */
static const char *take_quoted(const char *at, struct buf *word)
{
	char quote = *at++;
	while (*at != quote) {
		if (*at == '\0')
			return NULL;
		bool escaped = quote == '"' && is_escape(at);
		at += escaped;
		if (!escaped || *at != '\n') /* an escaped line end is none */
			buf_append_char(word, *at);
		at++;
	}
	return at + 1;
}

/* Takes one word; returns what follows it, or NULL with *reason. */
static const char *take_word(const char *at, struct buf *word, const char **reason)
{
	while (*at != '\0' && !is_blank(*at)) {
		if (*at == '\'' || *at == '"') {
			*reason = *at == '"' ? "a \" is not closed" : "a ' is not closed";
			at = take_quoted(at, word);
			if (at == NULL)
				return NULL;
		} else if (*at == '\\') {
			*reason = "nothing follows the \\ at the end";
			if (at[1] == '\0')
				return NULL;
			if (at[1] != '\n')
				buf_append_char(word, at[1]);
			at += 2;
		} else {
			buf_append_char(word, *at++);
		}
	}
	return at;
}

/* An argv and the bytes it points to, in one allocation. */
static char **make_argv(const struct buf *words, size_t count)
{
	char **argv = mem_alloc(1, (count + 1) * sizeof *argv + words->len);
	char *at = memcpy(argv + count + 1, words->ptr, words->len);
	for (size_t i = 0; i < count; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	return argv;
}

char **exec_command_split(const char *text, struct error *err)
{
	struct buf words = {0}; /* each with its NUL */
	size_t count = 0;
	char **argv = NULL;
	const char *reason = NULL, *at = skip_blanks(text);
	while (at != NULL && *at != '\0') {
		at = take_word(at, &words, &reason);
		if (at == NULL)
			break;
		buf_append_char(&words, '\0');
		count++;
		at = skip_blanks(at);
	}
	if (at == NULL) {
		char *quoted = text_quote(slice_str(text));
		error_set(err, ERROR_USAGE, "cannot split the command '%s': %s", quoted, reason);
		free(quoted);
	} else if (count == 0) {
		error_set(err, ERROR_USAGE, "the command is empty");
	} else {
		argv = make_argv(&words, count);
	}
	buf_release(&words);
	return argv;
}

/* The argv of words that are split already; they end with NULL. */
static char **copy(const char *const given[])
{
	struct buf words = {0};
	size_t count = 0;
	for (; given[count] != NULL; count++)
		buf_append(&words, (struct slice){given[count], strlen(given[count]) + 1});
	char **argv = make_argv(&words, count);
	buf_release(&words);
	return argv;
}

/* The argv that hands the text to /bin/sh, as it is. */
static char **for_shell(const char *text)
{
	return copy((const char *const[]){"/bin/sh", "-c", text, NULL});
}

/* ---- finding ---- */

/* 0, or the errno that says why it cannot be run. */
static int why_not_runnable(const char *path)
{
	struct stat info;
	if (stat(path, &info) != 0)
		return errno;
	if (S_ISDIR(info.st_mode))
		return EISDIR;
	return access(path, X_OK) == 0 ? 0 : errno;
}

/* Looks into each directory of a PATH; an empty one is the current. NULL when in none. */
static char *search_path(const char *name, const char *path)
{
	for (;;) {
		size_t length = strcspn(path, ":");
		char *candidate =
		    length == 0 ? mem_strdup(name) : mem_printf("%.*s/%s", (int)length, path, name);
		if (why_not_runnable(candidate) == 0)
			return candidate;
		free(candidate);
		if (path[length] == '\0')
			return NULL;
		path += length + 1;
	}
}

/* As it is seen from the folder. */
static char *seen_from(const char *folder, const char *name)
{
	bool is_ours = folder == NULL || name[0] == '/';
	return is_ours ? mem_strdup(name) : mem_printf("%s/%s", folder, name);
}

static char *find_named(const char *name, const char *folder, const char **reason)
{
	char *seen = seen_from(folder, name);
	int cause = why_not_runnable(seen);
	free(seen);
	*reason = strerror(cause);
	return cause == 0 ? mem_strdup(name) : NULL;
}

/* A part of PATH may be relative to the folder that is the current one now. */
static char *find_in_path(const char *name, const char *folder)
{
	const char *path = getenv("PATH");
	char *found = search_path(name, path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	if (found == NULL || folder == NULL || found[0] == '/')
		return found;
	char *whole = realpath(found, NULL);
	free(found);
	return whole;
}

/* The path of a program, looked for in PATH unless its name holds a slash: then it is the name,
 * which begins at the folder (NULL: the current one). To free(). NULL with ERROR_NO_INPUT when
 * there is none that may be run. */
static char *find(const char *name, const char *folder, struct error *err)
{
	const char *reason = "no such program in PATH";
	char *found = NULL;
	if (strchr(name, '/') != NULL)
		found = find_named(name, folder, &reason);
	else if (*name != '\0')
		found = find_in_path(name, folder);
	if (found == NULL) {
		char *quoted = text_quote(slice_str(name));
		error_set(err, ERROR_NO_INPUT, "cannot run '%s': %s", quoted, reason);
		free(quoted);
	}
	return found;
}

/* ---- as it is run ---- */

/* Words as they could have been typed. */
static char *name_of(const struct exec_command *command)
{
	struct buf text = {0};
	if (command->words == NULL)
		return text_quote(slice_str(command->text));
	for (size_t i = 0; command->words[i] != NULL; i++) {
		buf_append_str(&text, i > 0 ? " " : "");
		buf_append_str(&text, command->words[i]);
	}
	char *name = text_quote(buf_slice(&text));
	buf_release(&text);
	return name;
}

bool exec_command_prepare(
    const struct exec_command *command, struct exec_command_program *out, struct error *err)
{
	struct exec_command_program p = {0};
	if (command->words != NULL && command->words[0] == NULL)
		return error_set(err, ERROR_USAGE, "the command is empty");
	if (command->words != NULL)
		p.argv = copy(command->words);
	else if (command->shell)
		p.argv = for_shell(command->text);
	else
		p.argv = exec_command_split(command->text, err);
	if (p.argv != NULL)
		p.path = find(p.argv[0], command->folder, err);
	if (p.path == NULL) {
		free(p.argv);
		return false;
	}
	p.folder = command->folder != NULL ? mem_strdup(command->folder) : NULL;
	p.name = name_of(command);
	*out = p;
	return true;
}

void exec_command_release(struct exec_command_program *p)
{
	free(p->argv);
	free(p->path);
	free(p->folder);
	free(p->name);
	*p = (struct exec_command_program){0};
}
