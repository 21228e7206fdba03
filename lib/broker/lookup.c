#include "broker/lookup.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Shared by who asks and the thread: who leaves last frees it. */
struct lookup {
	atomic_uint holders;
	atomic_bool is_done; /* then list and code may be read */
	int event;	     /* wakes the loop */
	char *host;
	char service[8];
	struct addrinfo *list;
	int code; /* of getaddrinfo() */
};

static void leave(struct lookup *l)
{
	if (atomic_fetch_sub(&l->holders, 1) > 1)
		return;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	if (l->event >= 0)
		close(l->event);
	free(l->host);
	free(l);
}

static int ask(const char *host, const char *service, int flags, struct addrinfo **list)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	return getaddrinfo(host, service, &hints, list);
}

static void *work(void *ctx)
{
	struct lookup *l = ctx;
	l->code = ask(l->host, l->service, AI_ADDRCONFIG, &l->list);
	atomic_store(&l->is_done, true);
	(void)eventfd_write(l->event, 1); /* the first one fits */
	leave(l);
	return NULL;
}

/* Signals stay with the loop's thread. Returns an errno. */
static int start(struct lookup *l)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&thread, NULL, work, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		pthread_detach(thread);
	return code;
}

static void note_event(void *ctx, short revents)
{
	(void)ctx, (void)revents; /* is_done says it */
}

/* True when it is done in time, else the reason. */
static bool wait_until_done(
    struct loop *loop, struct lookup *l, uint64_t deadline_ns, const char **why)
{
	struct error err = {0};
	bool good = true;
	loop_watch(loop, l->event, POLLIN, note_event, NULL);
	while (good && !atomic_load(&l->is_done) && !loop_stop_requested(loop) &&
	       chrono_now_ns() < deadline_ns)
		good = loop_turn(loop, deadline_ns, &err);
	loop_unwatch(loop, l->event);
	*why = loop_stop_requested(loop) ? "interrupted" : "no answer in time";
	return atomic_load(&l->is_done);
}

/* Asks in a thread. Returns NULL, and why. */
static struct addrinfo *ask_beside(struct loop *loop, const char *host, const char *service,
    uint64_t deadline_ns, const char **why)
{
	struct addrinfo *list = NULL;
	struct lookup *l = mem_alloc(1, sizeof *l);
	l->host = mem_strdup(host);
	(void)snprintf(l->service, sizeof l->service, "%s", service);
	l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_store(&l->holders, 2);
	int code = l->event >= 0 ? start(l) : errno;
	if (code != 0) {
		*why = strerror(code);
		atomic_store(&l->holders, 1); /* there is no thread */
	} else if (wait_until_done(loop, l, deadline_ns, why)) {
		*why = gai_strerror(l->code);
		list = l->list;
		l->list = NULL;
	}
	leave(l);
	return list;
}

struct addrinfo *lookup_host(
    struct loop *loop, const char *host, uint16_t port, uint64_t deadline_ns, struct error *err)
{
	char service[8];
	struct addrinfo *list = NULL;
	const char *why = NULL;
	(void)snprintf(service, sizeof service, "%u", port);
	if (ask(host, service, AI_NUMERICHOST, &list) == 0)
		return list;
	list = ask_beside(loop, host, service, deadline_ns, &why);
	if (list != NULL)
		return list;
	char *shown = text_quote(slice_str(host));
	error_set(err, ERROR_UNAVAILABLE, "cannot look up '%s': %s", shown, why);
	free(shown);
	return NULL;
}
