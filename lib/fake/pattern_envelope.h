/* pattern_envelope.h - the properties and headers of a message: constants encoded once, the rest
 * per message. */
#ifndef FAKE_PATTERN_ENVELOPE_H
#define FAKE_PATTERN_ENVELOPE_H

#include "fake/generator.h"
#include "model/message.h"

/* A property from the settings. */
struct pattern_property {
	const struct message_property_row *row;
	struct generator *generator;
	bool is_constant; /* then it is part of `constants`, and the generator owns its text */
	size_t at, len;	  /* in texts, of the message being rendered */
};

/* A run of encoded constant headers, or the key of one header and what makes its value. */
struct pattern_header {
	size_t at, len;		     /* in header_constants */
	struct generator *generator; /* NULL: constants */
};

/* Owned; `= {0}` has neither properties nor headers. */
struct pattern_envelope {
	struct message constants;
	struct pattern_property properties[MESSAGE_PROPERTY_COUNT];
	size_t property_count;
	bool is_stamped; /* timestamp: now */
	char expiration[24];
	struct pattern_header *headers;
	size_t header_count;
	struct buf header_constants;
	struct buf texts, table;
};

/* Uses properties and headers of the message's settings. False when something was reported;
 * release in any case. */
bool pattern_envelope_create(
    struct pattern_envelope *e, const json_t *spec, struct generator_scope *scope);

/* Sets present, all properties and headers of *out. content_type is the default. `broken`, when not
 * empty, is the value of a header warren-broken. */
bool pattern_envelope_render(struct pattern_envelope *e, struct generator_context *x,
    struct slice content_type, struct slice broken, struct message *out,
    struct error *err) MUST_CHECK;

/* A template from a string or a generator from a map: routing keys and properties. NULL: reported.
 */
struct generator *pattern_envelope_read_text(
    const json_t *json, const struct report_path *at, struct generator_scope *scope);

void pattern_envelope_release(struct pattern_envelope *e);

#endif
