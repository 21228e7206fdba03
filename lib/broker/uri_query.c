/* What stands behind the '?' of an address. */
#include "broker/uri.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "broker/uri_private.h"

#include <stddef.h>
#include <stdlib.h>

enum param_kind {
	PARAM_NUMBER,	 /* uint64_t */
	PARAM_FRAME_MAX, /* uint64_t: 0, or min..max */
	PARAM_TEXT,	 /* char * */
	PARAM_CHOICE,	 /* bool: the second choice */
};

struct param {
	const char *name;
	enum param_kind kind;
	size_t offset; /* of the member in struct uri */
	bool tls_only;
	uint64_t min, max;
	const char *choices[2];
};

#define AT(member) offsetof(struct uri, member)

static const struct param params[] = {
    {"heartbeat", PARAM_NUMBER, AT(heartbeat_s), false, 0, UINT16_MAX, {0}},
    {"connection_timeout", PARAM_NUMBER, AT(connection_timeout_ms), false, 1, UINT32_MAX, {0}},
    {"channel_max", PARAM_NUMBER, AT(channel_max), false, 0, UINT16_MAX, {0}},
    {"frame_max", PARAM_FRAME_MAX, AT(frame_max), false, 4096, INT32_MAX, {0}},
    {"auth_mechanism", PARAM_CHOICE, AT(external), false, 0, 0, {"plain", "external"}},
    {"cacertfile", PARAM_TEXT, AT(cacertfile), true, 0, 0, {0}},
    {"certfile", PARAM_TEXT, AT(certfile), true, 0, 0, {0}},
    {"keyfile", PARAM_TEXT, AT(keyfile), true, 0, 0, {0}},
    {"verify", PARAM_CHOICE, AT(verify_none), true, 0, 0, {"verify_peer", "verify_none"}},
    {"server_name_indication", PARAM_TEXT, AT(server_name), true, 0, 0, {0}},
};

static const char accepted_params[] =
    "heartbeat, connection_timeout, channel_max, frame_max, auth_mechanism, cacertfile, certfile, "
    "keyfile, verify and server_name_indication";

static const struct param *find_param(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		if (slice_is(name, params[i].name))
			return &params[i];
	return NULL;
}

bool uri_takes_all_params(struct slice query)
{
	struct slice rest = query, value;
	while (rest.len > 0) {
		struct slice name = uri_cut_before(uri_cut_before(rest, "&", &rest), "=", &value);
		if (find_param(name) == NULL)
			return false;
		uri_drop_front(&rest);
	}
	return true;
}

static bool read_number(
    const struct param *row, const char *value, uint64_t *out, struct error *err)
{
	struct error reason = {0};
	if (row->kind == PARAM_FRAME_MAX && strcmp(value, "0") == 0) {
		*out = 0;
		return true;
	}
	if (num_parse_u64(slice_str(value), row->min, row->max, out, &reason))
		return true;
	char *quoted = text_quote(slice_str(value));
	error_set(err, ERROR_SETTINGS, "%s '%s' is %s%s", row->name, quoted,
	    row->kind == PARAM_FRAME_MAX ? "neither 0 nor " : "",
	    row->kind == PARAM_FRAME_MAX ? reason.text + strlen("not ") : reason.text);
	free(quoted);
	return false;
}

static bool read_choice(const struct param *row, const char *value, bool *out, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(row->choices); i++) {
		if (strcmp(value, row->choices[i]) != 0)
			continue;
		*out = i == 1;
		return true;
	}
	char *quoted = text_quote(slice_str(value));
	error_set(err, ERROR_SETTINGS, "%s '%s' is not accepted; it takes %s or %s", row->name,
	    quoted, row->choices[0], row->choices[1]);
	free(quoted);
	return false;
}

static bool read_text(const struct param *row, char **value, char **out, struct error *err)
{
	if (**value == '\0')
		return error_set(err, ERROR_SETTINGS, "%s is empty", row->name);
	*out = *value;
	*value = NULL;
	return true;
}

static bool unknown_param(const char *name, struct error *err)
{
	const char *names[ARRAY_LEN(params) + 1] = {0};
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		names[i] = params[i].name;
	const char *nearest = text_suggest(slice_str(name), names);
	char *quoted = text_quote(slice_str(name));
	if (nearest != NULL)
		error_set(err, ERROR_SETTINGS, "unknown parameter '%s'; did you mean '%s'?", quoted,
		    nearest);
	else
		error_set(err, ERROR_SETTINGS, "unknown parameter '%s'; accepted are %s", quoted,
		    accepted_params);
	free(quoted);
	return false;
}

/* Takes the value over when it keeps it, and sets *value to NULL then. */
static bool read_value(const struct param *row, char **value, struct uri *u, struct error *err)
{
	void *member = (char *)u + row->offset;
	if (row->tls_only && !u->tls)
		return error_set(err, ERROR_SETTINGS,
		    "%s needs amqps://; nothing is encrypted over amqp://", row->name);
	switch (row->kind) {
	case PARAM_TEXT:
		return read_text(row, value, member, err);
	case PARAM_CHOICE:
		return read_choice(row, *value, member, err);
	case PARAM_NUMBER:
	case PARAM_FRAME_MAX:
		break;
	}
	return read_number(row, *value, member, err);
}

static bool read_param(struct slice pair, struct uri *u, unsigned *seen, struct error *err)
{
	char *name = NULL, *value = NULL;
	struct slice raw_value;
	struct slice raw_name = uri_cut_before(pair, "=", &raw_value);
	if (!uri_drop_front(&raw_value))
		return error_set(err, ERROR_SETTINGS,
		    "a parameter after the '?' without a value; accepted is name=value&name=value");
	bool good = uri_decode(raw_name, "name of a parameter", &name, err);
	const struct param *row = good ? find_param(slice_str(name)) : NULL;
	if (row == NULL) {
		if (good)
			unknown_param(name, err);
		good = false;
	} else if ((*seen & 1u << (row - params)) != 0) {
		good = error_set(err, ERROR_SETTINGS, "%s is given twice", row->name);
	}
	if (good) {
		*seen |= 1u << (row - params);
		good = uri_decode(raw_value, row->name, &value, err) &&
		       read_value(row, &value, u, err);
	}
	free(name);
	free(value);
	return good;
}

bool uri_read_query(struct slice query, struct uri *u, struct error *err)
{
	unsigned seen = 0; /* a bit for each row of params */
	struct slice rest = query;
	while (rest.len > 0) {
		if (!read_param(uri_cut_before(rest, "&", &rest), u, &seen, err))
			return false;
		uri_drop_front(&rest);
	}
	u->has_verify = (seen & 1u << (find_param(SLICE("verify")) - params)) != 0;
	return true;
}
