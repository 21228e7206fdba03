/* plan_private.h - the parts of a plan. */
#ifndef BENCH_PLAN_PRIVATE_H
#define BENCH_PLAN_PRIVATE_H

#include "bench/plan.h"

/* Fills queues and document. */
bool plan_topology(struct plan *plan, struct error *err);
/* The texts of a list whose items may hold several, parted by commas; NULL-terminated, to free with
 * plan_free_texts. */
char **plan_split(const struct option_list *list);
void plan_free_texts(char **texts);
/* Where publisher i sends: an exchange ("" is the default one), and a key that is not random. */
const char *plan_exchange(const struct plan *plan);
const char *plan_key(const struct plan *plan, size_t publisher);

/* Fills sizes, bodies, specs, stamp: what is sent. */
bool plan_message(struct plan *plan, struct error *err);
/* The message patterns of a publisher, each at its pace. */
bool plan_members(struct plan *plan, size_t publisher, struct plan_lane *lane, struct error *err);

/* Whether the message of the settings is among those named. */
bool plan_sends(const struct plan *plan, const char *name);

/* NAME=VALUE into an object; the value is read as one of the settings would be. */
bool plan_assign(const char *text, json_t *object, struct error *err);

#endif
