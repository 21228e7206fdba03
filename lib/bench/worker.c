#include "bench/worker.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "bench/churn.h"
#include "bench/link.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define POST_DRAIN_NS (20 * CHRONO_MS) /* between posts, once the run draws to its end */

struct worker {
	struct worker_options options;
	pthread_t thread;
	struct loop *loop;
	struct link **links;
	size_t link_count;
	struct churn *churn; /* or NULL: instead of links */
	struct notes notes;  /* the thread's own */
	uint64_t start_ns, end_ns;
	uint64_t posted_ns;
	uint64_t requeued_before;  /* messages given back before the consumers were told to stop */
	bool has_news;		   /* a connection is done: the main thread waits for that */
	enum worker_phase reached; /* of the phases told, how far the thread is */
	/* from the main thread */
	atomic_int phase;
	atomic_ullong told_start_ns, told_end_ns;
	/* under the mutex: what is posted */
	pthread_mutex_t mutex;
	struct notes posted;
	struct worker_view view;
};

/* ---- posting ---- */

static size_t count_running(const struct worker *w, bool publishing)
{
	size_t sum = publishing && w->churn != NULL && !churn_is_done(w->churn);
	for (size_t i = 0; i < w->link_count; i++)
		if (link_publishes(w->links[i]) == publishing)
			sum += link_running(w->links[i]);
	return sum;
}

static uint64_t sum_over_links(const struct worker *w, uint64_t (*figure)(const struct link *))
{
	uint64_t sum = 0;
	for (size_t i = 0; i < w->link_count; i++)
		sum += figure(w->links[i]);
	return sum;
}

static void post(struct worker *w, uint64_t upto_ns)
{
	uint64_t now_ns = chrono_now_ns();
	for (size_t i = 0; i < w->link_count; i++)
		link_note_blocked(w->links[i], now_ns);
	bool stops = w->reached == WORKER_STOPS;
	pthread_mutex_lock(&w->mutex);
	tally_add(&w->posted.tally, &w->notes.tally);
	ledger_merge(w->posted.ledger, w->notes.ledger);
	w->posted.last_ns = w->notes.last_ns;
	w->view.publishing = count_running(w, true);
	w->view.consuming = count_running(w, false);
	w->view.given_back = stops ? sum_over_links(w, link_requeued) - w->requeued_before : 0;
	w->view.dropped = sum_over_links(w, link_dropped);
	w->view.posted_ns = upto_ns;
	w->view.has_posted = true;
	pthread_mutex_unlock(&w->mutex);
	tally_clear(&w->notes.tally);
	w->posted_ns = upto_ns;
	w->has_news = false;
	loop_wake(w->options.main_loop);
}

/* The first interval ends with the warm-up. */
static uint64_t next_post_ns(const struct worker *w)
{
	const struct bench_options *o = w->options.plan->options;
	if (w->reached > WORKER_SENDS)
		return w->posted_ns + POST_DRAIN_NS;
	if (w->posted_ns < o->warm_up_ns)
		return o->warm_up_ns;
	uint64_t intervals = (w->posted_ns - o->warm_up_ns) / o->report_ns;
	return o->warm_up_ns + (intervals + 1) * o->report_ns;
}

static uint64_t gone_ns(const struct worker *w)
{
	uint64_t now_ns = chrono_now_ns();
	return now_ns > w->start_ns ? now_ns - w->start_ns : 0;
}

/* Posts when an interval is over, or a connection is done. */
static void post_due(struct worker *w, uint64_t *wake_ns)
{
	uint64_t gone = gone_ns(w);
	if (gone >= next_post_ns(w) || w->has_news)
		post(w, gone);
	uint64_t due = chrono_after(w->start_ns, next_post_ns(w));
	*wake_ns = due < *wake_ns ? due : *wake_ns;
}

/* ---- connections ---- */

static bool open_links(struct worker *w, struct error *err)
{
	for (size_t i = 0; i < w->link_count; i++)
		if (link_delay_ns(w->links[i]) == 0 && !link_open(w->links[i], err))
			return false;
	return true;
}

/* Opens the connections whose delay is over. */
static bool open_late_links(struct worker *w, uint64_t *wake_ns, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	for (size_t i = 0; i < w->link_count; i++) {
		struct link *link = w->links[i];
		uint64_t due = chrono_after(w->start_ns, link_delay_ns(link));
		if (link_is_open(link) || due == CHRONO_NEVER)
			continue;
		if (now_ns < due) {
			*wake_ns = due < *wake_ns ? due : *wake_ns;
			continue;
		}
		if (!link_open(link, err))
			return false;
		link_begin(link, w->start_ns, w->end_ns);
	}
	return true;
}

static bool step(struct worker *w, uint64_t *wake_ns, struct error *err)
{
	uint64_t now_ns = chrono_now_ns();
	for (size_t i = 0; i < w->link_count; i++) {
		bool is_done;
		if (!link_step(w->links[i], now_ns, wake_ns, &is_done, err))
			return false;
		w->has_news = w->has_news || is_done;
	}
	if (w->churn == NULL || churn_is_done(w->churn))
		return true;
	bool good = churn_step(w->churn, wake_ns, err);
	w->has_news = w->has_news || churn_is_done(w->churn);
	return good;
}

/* ---- the thread ---- */

static void begin(struct worker *w)
{
	w->start_ns = atomic_load(&w->told_start_ns);
	w->end_ns = atomic_load(&w->told_end_ns);
	for (size_t i = 0; i < w->link_count; i++)
		if (link_is_open(w->links[i]))
			link_begin(w->links[i], w->start_ns, w->end_ns);
	if (w->churn != NULL)
		churn_begin(w->churn, w->start_ns, w->end_ns);
	post(w, 0);
}

static void stop_links(struct worker *w, bool publishing)
{
	for (size_t i = 0; i < w->link_count; i++)
		if (link_publishes(w->links[i]) == publishing)
			link_stop(w->links[i]);
	if (w->churn != NULL)
		churn_stop(w->churn);
	w->has_news = true;
}

/* Goes through the phases it was told, one after the other. */
static void follow(struct worker *w)
{
	enum worker_phase told = (enum worker_phase)atomic_load(&w->phase);
	while (w->reached < told) {
		w->reached++;
		if (w->reached == WORKER_SENDS) {
			begin(w);
			continue;
		}
		if (w->reached == WORKER_STOPS)
			w->requeued_before = sum_over_links(w, link_requeued);
		stop_links(w, w->reached == WORKER_DRAINS);
	}
}

static bool is_done(const struct worker *w)
{
	return w->reached == WORKER_STOPS && count_running(w, true) + count_running(w, false) == 0;
}

/* Ends when all is done, or at once when it is told to. */
static bool run_links(struct worker *w, struct error *err)
{
	while (!loop_stop_requested(w->loop)) {
		uint64_t wake_ns = CHRONO_NEVER;
		follow(w);
		if (w->reached > WORKER_OPENS) {
			if (!open_late_links(w, &wake_ns, err) || !step(w, &wake_ns, err))
				return false;
			if (is_done(w))
				return true;
			post_due(w, &wake_ns);
		}
		if (!loop_turn(w->loop, wake_ns, err))
			return false;
	}
	return true;
}

static void say_open(struct worker *w)
{
	const char *server = w->link_count > 0 ? link_server(w->links[0]) : "";
	pthread_mutex_lock(&w->mutex);
	w->view.is_open = true;
	(void)snprintf(w->view.server, sizeof w->view.server, "%s", server);
	pthread_mutex_unlock(&w->mutex);
	loop_wake(w->options.main_loop);
}

static void say_ended(struct worker *w, const struct error *failure)
{
	pthread_mutex_lock(&w->mutex);
	if (failure->kind != ERROR_NONE)
		error_set(&w->view.failure, failure->kind, "%s", failure->text);
	w->view.has_ended = true;
	pthread_mutex_unlock(&w->mutex);
	loop_wake(w->options.main_loop);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct error err = {0};
	bool good = open_links(w, &err);
	if (good)
		say_open(w);
	good = good && run_links(w, &err);
	/* who is told to end at once has not failed */
	if (good || loop_stop_requested(w->loop))
		error_clear(&err);
	for (size_t i = 0; i < w->link_count; i++)
		link_close(w->links[i]);
	churn_close(w->churn);
	post(w, gone_ns(w));
	say_ended(w, &err);
	return NULL;
}

/* ---- for the main thread ---- */

static bool create_links(struct worker *w, struct error *err)
{
	const struct plan *plan = w->options.plan;
	w->links = mem_alloc(plan->link_count / w->options.count + 1, sizeof(struct link *));
	for (size_t i = w->options.number; i < plan->link_count; i += w->options.count) {
		struct link_options options = {.plan = plan,
		    .number = i,
		    .loop = w->loop,
		    .notes = &w->notes,
		    .name = w->options.name,
		    .seed = w->options.seed};
		w->links[w->link_count] = link_create(&options, err);
		if (w->links[w->link_count] == NULL)
			return false;
		w->link_count++;
	}
	return true;
}

static void release(struct worker *w)
{
	for (size_t i = 0; i < w->link_count; i++)
		link_free(w->links[i]);
	free(w->links);
	churn_free(w->churn);
	ledger_free(w->notes.ledger);
	ledger_free(w->posted.ledger);
	loop_free(w->loop);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

/* Signals are the main thread's. */
static bool start_thread(struct worker *w, struct error *err)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code == 0 || error_set(err, ERROR_IO, "cannot start a thread: %s", strerror(code));
}

static bool create(struct worker *w, struct error *err)
{
	const struct plan *plan = w->options.plan;
	w->notes.ledger = ledger_create(plan->publishers, plan->ledger_queues);
	w->posted.ledger = ledger_create(plan->publishers, plan->ledger_queues);
	w->loop = loop_create_worker(err);
	if (w->loop == NULL)
		return false;
	if (plan->options->churn == BENCH_NO_CHURN)
		return create_links(w, err);
	w->churn = churn_create(plan, w->options.name, w->loop, &w->notes);
	return true;
}

struct worker *worker_start(const struct worker_options *options, struct error *err)
{
	struct worker *w = mem_alloc(1, sizeof *w);
	w->options = *options;
	pthread_mutex_init(&w->mutex, NULL);
	if (create(w, err) && start_thread(w, err))
		return w;
	release(w);
	return NULL;
}

void worker_tell(struct worker *w, enum worker_phase phase)
{
	atomic_store(&w->phase, phase);
	loop_wake(w->loop);
}

void worker_begin(struct worker *w, uint64_t start_ns, uint64_t end_ns)
{
	atomic_store(&w->told_start_ns, start_ns);
	atomic_store(&w->told_end_ns, end_ns);
	worker_tell(w, WORKER_SENDS);
}

void worker_look(struct worker *w, struct worker_view *out)
{
	pthread_mutex_lock(&w->mutex);
	*out = w->view;
	pthread_mutex_unlock(&w->mutex);
}

void worker_collect(struct worker *w, struct notes *into)
{
	pthread_mutex_lock(&w->mutex);
	tally_add(&into->tally, &w->posted.tally);
	ledger_merge(into->ledger, w->posted.ledger);
	if (w->posted.last_ns > into->last_ns)
		into->last_ns = w->posted.last_ns;
	tally_clear(&w->posted.tally);
	pthread_mutex_unlock(&w->mutex);
}

void worker_abort(struct worker *w)
{
	loop_request_stop(w->loop);
}

void worker_join(struct worker *w)
{
	if (w == NULL)
		return;
	worker_abort(w);
	pthread_join(w->thread, NULL);
	release(w);
}
