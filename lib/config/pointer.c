#include "config/pointer.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define KEY_BYTES 80
#define PATH_BYTES 300
#define POINTER_BYTES 4000 /* what is looked at of a pointer */

void pointer_push(struct buf *pointer, struct slice key)
{
	buf_append_char(pointer, '/');
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] == '~')
			buf_append_str(pointer, "~0");
		else if (key.ptr[i] == '/')
			buf_append_str(pointer, "~1");
		else
			buf_append_char(pointer, key.ptr[i]);
}

void pointer_push_index(struct buf *pointer, size_t index)
{
	buf_append_char(pointer, '/');
	buf_append_u64(pointer, index);
}

bool pointer_next(struct slice *rest, struct buf *key)
{
	if (rest->len == 0)
		return false;
	buf_clear(key);
	buf_append(key, (struct slice){0}); /* an empty key is a key, with its NUL */
	size_t i = 1;			    /* behind the '/' */
	for (; i < rest->len && rest->ptr[i] != '/'; i++) {
		bool escaped = rest->ptr[i] == '~' && i + 1 < rest->len;
		i += escaped;
		char c = rest->ptr[i];
		buf_append_char(key, escaped && c == '0' ? '~' : escaped && c == '1' ? '/' : c);
	}
	*rest = slice_from(*rest, i);
	return true;
}

static bool needs_quotes(struct slice key)
{
	static const char misread[] = ".=\" ";
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] == '\0' || strchr(misread, key.ptr[i]) != NULL)
			return true;
	return key.len == 0;
}

/* The last keys of a long pointer, at least one: that is where the trouble is. */
static struct slice tail(struct slice pointer)
{
	if (pointer.len <= POINTER_BYTES)
		return pointer;
	const char *end = pointer.ptr + pointer.len;
	const char *slash = memchr(end - POINTER_BYTES, '/', POINTER_BYTES);
	if (slash == NULL)
		slash = memrchr(pointer.ptr, '/', pointer.len);
	return (struct slice){slash, (size_t)(end - slash)};
}

/* Marks what was cut off in front, and cuts more where that is not enough. */
static char *shorten(struct buf *path, bool was_cut)
{
	if (path->len <= PATH_BYTES && !was_cut)
		return buf_take(path);
	size_t cut = path->len > PATH_BYTES ? path->len - PATH_BYTES : 0;
	while (cut < path->len && ((unsigned char)path->ptr[cut] & 0xc0) == 0x80)
		cut++;
	char *end = mem_printf("...%s", path->len > 0 ? path->ptr + cut : "");
	buf_release(path);
	return end;
}

char *pointer_path(struct slice pointer)
{
	struct buf path = {0}, key = {0};
	struct slice rest = tail(pointer);
	bool was_cut = rest.len < pointer.len;
	while (pointer_next(&rest, &key)) {
		const char *quote = needs_quotes(buf_slice(&key)) ? "\"" : "";
		buf_append_str(&path, path.len > 0 ? "." : "");
		buf_append_str(&path, quote);
		text_escape(buf_slice(&key), KEY_BYTES, &path);
		buf_append_str(&path, quote);
	}
	buf_release(&key);
	return shorten(&path, was_cut);
}
