/* pointer.h - JSON pointers (RFC 6901): built, taken apart, and shown as dotted paths. */
#ifndef CONFIG_POINTER_H
#define CONFIG_POINTER_H

#include "base/buf.h"

/* Appends "/" and the key with '~' and '/' escaped. */
void pointer_push(struct buf *pointer, struct slice key);
void pointer_push_index(struct buf *pointer, size_t index);

/* Cuts the first key off *rest and writes it, unescaped, to key (cleared first). False at the
 * end. */
bool pointer_next(struct slice *rest, struct buf *key);

/*
 * "/messages/order_placed/amount" as "messages.order_placed.amount": a key that holds a dot or
 * could be misread stands in double quotes, as document_set reads it. Escaped, with "..." in front
 * when it is very long. To free().
 */
char *pointer_path(struct slice pointer);

#endif
