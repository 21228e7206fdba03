/* settings.h - the settings file as one struct: found, read, checked whole, before anything is
 * done. */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "broker/uri.h"
#include "config/document.h"
#include "config/problems.h"
#include "lab/lesson.h"
#include "model/expectations.h"
#include "model/pace.h"
#include "model/responder.h"
#include "fake/pattern.h"
#include "model/topology.h"
#include "model/workflow.h"

/* One message pattern, ready to run. */
struct settings_message {
	const char *name; /* borrowed from the document */
	const json_t *spec;
	struct pattern *pattern;
	struct pace_plan plan;
};

struct settings {
	struct document *document;
	char *directory;  /* of the file; relative names in it begin there */
	struct uri *uris; /* where the broker is, in order of trying */
	size_t uri_count;
	const char *management; /* the address of the HTTP API; borrowed, NULL: none */
	char *password_file;	/* for the addresses that have no password; NULL: none */
	uint64_t heartbeat_s;
	uint64_t retry_from_ns, retry_to_ns; /* pauses between tries to connect */
	uint64_t give_up_after_ns;	     /* for so long when the connection was lost */
	struct topology topology;
	struct pattern_pools *pools;
	struct settings_message *messages;
	size_t message_count;
	struct responder_list responders;
	struct workflow_list workflows;
	struct expectations expect;
	struct lesson lesson; /* title NULL: the settings have none */
};

struct settings_options {
	/* a file, or a name to look up in settings/; NULL: no settings, all defaults */
	const char *source;
	const char *url;	      /* of the broker, instead of the settings'; NULL: none */
	const char *url_origin;	      /* "--url", or the file it stands in; for errors */
	const char *const *overrides; /* PATH=VALUE */
	size_t override_count;
	uint64_t seed; /* of the shared pools */
};

/*
 * Reads and checks everything: YAML, the published schema, references, patterns, paces, addresses.
 * On failure problems has each fault with its place (ERROR_SETTINGS), or err tells by itself why
 * there was nothing to check (ERROR_NO_INPUT, ERROR_USAGE); *out is then empty but for the
 * document, for showing its lines.
 */
bool settings_load(const struct settings_options *options, struct settings *out,
    struct problems *problems, struct error *err) MUST_CHECK;
void settings_release(struct settings *s);

/* The only user whose name may stand on what we publish; NULL: nobody's, or that depends on the
 * address. Borrowed. */
const char *settings_user(const struct settings *s);

/* NULL when there is none of that name. */
const struct settings_message *settings_find_message(const struct settings *s, const char *name);
/* For a name on the command line: NULL is an error, that of settings_lack. */
const struct settings_message *settings_need_message(
    const struct settings *s, const char *name, struct error *err);

/* The published JSON Schema of the settings, as text. */
const char *settings_schema(void);

/* The error of a name on the command line that no `what` ("queue") of the settings has, with the
 * nearest of the known ones (a NULL ends them), else with the way out; always false. */
bool settings_lack(const char *what, const char *name, const char *const *known,
    const char *otherwise, struct error *err);

#endif
