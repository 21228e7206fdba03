#include "app/offset.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/num.h"

#include <string.h>

json_t *offset_read(const char *text, struct error *err)
{
	static const char *const words[] = {"first", "last", "next"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i]) == 0)
			return json_string(text);
	struct error ignored = {0}; /* the last form tells what is accepted */
	uint64_t number;
	int64_t wall_ms;
	if (num_parse_u64(slice_str(text), 0, INT64_MAX, &number, &ignored))
		return json_integer((json_int_t)number);
	error_clear(&ignored);
	if (chrono_parse(slice_str(text), &wall_ms, &ignored) && wall_ms >= 0)
		return json_pack(
		    "{s:s, s:I}", "$type", "timestamp", "value", (json_int_t)(wall_ms / 1000));
	error_set(err, ERROR_USAGE,
	    "option '--offset' takes first, last, next, a number or a time such as "
	    "2026-11-21T08:15:30Z");
	return NULL;
}
