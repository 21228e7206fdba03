/*
 * topic.h - the patterns of topic exchanges, as RabbitMQ matches them.
 *
 * A key is words between dots. In a pattern `*` stands for one word and `#` for any number of them,
 * none as well; elsewhere in a word they are characters like others. Words may be empty: "." is two
 * of them, and "" is none at all. https://www.rabbitmq.com/tutorials/tutorial-five-python
 */
#ifndef MODEL_TOPIC_H
#define MODEL_TOPIC_H

#include "base/buf.h"

/* Takes time of the order of the two lengths' product at most. */
bool topic_matches(const char *pattern, const char *key);

/* For a key that does not match, appends what is known of why, printable, to stand behind a comma:
 * ", 3 words wanted and it has 2"; nothing when there is no short reason. */
void topic_write_reason(const char *pattern, const char *key, struct buf *out);

#endif
