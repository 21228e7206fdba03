#include "broker/rabbitmqc_private.h"

#include "model/table.h"

#include <string.h>

#define PAGE_BYTES 4096
#define LENGTH_BYTES 4

amqp_bytes_t rabbitmqc_bytes(const char *text)
{
	return (amqp_bytes_t){text != NULL ? strlen(text) : 0, (void *)(uintptr_t)text};
}

/* Encodes it ourselves, with every type JSON can name, and lets the library read that. */
bool rabbitmqc_table_read(struct rabbitmqc_table *t, const json_t *object, struct error *err)
{
	t->table = (amqp_table_t){0};
	if (json_object_size(object) == 0)
		return true;
	buf_clear(&t->encoded);
	buf_append(&t->encoded, (struct slice){"\0\0\0\0", LENGTH_BYTES});
	if (!table_encode(object, &t->encoded, err))
		return false;
	size_t size = t->encoded.len - LENGTH_BYTES;
	for (int i = 0; i < LENGTH_BYTES; i++)
		t->encoded.ptr[i] = (char)(size >> (24 - 8 * i));
	if (!t->has_pool)
		init_amqp_pool(&t->pool, PAGE_BYTES);
	t->has_pool = true;
	recycle_amqp_pool(&t->pool);
	size_t offset = 0;
	amqp_bytes_t bytes = {t->encoded.len, t->encoded.ptr};
	if (amqp_decode_table(bytes, &t->pool, &t->table, &offset) < 0)
		return error_set(err, ERROR_INTERNAL, "arguments cannot be read back");
	return true;
}

void rabbitmqc_table_release(struct rabbitmqc_table *t)
{
	if (t->has_pool)
		empty_amqp_pool(&t->pool);
	buf_release(&t->encoded);
	*t = (struct rabbitmqc_table){0};
}
