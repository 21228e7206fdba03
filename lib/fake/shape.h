/* shape.h - what the fields of a pattern may come to be, as a JSON Schema. */
#ifndef FAKE_SHAPE_H
#define FAKE_SHAPE_H

#include <jansson.h>

/*
 * The schema (draft 7 and later) of the object that `fields` make, or of one SPEC, which must be
 * good: see pattern_create. `pools` are those of the settings, or NULL. Whatever is rendered
 * satisfies it. To json_decref.
 */
json_t *shape_fields(const json_t *fields, const json_t *pools);
json_t *shape_value(const json_t *spec, const json_t *pools);

/*
 * What `cloudevents` and `trace` of a message add: the headers they write, by name; and, of a
 * structured event, the body around its data, whose schema is taken (NULL: whatever it is).
 */
json_t *shape_event_headers(const json_t *message);
json_t *shape_event_take(const json_t *message, json_t *data);

#endif
