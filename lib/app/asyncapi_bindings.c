#include "app/asyncapi_bindings.h"

#include "app/asyncapi_names.h"
#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define AMQP_BINDING "0.3.0"

/* ---- servers ---- */

static json_t *make_server(const struct uri *uri)
{
	bool is_v6 = strchr(uri->host, ':') != NULL;
	struct buf path = {0};
	buf_append_char(&path, '/');
	for (const char *c = uri->vhost; *c != '\0'; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL)
			buf_append_char(&path, *c);
		else
			buf_printf(&path, "%%%02X", (unsigned char)*c);
	json_t *server = json_pack("{s:o, s:s, s:s, s:s}", "host",
	    json_sprintf("%s%s%s:%d", is_v6 ? "[" : "", uri->host, is_v6 ? "]" : "", uri->port),
	    "pathname", path.ptr, "protocol", uri->tls ? "amqps" : "amqp", "protocolVersion",
	    "0.9.1");
	buf_release(&path);
	return server;
}

json_t *asyncapi_bindings_address(const struct uri *uri)
{
	json_t *server = make_server(uri);
	json_t *address =
	    json_sprintf("%s://%s%s", json_string_value(json_object_get(server, "protocol")),
		json_string_value(json_object_get(server, "host")),
		json_string_value(json_object_get(server, "pathname")));
	json_decref(server);
	return address;
}

json_t *asyncapi_bindings_servers(const struct settings *s)
{
	json_t *servers = json_object();
	for (size_t i = 0; i < s->uri_count; i++) {
		char *id = asyncapi_names_id(servers, "", "broker");
		json_object_set_new(servers, id, make_server(&s->uris[i]));
		free(id);
	}
	return servers;
}

/* ---- bindings ---- */

json_t *asyncapi_bindings_amqp_take(json_t *binding)
{
	json_object_set_new(binding, "bindingVersion", json_string(AMQP_BINDING));
	return json_pack("{s:o}", "amqp", binding);
}

json_t *asyncapi_bindings_exchange(const struct settings *s, const char *name)
{
	static const char *const types[] = {"topic", "direct", "fanout", "headers"};
	const struct topology_exchange *e = topology_find_exchange(&s->topology, slice_str(name));
	const char *vhost = s->uris[0].vhost;
	json_t *exchange = json_pack("{s:s, s:s}", "name", name, "vhost", vhost);
	bool is_default = name[0] == '\0', is_known = is_default;
	if (e == NULL) /* the live broker does not have it */
		return asyncapi_bindings_amqp_take(
		    json_pack("{s:s, s:o}", "is", "routingKey", "exchange", exchange));
	json_object_set_new(exchange, "durable", json_boolean(e->durable));
	json_object_set_new(exchange, "autoDelete", json_boolean(e->auto_delete));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		is_known |= strcmp(types[i], e->type) == 0;
	json_object_set_new(exchange, is_known ? "type" : "x-warren-type",
	    json_string(is_default ? "default" : e->type));
	if (json_object_size(e->arguments) > 0)
		json_object_set(exchange, "x-warren-arguments", e->arguments);
	return asyncapi_bindings_amqp_take(
	    json_pack("{s:s, s:o}", "is", "routingKey", "exchange", exchange));
}

json_t *asyncapi_bindings_queue(const struct settings *s, const struct topology_queue *q)
{
	return asyncapi_bindings_amqp_take(
	    json_pack("{s:s, s:{s:s, s:b, s:b, s:b, s:s, s:O}}", "is", "queue", "queue", "name",
		q->name, "durable", q->durable, "exclusive", q->exclusive, "autoDelete",
		q->auto_delete, "vhost", s->uris[0].vhost, "x-warren-arguments", q->arguments));
}

json_t *asyncapi_bindings_unknown_queue(const struct settings *s, const char *name)
{
	return asyncapi_bindings_amqp_take(json_pack("{s:s, s:{s:s, s:s}}", "is", "queue", "queue",
	    "name", name, "vhost", s->uris[0].vhost));
}
