#include "fake/pattern_samples.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES ((size_t)128 << 20)

static struct slice content_type(const char *path)
{
	static const struct {
		const char *ending, *type;
	} rows[] = {
	    {".json", "application/json"},
	    {".xml", "application/xml"},
	    {".txt", "text/plain"},
	    {".csv", "text/csv"},
	    {".html", "text/html"},
	};
	size_t len = strlen(path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t ending = strlen(rows[i].ending);
		if (len > ending && strcmp(path + len - ending, rows[i].ending) == 0)
			return slice_str(rows[i].type);
	}
	return SLICE("application/octet-stream");
}

/* The glob below the directory, whose own name must not be taken for a glob. */
static char *join(const char *directory, const char *pattern)
{
	struct buf path = {0};
	for (const char *c = pattern[0] == '/' ? "" : directory; *c != '\0'; c++) {
		if (strchr("*?[\\", *c) != NULL)
			buf_append_char(&path, '\\');
		buf_append_char(&path, *c);
	}
	if (path.len > 0 && path.ptr[path.len - 1] != '/')
		buf_append_char(&path, '/');
	buf_append_str(&path, pattern);
	return buf_take(&path);
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool find(struct pattern_samples *s, const json_t *item, const char *directory,
    const struct report_path *at, struct report *report)
{
	glob_t found = {0};
	size_t before = s->count;
	if (!json_is_string(item))
		return report_kind(report, at, "a path or a glob", item);
	char *path = join(directory, json_string_value(item));
	int result = glob(path, GLOB_NOSORT, NULL, &found);
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
		if (is_directory(found.gl_pathv[i]))
			continue;
		s->items = mem_grow(s->items, &s->capacity, s->count + 1, sizeof *s->items);
		s->items[s->count++].path = mem_strdup(found.gl_pathv[i]);
	}
	globfree(&found);
	if (s->count == before) {
		char *quoted = text_quote(slice_str(path));
		report_add(report, at, "no file matches '%s'", quoted);
		free(quoted);
	}
	free(path);
	return s->count > before;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(
	    ((const struct pattern_sample *)a)->path, ((const struct pattern_sample *)b)->path);
}

/* By path, each once: two globs may find the same file. */
static void sort(struct pattern_samples *s)
{
	size_t kept = 0;
	if (s->count > 1)
		qsort(s->items, s->count, sizeof *s->items, compare_paths);
	for (size_t i = 0; i < s->count; i++) {
		if (kept > 0 && strcmp(s->items[kept - 1].path, s->items[i].path) == 0)
			free(s->items[i].path);
		else
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
}

/* 0, an errno, or EFBIG. */
static int read_all(int fd, struct buf *out)
{
	for (;;) {
		char *end = buf_reserve(out, (size_t)64 << 10);
		ssize_t got = read(fd, end, (size_t)64 << 10);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : 0;
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
		if (out->len > MAX_FILE_BYTES)
			return EFBIG;
	}
}

static bool read_sample(
    struct pattern_sample *sample, const struct report_path *at, struct report *report)
{
	int fd =
	    open(sample->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hang us */
	int failure = fd < 0 ? errno : read_all(fd, &sample->body);
	if (fd >= 0)
		close(fd);
	sample->content_type = content_type(sample->path);
	if (failure == 0)
		return true;
	char *quoted = text_quote(slice_str(sample->path));
	report_add(report, at, "cannot read '%s': %s", quoted,
	    failure == EFBIG ? "it has more than 128 MiB" : strerror(failure));
	free(quoted);
	return false;
}

bool pattern_samples_read(struct pattern_samples *s, const json_t *spec, const char *directory,
    const struct report_path *at, struct report *report)
{
	bool good = true;
	if (json_is_array(spec)) {
		if (json_array_size(spec) == 0)
			return report_add(report, at, "needs at least one path or glob");
		for (size_t i = 0; i < json_array_size(spec); i++) {
			struct report_path here = {at, NULL, i};
			good &= find(s, json_array_get(spec, i), directory, &here, report);
		}
	} else {
		good = find(s, spec, directory, at, report);
	}
	sort(s);
	for (size_t i = 0; i < s->count; i++)
		good &= read_sample(&s->items[i], at, report);
	return good;
}

void pattern_samples_release(struct pattern_samples *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].path);
		buf_release(&s->items[i].body);
	}
	free(s->items);
	*s = (struct pattern_samples){0};
}
