#include "broker/login.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/version.h"
#include "broker/rabbitmqc_private.h"

#include <amqp.h>
#include <amqp_framing.h>

#include <stdlib.h>

#define MAX_CHANNELS 2047

void login_init(struct login *l, const char *name, uint64_t heartbeat_s)
{
	*l = (struct login){.name = name,
	    .frame_max = FRAMES_DEFAULT_SIZE,
	    .channel_max = MAX_CHANNELS,
	    .heartbeat_s = heartbeat_s};
}

void login_release(struct login *l)
{
	free(l->server);
	*l = (struct login){0};
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
	return (amqp_table_entry_t){rabbitmqc_bytes(key),
	    {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = rabbitmqc_bytes(value)}};
}

static amqp_table_entry_t true_entry(const char *key)
{
	return (amqp_table_entry_t){
	    rabbitmqc_bytes(key), {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
}

static void append_text_property(const amqp_table_t *table, const char *key, struct buf *out)
{
	for (int i = 0; i < table->num_entries; i++) {
		const amqp_table_entry_t *e = &table->entries[i];
		if (e->value.kind == AMQP_FIELD_KIND_UTF8 &&
		    slice_is((struct slice){e->key.bytes, e->key.len}, key))
			text_escape(
			    (struct slice){e->value.value.bytes.bytes, e->value.value.bytes.len},
			    40, out);
	}
}

/* Whether a blank-separated list holds the word. */
static bool has_word(struct slice list, const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; i + len <= list.len; i++) {
		bool begins = i == 0 || list.ptr[i - 1] == ' ';
		bool ends = i + len == list.len || list.ptr[i + len] == ' ';
		if (begins && ends && memcmp(list.ptr + i, word, len) == 0)
			return true;
	}
	return false;
}

static bool put_start_ok(struct login *l, const struct uri *uri, struct buf *out, struct error *err)
{
	amqp_table_entry_t capabilities[] = {true_entry("authentication_failure_close"),
	    true_entry("basic.nack"), true_entry("connection.blocked"),
	    true_entry("consumer_cancel_notify"), true_entry("exchange_exchange_bindings"),
	    true_entry("per_consumer_qos"), true_entry("publisher_confirms")};
	amqp_table_entry_t properties[] = {text_entry("product", "warren"),
	    text_entry("version", WARREN_VERSION), text_entry("platform", "C"),
	    text_entry("connection_name", l->name),
	    {rabbitmqc_bytes("capabilities"),
		{.kind = AMQP_FIELD_KIND_TABLE,
		    .value.table = {ARRAY_LEN(capabilities), capabilities}}}};
	/* SASL PLAIN (RFC 4616): NUL user NUL password */
	struct buf secret = {0};
	if (!uri->external) {
		/* at once, so that no piece of it is left behind by growing */
		buf_reserve(&secret, strlen(uri->user) + strlen(uri->password) + 2);
		buf_append_char(&secret, '\0');
		buf_append_str(&secret, uri->user);
		buf_append_char(&secret, '\0');
		buf_append_str(&secret, uri->password);
	}
	amqp_connection_start_ok_t ok = {.client_properties = {ARRAY_LEN(properties), properties},
	    .mechanism = rabbitmqc_bytes(uri->external ? "EXTERNAL" : "PLAIN"),
	    .response = {secret.len, secret.ptr},
	    .locale = rabbitmqc_bytes("en_US")};
	bool good =
	    frames_put_method(out, 0, AMQP_CONNECTION_START_OK_METHOD, &ok, l->frame_max, err);
	if (secret.ptr != NULL)
		explicit_bzero(secret.ptr, secret.len);
	buf_release(&secret);
	return good;
}

static bool on_start(struct login *l, const struct uri *uri, const amqp_connection_start_t *start,
    struct buf *out, struct error *err)
{
	struct slice mechanisms = {start->mechanisms.bytes, start->mechanisms.len};
	const char *wanted = uri->external ? "EXTERNAL" : "PLAIN";
	if (!has_word(mechanisms, wanted)) {
		char *offered = text_quote(mechanisms);
		error_set(err, ERROR_ACCESS, "the broker does not offer %s login; it offers '%s'",
		    wanted, offered);
		free(offered);
		return false;
	}
	struct buf server = {0};
	append_text_property(&start->server_properties, "product", &server);
	buf_append_char(&server, ' ');
	append_text_property(&start->server_properties, "version", &server);
	free(l->server);
	l->server = buf_take(&server);
	l->state = LOGIN_TUNE;
	return put_start_ok(l, uri, out, err);
}

/* The lower of two limits where 0 means none. */
static uint64_t lower(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

static bool on_tune(struct login *l, const struct uri *uri, const amqp_connection_tune_t *tune,
    struct buf *out, struct error *err)
{
	uint64_t frame_max = lower(lower(tune->frame_max, FRAMES_DEFAULT_SIZE), uri->frame_max);
	uint64_t channel_max = lower(lower(tune->channel_max, MAX_CHANNELS), uri->channel_max);
	if (frame_max < FRAMES_MIN_SIZE)
		return error_set(err, ERROR_REFUSED,
		    "the broker allows frames of %u bytes; AMQP asks for at least %u",
		    (unsigned)frame_max, FRAMES_MIN_SIZE);
	l->frame_max = (uint32_t)frame_max;
	l->channel_max = (uint16_t)channel_max;
	if (l->heartbeat_s > UINT16_MAX)
		l->heartbeat_s = UINT16_MAX;
	amqp_connection_tune_ok_t ok = {.channel_max = l->channel_max,
	    .frame_max = l->frame_max,
	    .heartbeat = (uint16_t)l->heartbeat_s};
	amqp_connection_open_t open = {
	    .virtual_host = rabbitmqc_bytes(uri->vhost), .capabilities = {0}, .insist = 0};
	l->state = LOGIN_OPEN;
	return frames_put_method(out, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &ok, l->frame_max, err) &&
	       frames_put_method(out, 0, AMQP_CONNECTION_OPEN_METHOD, &open, l->frame_max, err);
}

bool login_step(struct login *l, const struct uri *uri, uint32_t method_id, void *decoded,
    struct buf *out, struct error *err)
{
	if (l->state == LOGIN_START && method_id == AMQP_CONNECTION_START_METHOD)
		return on_start(l, uri, decoded, out, err);
	if (l->state == LOGIN_TUNE && method_id == AMQP_CONNECTION_TUNE_METHOD)
		return on_tune(l, uri, decoded, out, err);
	if (l->state == LOGIN_OPEN && method_id == AMQP_CONNECTION_OPEN_OK_METHOD) {
		l->state = LOGIN_DONE;
		return true;
	}
	return error_set(err, ERROR_REFUSED, "the broker sent %s while logging in or out of turn",
	    amqp_method_name(method_id) ? amqp_method_name(method_id) : "an unknown method");
}
