#include "flow/result.h"

#include "model/envelope.h"

void result_set_body(struct message *m, struct slice body, bool is_text)
{
	static const struct slice json = {"application/json", 16}, text = {"text/plain", 10};
	bool typed = (m->present & MESSAGE_CONTENT_TYPE) != 0;
	bool was_json = typed && envelope_is_json(m->content_type);
	m->body = body;
	if (!is_text && !was_json) {
		m->present |= MESSAGE_CONTENT_TYPE;
		m->content_type = json;
	}
	if (is_text && was_json)
		m->content_type = text;
	/* many clients say their character set here, which is no encoding */
	if ((m->present & MESSAGE_CONTENT_ENCODING) != 0 &&
	    !slice_is(m->content_encoding, "utf-8") && !slice_is(m->content_encoding, "UTF-8"))
		m->present &= ~(unsigned)MESSAGE_CONTENT_ENCODING;
}

static bool is_other_id(const struct message *named, const struct message *in)
{
	return (named->present & MESSAGE_MESSAGE_ID) != 0 &&
	       ((in->present & MESSAGE_MESSAGE_ID) == 0 ||
		   !slice_equal(named->message_id, in->message_id));
}

/* Sets the properties that a record names. */
static void set_properties(struct message *m, const struct message *named)
{
	const struct message_property_row *row;
	for (unsigned left = named->present; (row = message_next_property(&left)) != NULL;) {
		m->present |= row->bit;
		if (row->bit == MESSAGE_DELIVERY_MODE)
			m->delivery_mode = named->delivery_mode;
		else if (row->bit == MESSAGE_PRIORITY)
			m->priority = named->priority;
		else if (row->bit == MESSAGE_TIMESTAMP)
			m->timestamp = named->timestamp;
		else
			*message_slice(m, row) = *message_slice_const(named, row);
	}
}

bool result_set_named(
    const struct message *named, const struct message *in, struct message *out, struct error *err)
{
	if (is_other_id(named, in))
		return error_set(err, ERROR_DATA, "sets message_id, which is made of the cause's");
	set_properties(out, named);
	if (named->routing_key.ptr != NULL)
		out->routing_key = named->routing_key;
	return true;
}
