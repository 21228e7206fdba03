/*
 * asyncapi_reader.h - walks an AsyncAPI document: values with their place, references followed.
 *
 * A $ref may lead anywhere within the document, over at most 32 others; one that leads out of it is
 * refused. What cannot be taken is told once each, with its place.
 */
#ifndef APP_ASYNCAPI_READER_H
#define APP_ASYNCAPI_READER_H

#include "config/document.h"

/* A value and where it stands, as a JSON pointer; both borrowed from the reader. `= {0}`: none. */
struct asyncapi_node {
	const json_t *value;
	const char *pointer;
};

/* A sentence about what is not taken, escaped, with its place. */
typedef void asyncapi_note_fn(void *ctx, const char *text);

struct asyncapi_reader {
	const struct document *document;
	asyncapi_note_fn *note;
	void *ctx;
	json_t *pointers; /* owned: the texts of nodes, by themselves */
	json_t *noted;	  /* owned: what was told */
};

/* document: borrowed. */
void asyncapi_reader_init(
    struct asyncapi_reader *r, const struct document *document, asyncapi_note_fn *note, void *ctx);
/* Tells how many notes were held back, and frees. */
void asyncapi_reader_release(struct asyncapi_reader *r);

struct asyncapi_node asyncapi_reader_root(struct asyncapi_reader *r);
/* A member of an object or an item of a list, where a $ref of it leads; none when it is not there,
 * or leads nowhere, which is noted. */
struct asyncapi_node asyncapi_reader_member(
    struct asyncapi_reader *r, struct asyncapi_node of, const char *key);
struct asyncapi_node asyncapi_reader_item(
    struct asyncapi_reader *r, struct asyncapi_node of, size_t index);
/* The text of a member; NULL: there is none. One that is no text is noted. */
const char *asyncapi_reader_text(
    struct asyncapi_reader *r, struct asyncapi_node of, const char *key);
/* A value of the document by its pointer, references on the way not followed; NULL: none. */
const json_t *asyncapi_reader_find(const json_t *root, const char *pointer);

/* "file:3:5: channels.orders: text". Foreign bytes in the text must be escaped. */
void asyncapi_reader_note(struct asyncapi_reader *r, struct asyncapi_node at, const char *fmt, ...)
    ERROR_FORMAT(3, 4);
/* The same as an ERROR_DATA; false. */
bool asyncapi_reader_fail(struct asyncapi_reader *r, struct asyncapi_node at, struct error *err,
    const char *fmt, ...) ERROR_FORMAT(4, 5);

#endif
