/* settings_private.h - what the files of app/settings share while the settings are read. */
#ifndef APP_SETTINGS_PRIVATE_H
#define APP_SETTINGS_PRIVATE_H

#include "app/settings.h"

/* Where reports of the model's readers go: their pointers stand below `base`. */
struct reporter {
	const struct document *document;
	struct problems *problems;
	const char *base;
	const json_t *faulty; /* items that the schema refused: their faults are known */
};

/* Whether the item that a path leads to is one of those. */
bool settings_is_faulty(const json_t *faulty, const char *path);

/* A reader_report_fn; ctx is a struct reporter. */
void settings_report(void *ctx, const char *pointer, const char *text);

/* "/queues/orders" of section and name; to free(). */
char *settings_pointer(const char *section, const char *name);

/* settings_contracts.c: that each `contract` of the section's items is there, and a good schema. */
void settings_check_contracts(
    const struct settings *s, const char *section, struct reporter *reporter);

/* settings_relays.c: that each relay has one source and one sink, which are there. */
void settings_check_relays(const struct settings *s, struct reporter *reporter);

/* settings_broker.c: where the broker is, and how to reach it. Fails when the address that the
 * options give is wrong; what is wrong in the settings is reported. */
bool settings_read_broker(struct settings *s, const struct settings_options *options,
    struct reporter *reporter, struct error *err) MUST_CHECK;
void settings_release_uris(struct settings *s);

#endif
