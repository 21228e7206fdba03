/* relay_link.h - a relay's connection to a broker: the settings' own, or another one that it names.
 */
#ifndef APP_RELAY_LINK_H
#define APP_RELAY_LINK_H

#include "app/tool.h"

/* `= {0}` is none. Stays where it is while it is open. */
struct relay_link {
	struct tool *tool;
	struct uri *uris; /* owned when it is another broker */
	size_t uri_count;
	bool is_home; /* the broker of the settings, which they declare things on */
	char *name;
	struct tool_place place;
	const char *const *own; /* its exclusive queues are declared here; NULL for none */
	bool declares;
	struct connection *connection;
	struct recovery *recovery; /* NULL: a loss is the end */
};

/* Reads the address (NULL: the settings' broker) and gives it what the settings say of TLS. The
 * password stands in it. ERROR_SETTINGS without the password. */
bool relay_link_init(struct relay_link *link, struct tool *tool, const char *url, const char *name,
    struct error *err) MUST_CHECK;
/* Connects, and declares what the settings have when it is their broker and `declares` is set, now
 * and after each loss. */
bool relay_link_open(struct relay_link *link, struct error *err) MUST_CHECK;
/* Ends the connection; once more is fine. */
void relay_link_close(struct relay_link *link);
void relay_link_release(struct relay_link *link);

/* Whose name may stand on what is published there; NULL: nobody's. */
const char *relay_link_user(const struct relay_link *link);

#endif
