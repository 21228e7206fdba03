/* notify.h - hears when a program that was started is ready, as systemd does: sd_notify(3). */
#ifndef LAB_NOTIFY_H
#define LAB_NOTIFY_H

#include "base/error.h"

#include <stdbool.h>

#define NOTIFY_VARIABLE "NOTIFY_SOCKET" /* tells the program where; its value is the address */
#define NOTIFY_ADDRESS_BYTES 8		/* '@' and what the kernel chooses, five digits */

/* All zero is closed. */
struct notify {
	char address[NOTIFY_ADDRESS_BYTES]; /* empty while closed */
	int fd;
};

/* Listens at a new address; fails with ERROR_UNAVAILABLE. */
bool notify_open(struct notify *notify, struct error *err) MUST_CHECK;

/* Whether the program has said READY=1 by now; does not wait. It is told once: close after it. */
bool notify_is_ready(struct notify *notify);

/* May be called again. */
void notify_close(struct notify *notify);

#endif
