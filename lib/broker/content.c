#include "broker/content.h"

#include <amqp.h>
#include <amqp_framing.h>

bool content_follows(uint32_t method_id)
{
	return method_id == AMQP_BASIC_DELIVER_METHOD || method_id == AMQP_BASIC_RETURN_METHOD ||
	       method_id == AMQP_BASIC_GET_OK_METHOD;
}

bool content_begin(struct content *c, struct slice method, struct error *err)
{
	if (c->method_id != 0)
		return error_set(
		    err, ERROR_REFUSED, "the broker began a message inside another one");
	c->method_id = frames_method_id(method);
	buf_append(&c->method, method);
	return true;
}

bool content_add_header(struct content *c, struct slice header, struct error *err)
{
	struct message m;
	if (c->method_id == 0 || c->has_header || !frames_read_header(header, &c->body_bytes, &m))
		return error_set(
		    err, ERROR_REFUSED, "the broker sent a content header out of place");
	if (c->body_bytes > CONTENT_MAX_BODY_BYTES)
		return error_set(err, ERROR_REFUSED, "the broker announced a body of %llu bytes",
		    (unsigned long long)c->body_bytes);
	c->has_header = true;
	buf_append(&c->header, header);
	return true;
}

bool content_add_body(struct content *c, struct slice piece, struct error *err)
{
	if (!c->has_header || piece.len > c->body_bytes - c->body.len)
		return error_set(
		    err, ERROR_REFUSED, "the broker sent a piece of a body out of place");
	buf_append(&c->body, piece);
	return true;
}

bool content_is_whole(const struct content *c, struct message *m)
{
	uint64_t body_bytes;
	if (!c->has_header || c->body.len < c->body_bytes)
		return false;
	*m = (struct message){0};
	(void)frames_read_header(buf_slice(&c->header), &body_bytes, m); /* read once already */
	m->body = buf_slice(&c->body);
	return true;
}

void content_clear(struct content *c)
{
	c->method_id = 0;
	c->has_header = false;
	buf_clear(&c->method);
	buf_clear(&c->header);
	buf_clear(&c->body);
}

void content_release(struct content *c)
{
	buf_release(&c->method);
	buf_release(&c->header);
	buf_release(&c->body);
	*c = (struct content){0};
}
