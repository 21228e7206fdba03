#include "model/topic.h"

#include "base/text.h"

/* What is left of a key: NULL when there are no more words, "" for one more that is empty. */
static const char *first_word(const char *key)
{
	return key[0] == '\0' ? NULL : key;
}

/* Takes a word off the front; false when there is none. */
static bool take(const char **rest, struct slice *word)
{
	if (*rest == NULL)
		return false;
	const char *end = strchrnul(*rest, '.');
	*word = (struct slice){*rest, (size_t)(end - *rest)};
	*rest = *end == '\0' ? NULL : end + 1;
	return true;
}

bool topic_matches(const char *pattern, const char *key)
{
	const char *p = first_word(pattern), *k = first_word(key);
	/* Behind the last '#': a match that fails goes on from there with a word more for it. What
	 * an earlier '#' could take instead, this one can as well. */
	bool has_hash = false;
	const char *p_again = NULL, *k_again = NULL;
	for (;;) {
		const char *p_next = p, *k_next = k;
		struct slice wanted, word;
		bool wants = take(&p_next, &wanted), has = take(&k_next, &word);
		if (wants && slice_is(wanted, "#")) {
			has_hash = true;
			p = p_again = p_next;
			k_again = k;
		} else if (wants && has && (slice_is(wanted, "*") || slice_equal(wanted, word))) {
			p = p_next;
			k = k_next;
		} else if (!wants && !has) {
			return true;
		} else if (!has_hash || !take(&k_again, &word)) {
			return false;
		} else {
			p = p_again;
			k = k_again;
		}
	}
}

/* ---- why not ---- */

static size_t count_words(const char *key, bool *has_hash)
{
	const char *rest = first_word(key);
	struct slice word;
	size_t count = 0;
	for (; take(&rest, &word); count++)
		*has_hash |= slice_is(word, "#");
	return count;
}

static void write_word(struct slice word, struct buf *out)
{
	buf_append_char(out, '\'');
	text_escape(word, 255, out);
	buf_append_char(out, '\'');
}

void topic_write_reason(const char *pattern, const char *key, struct buf *out)
{
	bool has_hash = false, is_literal = false;
	size_t wanted_count = count_words(pattern, &has_hash);
	size_t count = count_words(key, &is_literal);
	if (!has_hash && count != wanted_count) {
		buf_printf(out, ", %zu word%s wanted and it has %zu", wanted_count,
		    wanted_count == 1 ? "" : "s", count);
		return;
	}
	const char *p = first_word(pattern), *k = first_word(key);
	struct slice wanted, word;
	for (size_t n = 1; take(&p, &wanted) && !slice_is(wanted, "#"); n++) {
		if (!take(&k, &word)) {
			buf_printf(out, ", it has no word %zu", n);
			return;
		}
		if (slice_is(wanted, "*") || slice_equal(wanted, word))
			continue;
		buf_printf(out, ", word %zu is ", n);
		write_word(word, out);
		buf_append_str(out, " and not ");
		write_word(wanted, out);
		return;
	}
}
