/*
 * headers.h - which headers a headers exchange wants, as RabbitMQ 3.10 matches them.
 *
 * The arguments of the binding are what is wanted. x-match says how: all of them (also when it is
 * missing), any one, and with all-with-x and any-with-x also those whose names begin with "x-",
 * which are left out otherwise. A wanted value of null matches whatever is there. Values are equal
 * when they are as Erlang compares them: numbers by value, whatever their type (3, 3.0 and the
 * timestamp 3 are one), text and bytes alike, and never a number and a text. Inside of lists and
 * tables the types count as well, and in tables the order.
 */
#ifndef MODEL_HEADERS_H
#define MODEL_HEADERS_H

#include "base/buf.h"

/* Both are encoded field tables. Appends why, printable. */
bool headers_match(struct slice arguments, struct slice headers, struct buf *why);

#endif
