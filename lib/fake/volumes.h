/*
 * volumes.h - the fake data: one generator a row, named as in Python's Faker where it has one.
 *
 * Everything made up is safe to send by accident: e-mail at example.com/.org/.net (RFC 2606), IPv4
 * from RFC 5737, IPv6 from RFC 3849, MAC addresses locally administered, phone numbers reserved for
 * fiction.
 */
#ifndef FAKE_VOLUMES_H
#define FAKE_VOLUMES_H

#include "fake/volume.h"

/* All volumes, sorted by name. */
const struct volume *volumes_all(size_t *count);
/* NULL when there is none of that name. Aliases of the walkthrough: id and serial are ean, number
 * is phone_number. */
const struct volume *volumes_find(struct slice name);
/* The volume whose name is nearest, for "did you mean"; NULL when none is near. */
const char *volumes_suggest(struct slice name);

#endif
