/* links.h - the proxy's connections: a link is a tool's and the broker's end, with a lane each way.
 */
#ifndef FAULTS_LINKS_H
#define FAULTS_LINKS_H

#include "base/buf.h"
#include "base/fifo.h"
#include "base/loop.h"
#include "base/rng.h"

#define LINKS_NO_LIMIT SIZE_MAX
#define LINKS_SCHEDULED 4 /* faults, the first ones */

enum fault { CUT, RESET, DELAY, FRAGMENT, BLACKHOLE, HANG, REFUSE, THROTTLE, FAULT_COUNT };

struct piece { /* bytes that came together */
	uint64_t due_ns;
	size_t len;
};

struct lane { /* one direction: 0 up to the broker, 1 down from it */
	struct buf bytes;
	size_t at; /* bytes that are out */
	struct fifo pieces;
	size_t due_bytes;   /* of bytes, may go now */
	uint64_t newest_ns; /* when the last piece may go: order is kept */
	uint64_t free_ns;   /* nothing goes before: a throttled lane */
	size_t tiny_left;   /* bytes that still go in tiny writes */
	size_t cut_after;   /* the link is cut when so many more have come */
	bool black;	    /* what comes is dropped */
};

struct link {
	struct proxy *proxy;
	int fd[2];	      /* 0 the tool's, 1 the broker's; -1 closed */
	struct lane lanes[2]; /* lane i comes from fd i */
	bool connecting;
	bool ending; /* one side has closed: the other closes when it has got all */
	uint64_t timer;
	struct link *next;
};

struct proxy {
	struct loop *loop;
	struct rng rng;
	int listener;
	uint16_t port, target;
	struct link *links;
	struct buf commands;
	uint64_t done[FAULT_COUNT];
	uint64_t accepted, bytes[2];
	/* the schedule */
	uint64_t faults_left, every_bytes;
	uint64_t next_fault; /* bytes from now */
	/* what holds until resume */
	uint64_t delay_ns, throttle;
	size_t tiny;
	bool black[2], hang;
};

/* Serves the port; 0 chooses one. */
void links_listen(struct proxy *p);
/* The port is closed: connections are refused. */
void links_refuse(struct proxy *p);
/* Draws when the next fault of the schedule is due. */
void links_plan_fault(struct proxy *p);
/* Writes what may go, and arranges for the rest. */
void links_pump(struct link *l);
/* It is freed by links_sweep, between two turns: its callers still look at it. */
void links_close(struct link *l, bool reset);
void links_sweep(struct proxy *p);
/* True when it drops what comes. */
bool links_is_black(const struct link *l);

#endif
