/* printer.h - shows what the producer sends: a line when a message goes, or when its fate is known.
 */
#ifndef APP_PRINTER_H
#define APP_PRINTER_H

#include "base/output.h"
#include "flow/flow.h"

enum printer_format {
	PRINTER_PRETTY, /* a line for people as each message goes, bad news on stderr */
	PRINTER_JSON,	/* record.h with the fate, when it is known */
	PRINTER_NONE,	/* bad news on stderr */
};

struct printer {
	enum printer_format format;
	bool color;
	struct loop *loop;   /* borrowed; asked to stop when nothing can be printed any more */
	struct output out;   /* standard output */
	struct error failed; /* the first failure */
};

void printer_init(struct printer *p, enum printer_format format, bool color, struct loop *loop);
void printer_release(struct printer *p);

/* Callbacks of the flow; ctx is the printer. */
flow_ready_fn printer_is_ready; /* false while a slow reader is far behind */
flow_put_fn printer_on_put;
flow_fate_fn printer_on_fate;

/* Writes what is left, as output_drain; false with the first failure there was. */
bool printer_finish(struct printer *p, struct error *err) MUST_CHECK;

#endif
