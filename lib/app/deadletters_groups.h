/* deadletters_groups.h - dead letters put together by why, where and with what error they died. */
#ifndef APP_DEADLETTERS_GROUPS_H
#define APP_DEADLETTERS_GROUPS_H

#include "model/death.h"

struct deadletters_groups;

/* Where a message is to go. */
struct deadletters_place {
	struct slice exchange, routing_key;
	const char *stays; /* why it goes nowhere; NULL: it goes */
};

struct deadletters_groups *deadletters_groups_create(void);
void deadletters_groups_free(struct deadletters_groups *g);

/* Counts a message; place may be NULL. Beyond 1,000 groups all are one: memory stays bounded. */
void deadletters_groups_add(struct deadletters_groups *g, const struct message *m,
    const struct death *d, const struct deadletters_place *place);

size_t deadletters_groups_count(const struct deadletters_groups *g);
/* How many messages go somewhere. */
uint64_t deadletters_groups_going(const struct deadletters_groups *g);

/* Appends a table of at most 80 columns, or one JSON object a line: the largest group first. Ages
 * are those at now_s, seconds since 1970. */
void deadletters_groups_write_table(struct deadletters_groups *g, uint64_t now_s, struct buf *out);
void deadletters_groups_write_json(struct deadletters_groups *g, uint64_t now_s, struct buf *out);

/* Appends where those that go are going: "exchange 'order'", "queue 'jobs'", "3 places". */
void deadletters_groups_write_places(const struct deadletters_groups *g, struct buf *out);

#endif
