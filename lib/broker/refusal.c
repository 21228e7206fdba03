#include "broker/refusal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The text between two marks, in a string to free(); NULL when they are not there. */
static char *between(const char *text, const char *before, const char *after)
{
	const char *start = strstr(text, before);
	if (start == NULL)
		return NULL;
	start += strlen(before);
	const char *end = strstr(start, after);
	return end != NULL ? strndup(start, (size_t)(end - start)) : NULL;
}

/* "the value '10' of type 'long'" -> "10", and a text in quotes; in a string to free(). */
static char *plain_value(const char *words)
{
	char *value = between(words, "the value '", "' of type '");
	if (value == NULL)
		return mem_strdup(words);
	if (strstr(words, "' of type 'longstr'") == NULL)
		return value;
	char *quoted = mem_printf("'%s'", value);
	free(value);
	return quoted;
}

bool refusal_split(const char *text, struct refusal_difference *out)
{
	static const char but[] = " but current is ";
	const char *current = strstr(text, but);
	struct refusal_difference d = {.attribute = between(text, "inequivalent arg '", "'"),
	    .received = between(text, "received ", but),
	    .current = current != NULL ? mem_strdup(current + strlen(but)) : NULL};
	bool known = d.attribute != NULL && d.received != NULL && d.current != NULL;
	if (known)
		*out = d;
	else
		refusal_difference_release(&d);
	return known;
}

void refusal_difference_release(struct refusal_difference *d)
{
	free(d->attribute);
	free(d->received);
	free(d->current);
	*d = (struct refusal_difference){0};
}

static bool explain_inequivalent(
    const char *text, const struct refusal_context *context, struct error *err)
{
	struct refusal_difference d = {0};
	if (!refusal_split(text, &d))
		return false;
	char *asked = plain_value(d.received), *is = plain_value(d.current);
	error_set(err, ERROR_REFUSED,
	    "%s '%s' exists with another '%s': you asked for %s, it is %s; change the settings, or "
	    "delete it first: topology delete %s (with the same settings)",
	    context->object, context->name, d.attribute, asked, is, context->name);
	free(asked);
	free(is);
	refusal_difference_release(&d);
	return true;
}

struct advice {
	uint16_t code;
	const char *words; /* in the broker's text; NULL: any */
	const char *what;
	const char *next;
};

/* The first row that fits counts. */
static const struct advice advices[] = {
    {403, "exclusive use", "another consumer has it for itself", "stop that consumer first"},
    {403, "reserved prefix", "names that begin with 'amq.' belong to the broker",
	"choose another name, or write declared: false"},
    {403, "internal exchange", "it is internal: only other exchanges send to it",
	"publish to one that is bound to it"},
    {403, "default exchange", "the default exchange cannot be changed", "leave it out"},
    {503, "unknown exchange type", "the broker does not know this type of exchange",
	"correct the type, or enable the plugin that brings it: rabbitmq-plugins enable"},
    {540, NULL, "the broker cannot do this to such a queue", "leave the option out"},
    {403, NULL, "this user may not do that", "ask for the permission: rabbitmqctl set_permissions"},
    {404, "no exchange", "there is no such exchange",
	"declare it in the settings, or run: topology apply"},
    {404, "no queue", "there is no such queue",
	"declare it in the settings, or run: topology apply"},
    {405, "exclusive access", "the queue belongs to another connection (it is exclusive)",
	"wait until that connection ends, or use another name"},
    {406, "in use", "it is in use", "stop what uses it, or leave --if-unused out"},
    {406, "not empty", "it is not empty", "consume or purge it first, or leave --if-empty out"},
    {406, "unknown delivery tag", "a delivery was settled twice", "this is a mistake of warren's"},
    {406, "timed out", "a delivery was not acknowledged in time",
	"raise the broker's consumer_timeout, take fewer at once (--prefetch), or settle what a "
	"filter hides (--unmatched)"},
    {406, "user_id property", "the user_id of a message must be the user who is logged in",
	"leave user_id out"},
    {406, "larger than", "a message is larger than the broker allows",
	"send less at once, or raise the broker's max_message_size"},
    {406, NULL, "the broker does not accept these arguments", "correct the settings"},
    {530, NULL, "not allowed", "check the vhost and the user's permissions"},
};

static const struct advice *find_advice(uint16_t code, const char *text)
{
	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
		if (advices[i].code == code &&
		    (advices[i].words == NULL || strstr(text, advices[i].words) != NULL))
			return &advices[i];
	return NULL;
}

static bool explain(
    uint16_t code, const char *text, const struct refusal_context *context, struct error *err)
{
	enum error_kind kind = code == 403 || code == 530 ? ERROR_ACCESS : ERROR_REFUSED;
	const struct advice *advice = find_advice(code, text);
	if (code == 406 && context->name != NULL && explain_inequivalent(text, context, err))
		return false;
	char *object = context->name != NULL ? mem_printf("%s '%s'", context->object, context->name)
					     : mem_printf("the %s", context->object);
	if (advice == NULL)
		error_set(err, kind, "cannot %s %s: the broker says %u: %s", context->doing, object,
		    code, text);
	else
		error_set(err, kind, "cannot %s %s: %s; %s (the broker says: %s)", context->doing,
		    object, advice->what, advice->next, text);
	free(object);
	return false;
}

bool refusal_explain(
    uint16_t code, const char *text, const struct refusal_context *context, struct error *err)
{
	struct refusal_context named = *context;
	char *mark = mem_printf("%s '", context->object);
	char *found = context->name == NULL ? between(text, mark, "'") : NULL;
	if (context->name == NULL)
		named.name = found;
	explain(code, text, &named, err);
	free(found);
	free(mark);
	return false;
}
