#include "model/envelope.h"

#include "model/table.h"

void envelope_read(const struct message *m, struct buf *scratch, struct envelope *out)
{
	buf_clear(scratch);
	*out = (struct envelope){.id = m->message_id, .type = m->type};
	if ((m->present & MESSAGE_HEADERS) == 0)
		return;
	struct slice id = table_find_string(m->headers, "cloudEvents_id");
	if (id.ptr == NULL)
		return;
	out->mode = ENVELOPE_BINARY;
	out->id = id;
	out->type = table_find_string(m->headers, "cloudEvents_type");
	out->source = table_find_string(m->headers, "cloudEvents_source");
	out->subject = table_find_string(m->headers, "cloudEvents_subject");
	out->time = table_find_string(m->headers, "cloudEvents_time");
}
