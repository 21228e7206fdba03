#include "app/from.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/problems.h"
#include "flow/source_pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct from {
	int fd;	    /* -1: a directory */
	char *name; /* of what is read, printable */
	struct pattern *pattern;
	struct pace_plan plan; /* its parts are borrowed */
	struct source_lines *lines;
	struct source_pattern *files;
	struct source_pattern_member member; /* of files */
};

static void note_first(void *ctx, const char *pointer, const char *text)
{
	error_set(ctx, ERROR_USAGE, "%s: %s", pointer, text);
}

/* The pattern of the model with another body: for lines, an empty one that each line replaces. */
static struct pattern *derive_pattern(
    const struct from_options *o, json_t *files, struct error *err)
{
	json_t *spec =
	    o->model != NULL ? json_copy((json_t *)(uintptr_t)o->model->spec) : json_object();
	json_object_del(spec, "broken");
	json_object_del(spec, "files");
	json_object_del(spec, "body");
	if (files != NULL)
		json_object_set(spec, "files", files);
	else
		json_object_set_new(spec, "body", json_string(""));
	if (o->exchange != NULL)
		json_object_set_new(spec, "exchange", json_string(o->exchange));
	if (o->routing_key != NULL)
		json_object_set_new(spec, "routing_key", json_string(o->routing_key));
	struct pattern *pattern = pattern_create(
	    o->model != NULL ? o->model->name : NULL, spec, ".", o->pools, note_first, err);
	json_decref(spec);
	return pattern;
}

/* ---- lines ---- */

/* A pipe, a person: what was read of them before does not come again. */
static bool begins_anew(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool open_lines(struct from *from, const struct from_options *o, struct error *err)
{
	bool is_stdin = strcmp(o->path, "-") == 0;
	from->fd = is_stdin ? dup(STDIN_FILENO) : open(o->path, O_RDONLY | O_CLOEXEC);
	if (from->fd < 0)
		return error_set(
		    err, ERROR_NO_INPUT, "cannot read '%s': %s", from->name, strerror(errno));
	from->pattern = derive_pattern(o, NULL, err);
	if (from->pattern == NULL)
		return false;
	struct source_lines_options reading = {.loop = o->loop,
	    .fd = from->fd,
	    .name = is_stdin ? "standard input" : from->name,
	    .format = o->format,
	    .pattern = from->pattern,
	    .is_routed = o->model != NULL,
	    .exchange = slice_str(o->exchange),
	    .routing_key = slice_str(o->routing_key),
	    .plan = &from->plan,
	    .seed = o->seed,
	    .skip = o->skip,
	    .is_read_on = !begins_anew(from->fd)};
	if (o->skip > 0 && reading.is_read_on)
		log_write(LOG_INFO, "%s is no file: it is read from where it is now", reading.name);
	if (!from->plan.unlimited)
		from->plan.amount -= o->skip < from->plan.amount ? o->skip : from->plan.amount;
	from->lines = source_lines_create(&reading);
	return true;
}

/* ---- files ---- */

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Appends the path of a file as a pattern that glob takes literally. */
static void add_file(json_t *files, const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	struct buf literal = {0};
	for (const char *p = path; *p != '\0'; p++) {
		if (strchr("*?[\\", *p) != NULL)
			buf_append_char(&literal, '\\');
		buf_append_char(&literal, *p);
	}
	json_array_append_new(files, json_stringn_nocheck(literal.ptr, literal.len));
	buf_release(&literal);
}

/* The regular files of a directory, by name. */
static json_t *list_files(const char *directory)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, is_visible, by_name);
	json_t *files = json_array();
	for (int i = 0; i < count; i++) {
		char *path = mem_printf("%s/%s", directory, entries[i]->d_name);
		add_file(files, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return files;
}

static bool open_files(struct from *from, const struct from_options *o, struct error *err)
{
	json_t *files = list_files(o->path);
	size_t count = json_array_size(files);
	if (count > 0)
		from->pattern = derive_pattern(o, files, err);
	else
		error_set(err, ERROR_NO_INPUT, "no files in '%s'", from->name);
	json_decref(files);
	if (from->pattern == NULL)
		return false;
	if (from->plan.unlimited) {
		from->plan.unlimited = false;
		from->plan.amount = count;
	}
	from->member = (struct source_pattern_member){"files", from->pattern, &from->plan};
	struct source_pattern_options patterns = {
	    .members = &from->member, .count = 1, .seed = o->seed, .skip = o->skip};
	from->files = source_pattern_create(&patterns);
	return true;
}

/* ---- both ---- */

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct from *from_open(const struct from_options *options, struct error *err)
{
	struct from *from = mem_alloc(1, sizeof *from);
	from->fd = -1;
	char *masked = problems_mask(slice_str(options->path));
	from->name = text_quote(slice_str(masked));
	free(masked);
	from->plan = *options->plan;
	bool files = is_directory(options->path);
	if ((files ? open_files : open_lines)(from, options, err))
		return from;
	from_close(from);
	return NULL;
}

void from_close(struct from *from)
{
	if (from == NULL)
		return;
	source_lines_free(from->lines);
	source_pattern_free(from->files);
	pattern_free(from->pattern);
	if (from->fd >= 0)
		close(from->fd);
	free(from->name);
	free(from);
}

struct flow_source from_source(struct from *from)
{
	return from->lines != NULL ? source_lines_source(from->lines)
				   : source_pattern_source(from->files);
}

bool from_is_terminal(const struct from *from)
{
	return from->fd >= 0 && isatty(from->fd);
}
