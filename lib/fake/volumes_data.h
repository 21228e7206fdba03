/* volumes_data.h - the word lists behind the volumes: our own selection, embedded in the program.
 */
#ifndef FAKE_VOLUMES_DATA_H
#define FAKE_VOLUMES_DATA_H

#include "base/buf.h"
#include "base/rng.h"

/* Words in UTF-8, within Latin-1, so that volumes_data_append_ascii knows each letter. */
struct volumes_list {
	const char *const *items;
	size_t count;
};

struct volumes_pair {
	const char *name, *code;
};

struct volumes_pairs {
	const struct volumes_pair *items;
	size_t count;
};

extern const struct volumes_list volumes_data_first_names, volumes_data_last_names,
    volumes_data_prefixes, volumes_data_cities, volumes_data_streets, volumes_data_street_suffixes,
    volumes_data_words, volumes_data_products, volumes_data_company_suffixes, volumes_data_jobs,
    volumes_data_colors, volumes_data_user_agents, volumes_data_mime_types,
    volumes_data_file_extensions, volumes_data_timezones, volumes_data_locales,
    volumes_data_adjectives, volumes_data_nouns, volumes_data_http_methods, volumes_data_emojis;
extern const struct volumes_pairs volumes_data_countries, volumes_data_states,
    volumes_data_currencies, volumes_data_languages;

/* One word, each as likely as any other. */
const char *volumes_data_pick(struct rng *r, const struct volumes_list *list);
void volumes_data_append(struct rng *r, const struct volumes_list *list, struct buf *out);
const struct volumes_pair *volumes_data_pick_pair(struct rng *r, const struct volumes_pairs *pairs);

/* A word in lower-case ASCII: "Renée O'Hara" -> "reneeohara". For addresses and file names. */
void volumes_data_append_ascii(const char *word, struct buf *out);

#endif
