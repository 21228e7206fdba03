/* pattern_body.h - the body of a message: its fields as JSON, a template, or a file; sometimes
 * broken on purpose. */
#ifndef FAKE_PATTERN_BODY_H
#define FAKE_PATTERN_BODY_H

#include "fake/pattern_fields.h"
#include "fake/pattern_samples.h"

enum pattern_body_kind { PATTERN_BODY_OBJECT, PATTERN_BODY_TEMPLATE, PATTERN_BODY_FILES };

/* Owned; `= {0}` is an empty JSON object. */
struct pattern_body {
	enum pattern_body_kind kind;
	struct slice *prefixes; /* ,"name": of each field; in one allocation with their text */
	struct buf prefix_text;
	struct generator *template;
	struct pattern_samples samples;
	double broken; /* the share of messages that get a bad body */
	struct buf text;
};

/* Uses body, files and broken of the message's settings. False when something was reported;
 * release in any case. */
bool pattern_body_create(struct pattern_body *b, const json_t *spec, const char *directory,
    const struct pattern_fields *fields, struct generator_scope *scope);

/* *body is valid until the next call. *content_type is the default for this body. *broken names
 * what was done to it; empty: nothing. */
void pattern_body_render(struct pattern_body *b, const struct pattern_fields *fields,
    struct generator_context *x, struct slice *body, struct slice *content_type,
    struct slice *broken);

void pattern_body_release(struct pattern_body *b);

#endif
