/* volumes_words.h - volumes made of words: sentences, filler, names of files and of places on the
 * web. */
#ifndef FAKE_VOLUMES_WORDS_H
#define FAKE_VOLUMES_WORDS_H

#include "fake/volume.h"

volume_fn volumes_words_word, volumes_words_words, volumes_words_sentence, volumes_words_paragraph,
    volumes_words_text, volumes_words_catch_phrase, volumes_words_slug, volumes_words_file_name,
    volumes_words_file_path, volumes_words_file_extension, volumes_words_domain_word,
    volumes_words_domain_name, volumes_words_hostname, volumes_words_uri, volumes_words_url,
    volumes_words_uri_path, volumes_words_emoji;

/* Appends exactly `bytes` bytes of words. */
void volumes_words_fill(struct rng *r, size_t bytes, struct buf *out);

#endif
