#include "app/relay_link.h"

#include "app/address.h"
#include "base/mem.h"
#include "broker/provision.h"

#include <stdlib.h>

static void note(void *ctx, const char *pointer, const char *text)
{
	error_set(ctx, ERROR_SETTINGS, "broker.tls%s: %s", pointer, text);
}

static bool read_uris(struct relay_link *link, const char *url, struct error *err)
{
	struct slice rest = slice_str(url);
	size_t capacity = 0;
	do {
		struct uri uri = {0};
		if (!uri_parse(address_take(&rest), &uri, err))
			return false;
		link->uris =
		    mem_grow(link->uris, &capacity, link->uri_count + 1, sizeof *link->uris);
		link->uris[link->uri_count++] = uri;
	} while (rest.len > 0);
	return true;
}

static bool apply_tls(struct relay_link *link, struct error *err)
{
	const struct settings *s = &link->tool->settings;
	const json_t *broker = json_object_get(document_root(s->document), "broker");
	struct reader r = {.report = note, .ctx = err};
	address_apply_tls(
	    json_object_get(broker, "tls"), s->directory, link->uris, link->uri_count, &r);
	reader_release(&r);
	return err->kind == ERROR_NONE;
}

bool relay_link_init(struct relay_link *link, struct tool *tool, const char *url, const char *name,
    struct error *err)
{
	*link = (struct relay_link){.tool = tool, .is_home = url == NULL, .name = mem_strdup(name)};
	if (url == NULL) {
		link->uris = tool->settings.uris;
		link->uri_count = tool->settings.uri_count;
	} else if (!read_uris(link, url, err) || !apply_tls(link, err)) {
		return false;
	}
	link->place = (struct tool_place){link->uris, link->uri_count, link->name};
	return true;
}

static bool restore(void *ctx, struct connection *c, struct error *err)
{
	const struct relay_link *link = ctx;
	return !link->is_home || !link->declares ||
	       provision_apply(c, &link->tool->settings.topology, link->own, NULL, NULL, err);
}

bool relay_link_open(struct relay_link *link, struct error *err)
{
	if (link->is_home && !tool_prepare_secrets(link->tool, err))
		return false;
	link->connection = tool_reach(link->tool, &link->place, err);
	if (link->connection == NULL || !restore(link, link->connection, err))
		return false;
	link->recovery =
	    tool_recovery_at(link->tool, &link->place, link->connection, restore, link);
	return true;
}

void relay_link_close(struct relay_link *link)
{
	recovery_free(link->recovery);
	connection_close(link->connection);
	link->recovery = NULL;
	link->connection = NULL;
}

void relay_link_release(struct relay_link *link)
{
	relay_link_close(link);
	for (size_t i = 0; !link->is_home && i < link->uri_count; i++)
		uri_release(&link->uris[i]);
	if (!link->is_home)
		free(link->uris);
	free(link->name);
	*link = (struct relay_link){0};
}

const char *relay_link_user(const struct relay_link *link)
{
	for (size_t i = 0; i < link->uri_count; i++)
		if (link->uris[i].external || strcmp(link->uris[i].user, link->uris[0].user) != 0)
			return NULL;
	return link->uri_count > 0 ? link->uris[0].user : NULL;
}
