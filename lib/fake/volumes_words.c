#include "fake/volumes_words.h"

#include "base/mem.h"
#include "fake/volumes_data.h"

static void append_words(struct rng *r, int64_t count, const char *between, struct buf *out)
{
	for (int64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_str(out, between);
		volumes_data_append(r, &volumes_data_words, out);
	}
}

void volumes_words_word(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_words(r, 1, "", out);
}

void volumes_words_words(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_words(r, 3, " ", out);
}

void volumes_words_sentence(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	size_t first = out->len;
	append_words(r, rng_between(r, 4, 9), " ", out);
	out->ptr[first] = (char)(out->ptr[first] - 'a' + 'A');
	buf_append_char(out, '.');
}

static void append_sentences(struct rng *r, int64_t count, struct buf *out)
{
	for (int64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ' ');
		volumes_words_sentence(r, 0, out);
	}
}

void volumes_words_paragraph(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_sentences(r, rng_between(r, 3, 5), out);
}

void volumes_words_text(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_sentences(r, rng_between(r, 2, 3), out);
	buf_append_char(out, '\n');
	append_sentences(r, rng_between(r, 2, 3), out);
}

void volumes_words_catch_phrase(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_adjectives, out);
	buf_append_char(out, ' ');
	volumes_data_append(r, &volumes_data_words, out);
	buf_append_char(out, ' ');
	volumes_data_append(r, &volumes_data_nouns, out);
}

void volumes_words_slug(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_words(r, 3, "-", out);
}

void volumes_words_file_extension(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_file_extensions, out);
}

void volumes_words_file_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	append_words(r, 1, "", out);
	buf_append_char(out, '.');
	volumes_words_file_extension(r, wall_ms, out);
}

void volumes_words_file_path(struct rng *r, int64_t wall_ms, struct buf *out)
{
	buf_append_char(out, '/');
	append_words(r, 2, "/", out);
	buf_append_char(out, '/');
	volumes_words_file_name(r, wall_ms, out);
}

void volumes_words_domain_word(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_words_word(r, wall_ms, out);
}

void volumes_words_domain_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const reserved[] = {".example.com", ".example.net", ".example.org"};
	volumes_words_domain_word(r, wall_ms, out);
	buf_append_str(out, reserved[rng_below(r, ARRAY_LEN(reserved))]);
}

void volumes_words_hostname(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const roles[] = {"db", "email", "lt", "srv", "web"};
	buf_append_str(out, roles[rng_below(r, ARRAY_LEN(roles))]);
	buf_append_char(out, '-');
	buf_append_u64(out, 10 + rng_below(r, 90));
	buf_append_char(out, '.');
	volumes_words_domain_name(r, wall_ms, out);
}

void volumes_words_uri_path(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	append_words(r, rng_between(r, 1, 3), "/", out);
}

void volumes_words_url(struct rng *r, int64_t wall_ms, struct buf *out)
{
	buf_append_str(out, "https://");
	volumes_words_domain_name(r, wall_ms, out);
	buf_append_char(out, '/');
}

void volumes_words_uri(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_words_url(r, wall_ms, out);
	volumes_words_uri_path(r, wall_ms, out);
}

void volumes_words_emoji(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append(r, &volumes_data_emojis, out);
}

void volumes_words_fill(struct rng *r, size_t bytes, struct buf *out)
{
	char *at = buf_reserve(out, bytes);
	char *end = at + bytes;
	out->len += bytes;
	while (at < end) {
		struct slice word = slice_str(volumes_data_pick(r, &volumes_data_words));
		size_t room = (size_t)(end - at);
		size_t len = word.len < room ? word.len : room;
		memcpy(at, word.ptr, len);
		at += len;
		if (at < end - 1) /* never a space at the end: it would be lost in a listing */
			*at++ = ' ';
	}
	*end = '\0';
}
