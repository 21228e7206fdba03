/*
 * pattern_event.h - the `cloudevents:` and `trace:` of a message: what makes an event of what the
 * rest of its settings say. model/envelope.h tells how it looks, model/trace.h what a trace is.
 */
#ifndef FAKE_PATTERN_EVENT_H
#define FAKE_PATTERN_EVENT_H

#include "fake/generator.h"
#include "model/envelope.h"

/* An attribute that may differ from message to message. */
struct pattern_event_attribute {
	const char *name; /* owned */
	struct generator *generator;
	bool is_required, is_extension;
};

/* Owned; `= {0}` makes no event. */
struct pattern_event {
	enum envelope_mode mode;
	bool is_traced;
	struct slice prefix;  /* of the headers, in binary mode */
	struct buf constants; /* specversion and what is the same for each event, encoded */
	struct pattern_event_attribute *attributes;
	size_t attribute_count;
	bool is_json;		     /* the data of the event being rendered */
	struct buf type, text, body; /* likewise; type is kept when it is constant */
	size_t head_len;	     /* of the body, up to its data */
};

/* Uses cloudevents, trace and headers of the message's settings. `name` is that of the message: its
 * events come from /warren/<name> unless they say otherwise; NULL: from /warren. False when
 * something was reported; release in any case. */
bool pattern_event_create(
    struct pattern_event *e, const char *name, const json_t *spec, struct generator_scope *scope);

/* Makes an event of the message, which is complete and whose headers are in `table`: appends there,
 * fills properties that are absent, in structured mode replaces body and content_type. */
bool pattern_event_render(struct pattern_event *e, struct generator_context *x, struct buf *table,
    struct message *m, struct error *err) MUST_CHECK;

/* Gives the message rendered last another body; it is the data of its event. */
void pattern_event_set_data(struct pattern_event *e, struct slice data, struct message *m);

void pattern_event_release(struct pattern_event *e);

#endif
