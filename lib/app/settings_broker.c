/* The section `broker` of the settings. */
#include "app/settings.h"

#include "app/address.h"
#include "app/locate.h"
#include "app/settings_private.h"
#include "base/chrono.h"
#include "base/mem.h"
#include "model/reader.h"

#include <stdlib.h>

#define DEFAULT_URL "amqp://guest:guest@localhost:5672"
#define DEFAULT_HEARTBEAT_S 10
#define RETRY_FROM_NS (100 * CHRONO_MS)
#define GIVE_UP_AFTER_NS (120 * CHRONO_S)
#define RETRY_TO_NS CHRONO_S

static void add_uri(struct settings *s, struct uri uri)
{
	size_t capacity = s->uri_count;
	s->uris = mem_grow(s->uris, &capacity, s->uri_count + 1, sizeof *s->uris);
	s->uris[s->uri_count++] = uri;
}

static void read_uri(
    struct settings *s, struct slice text, const char *pointer, const struct reporter *reporter)
{
	struct error err = {0};
	struct uri uri = {0};
	char *path = document_path(pointer);
	bool good = uri_parse(text, &uri, &err);
	if (!good && !settings_is_faulty(reporter->faulty, path))
		problems_add_safe(
		    reporter->problems, document_place(s->document, pointer), path, err.text);
	free(path);
	if (good)
		add_uri(s, uri);
}

static void read_uris(struct settings *s, const json_t *url, const struct reporter *reporter)
{
	size_t i;
	json_t *item;
	struct slice rest = {json_string_value(url), json_string_length(url)};
	while (rest.len > 0)
		read_uri(s, address_take(&rest), "/broker/url", reporter);
	json_array_foreach(url, i, item)
	{
		char *pointer = mem_printf("/broker/url/%zu", i);
		read_uri(s, (struct slice){json_string_value(item), json_string_length(item)},
		    pointer, reporter);
		free(pointer);
	}
}

void settings_release_uris(struct settings *s)
{
	for (size_t i = 0; i < s->uri_count; i++)
		uri_release(&s->uris[i]);
	free(s->uris);
	s->uris = NULL;
	s->uri_count = 0;
}

/* The protocol has whole seconds in 16 bits. */
static void read_heartbeat(struct settings *s, const json_t *broker, struct reader *r)
{
	uint64_t ns = DEFAULT_HEARTBEAT_S * CHRONO_S;
	(void)reader_duration(r, broker, "heartbeat", &ns); /* reports itself */
	if (ns % CHRONO_S != 0 || ns / CHRONO_S > UINT16_MAX)
		reader_fail_at(r, "heartbeat",
		    "must be a whole number of seconds, at most %d (18h); 0 for never", UINT16_MAX);
	s->heartbeat_s = ns / CHRONO_S;
}

/* One that is given moves the default of the other. */
static void read_reconnect(struct settings *s, const json_t *broker, struct reader *r)
{
	const json_t *spec = reader_member(broker, "reconnect");
	size_t mark = reader_enter(r, "reconnect");
	s->retry_from_ns = RETRY_FROM_NS;
	s->retry_to_ns = RETRY_TO_NS;
	s->give_up_after_ns = GIVE_UP_AFTER_NS;
	(void)reader_duration(r, spec, "give_up_after", &s->give_up_after_ns); /* or the default */
	bool has_from = reader_duration(r, spec, "from", &s->retry_from_ns);
	bool has_to = reader_duration(r, spec, "to", &s->retry_to_ns);
	if (has_from && s->retry_from_ns < CHRONO_MS)
		reader_fail_at(r, "from", "must be at least 1ms");
	else if (has_from && has_to && s->retry_from_ns > s->retry_to_ns)
		reader_fail(r, "a range that runs backwards; 'from' is at most 'to'");
	else if (has_to && s->retry_to_ns < CHRONO_MS)
		reader_fail_at(r, "to", "must be at least 1ms");
	if (!has_from && s->retry_from_ns > s->retry_to_ns)
		s->retry_from_ns = s->retry_to_ns;
	if (!has_to && s->retry_to_ns < s->retry_from_ns)
		s->retry_to_ns = s->retry_from_ns;
	reader_leave(r, mark);
}

/* The address of the settings is judged even when another one is given: they are good or not. */
static bool choose_address(struct settings *s, const struct settings_options *options,
    const json_t *url, struct error *err)
{
	const char *given = options->url;
	struct slice rest = slice_str(given != NULL ? given : DEFAULT_URL);
	if (given == NULL && url != NULL)
		return true;
	settings_release_uris(s);
	do {
		struct uri uri = {0};
		if (!uri_parse(address_take(&rest), &uri, err))
			return error_context(err, "%s", options->url_origin);
		add_uri(s, uri);
	} while (rest.len > 0);
	return true;
}

/* How to reach it safely. TLS that no address asks for would be thought to be there. */
static void read_secrets(struct settings *s, const json_t *broker, bool has_tls, struct reader *r)
{
	const json_t *tls = reader_member(broker, "tls");
	const char *password_file = NULL;
	if (reader_text(r, broker, "password_file", &password_file))
		s->password_file = locate_below(s->directory, password_file);
	if (tls != NULL && !has_tls && !address_has_tls(s->uris, s->uri_count))
		reader_fail_name_at(r, "tls",
		    "nothing is encrypted: no address begins with amqps://, as TLS needs");
	size_t mark = reader_enter(r, "tls");
	address_apply_tls(tls, s->directory, s->uris, s->uri_count, r);
	reader_leave(r, mark);
}

/* One that is empty comes from a variable that is not set. */
static void read_management(struct settings *s, const json_t *broker, struct reader *r)
{
	struct error err = {0};
	const char *url = NULL;
	if (!reader_text(r, broker, "management", &url) || url[0] == '\0')
		return;
	if (address_check_api(url, &err))
		s->management = url;
	else
		reader_fail_at(r, "management", "%s", err.text);
}

bool settings_read_broker(struct settings *s, const struct settings_options *options,
    struct reporter *reporter, struct error *err)
{
	const json_t *broker = json_object_get(document_root(s->document), "broker");
	struct reader r = {.report = settings_report, .ctx = reporter};
	reporter->base = "/broker";
	read_heartbeat(s, broker, &r);
	read_reconnect(s, broker, &r);
	read_management(s, broker, &r);
	reporter->base = "";
	const json_t *url = json_object_get(broker, "url");
	read_uris(s, url, reporter);
	bool has_tls = address_has_tls(s->uris, s->uri_count), is_faulty = url && s->uri_count == 0;
	bool good = choose_address(s, options, url, err);
	reporter->base = "/broker";
	if (good)
		read_secrets(s, broker, has_tls || is_faulty, &r);
	reporter->base = "";
	reader_release(&r);
	return good;
}
