#include "app/api.h"

#include "app/secrets.h"
#include "base/chrono.h"
#include "base/log.h"

#include <strings.h>

#define MANAGEMENT_LIMIT_NS (60 * CHRONO_S) /* for one answer; 10,000 queues take a few seconds */

/* ---- the password of AMQP for the HTTP API ---- */

static bool is_this_machine(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	       strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

/* Of the broker without brackets, of the API with them. */
static bool is_same_host(const char *broker, const char *api)
{
	size_t len = strlen(api);
	bool in_brackets = len > 2 && api[0] == '[' && api[len - 1] == ']';
	if (is_this_machine(broker) && is_this_machine(api))
		return true;
	if (!in_brackets)
		return strcasecmp(broker, api) == 0;
	return strlen(broker) == len - 2 && strncasecmp(broker, api + 1, len - 2) == 0;
}

static bool is_host_of(const struct settings *s, const char *host)
{
	for (size_t i = 0; i < s->uri_count; i++)
		if (is_same_host(s->uris[i].host, host))
			return true;
	return false;
}

/* Warns when the HTTP API gets the password of the broker's first address, and not as that address
 * would send it: without TLS though it has TLS, or to a host that is none of the broker's. Not of
 * guest's, and not of the clear on this machine. */
static void warn_of_lending(const struct settings *s, const struct client *management)
{
	const char *host = client_lent_to(management);
	const struct uri *lender = &s->uris[0];
	if (host == NULL || strcmp(lender->password, SECRETS_KNOWN_PASSWORD) == 0)
		return;
	if (lender->tls && !client_is_tls(management) && !is_this_machine(host))
		log_write(LOG_WARNING,
		    "the broker's password goes to %s without TLS: give an address with https://, "
		    "or with a user and password of its own",
		    client_shown(management));
	else if (!is_host_of(s, host))
		log_write(LOG_WARNING,
		    "the broker's password goes to another host, %s: to prevent it, give that "
		    "address a user and password of its own",
		    client_shown(management));
}

/* ---- opening ---- */

static const char *address(const struct tool *tool)
{
	const char *given = tool->options->management;
	return given != NULL && given[0] != '\0' ? given : tool->settings.management;
}

bool api_is_known(const struct tool *tool)
{
	return address(tool) != NULL;
}

bool api_open(struct tool *tool, struct error *err)
{
	if (tool->management != NULL)
		return true;
	const char *url = address(tool);
	if (url == NULL)
		return error_set(err, ERROR_USAGE,
		    "where is the HTTP API? give --management URL, or broker.management in the "
		    "settings");
	if (!tool_prepare_secrets(tool, err) || !tool_open_loop(tool, err))
		return false;
	const struct uri *broker = &tool->settings.uris[0];
	const struct client_options options = {.url = url,
	    .user = broker->user,
	    .password = broker->password,
	    .ca = broker->cacertfile,
	    .cert = broker->certfile,
	    .key = broker->keyfile,
	    .verify_none = broker->verify_none,
	    .limit_ns = MANAGEMENT_LIMIT_NS};
	tool->management = client_open(tool->loop, &options, err);
	if (tool->management != NULL)
		warn_of_lending(&tool->settings, tool->management);
	return tool->management != NULL;
}

void api_close(struct tool *tool)
{
	client_close(tool->management);
	tool->management = NULL;
}
