/* verdict.h - whether a lesson went as it says: each check against what the cast really printed. */
#ifndef LAB_VERDICT_H
#define LAB_VERDICT_H

#include "lab/actor.h"
#include "lab/lesson.h"

/* Judges one check, but for those of queues, which the broker knows. `cast` has an actor for each
 * of the lesson's. Appends what was found, printable. ERROR_USAGE: an expression does not compile.
 */
bool verdict_judge(const struct lesson *lesson, const struct lesson_check *check,
    struct actor *const cast[], bool *is_met, struct buf *found, struct error *err) MUST_CHECK;

/* Whether messages decide it, so that it may become true while some are on their way. */
bool verdict_is_of_messages(const struct lesson_check *check);

#endif
