#include "flow/exec_environment.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/field.h"
#include "model/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#define PREFIX "WARREN_"
#define HEADER_PREFIX "WARREN_HEADER_"
/* Linux takes 128 KiB for one variable with its name, and 2 MiB for all of them and the arguments.
 */
#define MAX_VALUE_BYTES (100 * 1024)
#define MAX_TOTAL_BYTES (512 * 1024)
#define MAX_HEADERS 1000 /* each is compared with those before it */

struct exec_environment {
	char **inherited;
	size_t count, capacity;
	uint64_t left_out;
};

/* ---- what is handed on ---- */

static bool may_hold_password(const char *name)
{
	static const char *const names[] = {"AMQP_URL", "AMQP_URL_FILE", "WARREN_URL",
	    "WARREN_URL_FILE", "RABBITMQ_MANAGEMENT_URL"};
	static const char *const parts[] = {"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strcasestr(name, parts[i]) != NULL)
			return true;
	return false;
}

/* True for the names that describe a message. */
static bool is_about_message(const char *name)
{
	static const char *const others[] = {
	    "EXCHANGE", "ROUTING_KEY", "QUEUE", "REDELIVERED", "WORKER"};
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	if (strncmp(name, HEADER_PREFIX, strlen(HEADER_PREFIX)) == 0)
		return true;
	const char *rest = name + strlen(PREFIX);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(rest, others[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++)
		if (strcasecmp(rest, message_properties[i].name) == 0)
			return true;
	return false;
}

/* An address with a password in it, whatever the variable is called. */
static bool holds_password(const char *value)
{
	const char *address = strstr(value, "://");
	const char *at = address != NULL ? strchr(address + 3, '@') : NULL;
	return at != NULL && memchr(address + 3, ':', (size_t)(at - address - 3)) != NULL;
}

static bool may_hand_on(const char *variable)
{
	char *name = mem_strndup(variable, strcspn(variable, "="));
	bool may = !may_hold_password(name) && !is_about_message(name) && !holds_password(variable);
	free(name);
	return may;
}

struct exec_environment *exec_environment_create(char *const inherited[])
{
	struct exec_environment *e = mem_alloc(1, sizeof *e);
	for (size_t i = 0; inherited[i] != NULL; i++) {
		if (!may_hand_on(inherited[i]))
			continue;
		e->inherited =
		    mem_grow(e->inherited, &e->capacity, e->count + 1, sizeof *e->inherited);
		e->inherited[e->count++] = mem_strdup(inherited[i]);
	}
	return e;
}

void exec_environment_free(struct exec_environment *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->count; i++)
		free(e->inherited[i]);
	free(e->inherited);
	free(e);
}

/* ---- what is added ---- */

/* Variables in the making: NAME=VALUE and its NUL, one behind the other. */
struct block {
	struct buf text;
	size_t count;
	uint64_t *left_out; /* by all messages so far */
};

/* Who sends one such message sends many. */
static void leave_out(struct block *block, const char *name, const char *why)
{
	if (++*block->left_out == 1)
		log_write(LOG_WARNING,
		    "%s is left out of the environment of the command: %s (further ones are only "
		    "counted)",
		    name, why);
}

/* Appends the part of a name that comes from a property or a header. */
static void append_name(struct slice name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		buf_append_char(out, c < 0x80 && isalnum(c) ? (char)toupper(c) : '_');
	}
}

static void add(struct block *block, const char *name, struct slice value)
{
	if (value.len > 0 && memchr(value.ptr, '\0', value.len) != NULL)
		return;
	if (value.len > MAX_VALUE_BYTES || block->text.len + value.len > MAX_TOTAL_BYTES) {
		char *why = mem_printf("%zu bytes are too many", value.len);
		leave_out(block, name, why);
		free(why);
		return;
	}
	buf_append_str(&block->text, name);
	buf_append_char(&block->text, '=');
	buf_append(&block->text, value);
	buf_append_char(&block->text, '\0');
	block->count++;
}

static void add_number(struct block *block, const char *name, uint64_t value)
{
	struct buf digits = {0};
	buf_append_u64(&digits, value);
	add(block, name, buf_slice(&digits));
	buf_release(&digits);
}

static void add_headers_json(struct block *block, const char *name, struct slice table)
{
	struct buf json = {0};
	struct error err = {0};
	if (table_write_json(table, &json, &err))
		add(block, name, buf_slice(&json));
	else
		leave_out(block, name, err.text);
	buf_release(&json);
}

static void add_property(
    struct block *block, const struct message *m, const struct message_property_row *row)
{
	const char *member = (const char *)m + row->offset;
	struct buf name = {0};
	buf_append_str(&name, PREFIX);
	append_name(slice_str(row->name), &name);
	switch (row->value) {
	case MESSAGE_VALUE_TEXT:
		add(block, name.ptr, *message_slice_const(m, row));
		break;
	case MESSAGE_VALUE_OCTET:
		add_number(block, name.ptr, *(const uint8_t *)member);
		break;
	case MESSAGE_VALUE_TIMESTAMP:
		add_number(block, name.ptr, *(const uint64_t *)(const void *)member);
		break;
	case MESSAGE_VALUE_TABLE:
		add_headers_json(block, name.ptr, *message_slice_const(m, row));
		break;
	}
	buf_release(&name);
}

/* ---- headers one by one ---- */

/* Appends the value as plain text; false for types that have none. */
static bool append_value(char type, struct slice value, struct buf *out)
{
	double real;
	switch (type) {
	case 'S':
		buf_append(out, field_content(value));
		return true;
	case 't':
		buf_append_str(out, value.ptr[0] != 0 ? "true" : "false");
		return true;
	case 'b':
	case 's':
	case 'I':
	case 'l':
		buf_printf(out, "%" PRId64, field_signed(value));
		return true;
	case 'B':
	case 'u':
	case 'i':
	case 'L':
	case 'T':
		buf_append_u64(out, field_number(value));
		return true;
	case 'f':
	case 'd':
		real = field_real(value);
		if (isfinite(real))
			num_format_double(real, out);
		return isfinite(real);
	case 'D': /* the scale, then the digits */
		buf_append_u64(out, field_number((struct slice){value.ptr + 1, value.len - 1}));
		buf_printf(out, "e-%u", (unsigned)(uint8_t)value.ptr[0]);
		return true;
	default:
		return false;
	}
}

static bool has_variable(const struct block *block, const char *name)
{
	size_t length = strlen(name);
	const char *at = block->text.ptr;
	for (size_t i = 0; i < block->count; i++, at += strlen(at) + 1)
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return true;
	return false;
}

static void add_each_header(struct block *block, struct slice table)
{
	struct buf name = {0}, value = {0};
	struct table_entry entry = {.rest = table};
	for (size_t i = 0; i < MAX_HEADERS && table_next(&entry); i++) {
		buf_clear(&name);
		buf_clear(&value);
		buf_append_str(&name, HEADER_PREFIX);
		append_name(entry.key, &name);
		if (entry.key.len > 0 && append_value(entry.type, entry.value, &value) &&
		    !has_variable(block, name.ptr))
			add(block, name.ptr, buf_slice(&value));
	}
	buf_release(&name);
	buf_release(&value);
}

static void add_message(struct block *block, const struct flow_message *m)
{
	const struct message *message = m->message;
	add(block, PREFIX "EXCHANGE", message->exchange);
	add(block, PREFIX "ROUTING_KEY", message->routing_key);
	add(block, PREFIX "QUEUE", m->queue);
	add_number(block, PREFIX "REDELIVERED", m->redelivered);
	for (size_t i = 0; i < ARRAY_LEN(message_properties); i++)
		if ((message->present & message_properties[i].bit) != 0)
			add_property(block, message, &message_properties[i]);
	if ((message->present & MESSAGE_HEADERS) != 0)
		add_each_header(block, message->headers);
}

/* Ours and these, in one allocation. */
static char **join(const struct exec_environment *e, const struct block *block)
{
	size_t count = e->count + block->count + 1;
	char **envp = mem_alloc(1, count * sizeof *envp + block->text.len);
	if (e->count > 0)
		memcpy(envp, e->inherited, e->count * sizeof *envp);
	char *at = (char *)(envp + count);
	if (block->text.len > 0)
		memcpy(at, block->text.ptr, block->text.len);
	for (size_t i = e->count; i + 1 < count; i++) {
		envp[i] = at;
		at += strlen(at) + 1;
	}
	return envp;
}

char **exec_environment_fill(struct exec_environment *e, const struct flow_message *m)
{
	struct block block = {.left_out = &e->left_out};
	add_message(&block, m);
	char **envp = join(e, &block);
	buf_release(&block.text);
	return envp;
}

uint64_t exec_environment_left_out(const struct exec_environment *e)
{
	return e->left_out;
}

char **exec_environment_of_worker(const struct exec_environment *e, uint64_t number)
{
	uint64_t left_out = 0; /* which a number never is */
	struct block block = {.left_out = &left_out};
	add_number(&block, PREFIX "WORKER", number);
	char **envp = join(e, &block);
	buf_release(&block.text);
	return envp;
}
