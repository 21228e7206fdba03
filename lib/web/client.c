#include "web/client.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/uri.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (UINT64_C(256) << 20)
#define MOST_ANSWER (UINT64_C(64) << 10) /* to a POST: what it says is little */

struct client {
	struct loop *loop;
	CURLM *multi;
	CURL *easy;
	char *base, *shown; /* the URL without user and password, and without a '/' at its end */
	char *lent_to;	    /* owned: the host that gets the login of the options; NULL: none */
	uint64_t timer;
	struct buf *body; /* of the answer that is being read */
	size_t most;	  /* bytes of it */
	struct curl_slist *headers;
	client_answer_fn *fn; /* of a POST that is under way; NULL: there is none */
	void *ctx;
	struct buf answer; /* to it */
	char fault[CURL_ERROR_SIZE];
	bool is_tls, is_done, is_too_long;
	CURLcode result;
};

/* ---- libcurl's descriptors and timer are the loop's ---- */

static void end_post(struct client *c);

static void collect(struct client *c)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left)) != NULL;)
		if (m->msg == CURLMSG_DONE) {
			c->is_done = true;
			c->result = m->data.result;
		}
	if (c->is_done && c->fn != NULL)
		end_post(c);
}

static void act(struct client *c, curl_socket_t fd, int events)
{
	int running;
	(void)curl_multi_socket_action(c->multi, fd, events, &running); /* the message tells */
	collect(c);
}

struct watched {
	struct client *client;
	curl_socket_t fd;
};

static void on_ready(void *ctx, short revents)
{
	const struct watched *w = ctx;
	act(w->client, w->fd,
	    (revents & POLLIN ? CURL_CSELECT_IN : 0) | (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
		(revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0));
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	(void)easy;
	struct client *c = ctx;
	struct watched *w = socket_ctx;
	if (what == CURL_POLL_REMOVE) {
		loop_unwatch(c->loop, fd);
		free(w);
		return 0;
	}
	if (w == NULL) {
		w = mem_alloc(1, sizeof *w);
		*w = (struct watched){c, fd};
		curl_multi_assign(c->multi, fd, w);
	}
	loop_watch(c->loop, fd,
	    (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0)),
	    on_ready, w);
	return 0;
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	struct client *c = ctx;
	c->timer = 0;
	act(c, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
	(void)multi;
	struct client *c = ctx;
	loop_cancel(c->loop, c->timer);
	c->timer = 0;
	if (ms >= 0)
		c->timer = loop_at(
		    c->loop, chrono_after(chrono_now_ns(), (uint64_t)ms * CHRONO_MS), on_timer, c);
	return 0;
}

static size_t take(const char *bytes, size_t size, size_t count, void *ctx)
{
	struct client *c = ctx;
	c->is_too_long = c->body->len + size * count > c->most;
	if (c->is_too_long)
		return 0; /* ends the transfer */
	buf_append(c->body, (struct slice){bytes, size * count});
	return size * count;
}

/* ---- the URL ---- */

/* To curl_free(); NULL when the URL has none. */
static char *part(CURLU *url, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	return curl_url_get(url, which, &text, flags) == CURLUE_OK ? text : NULL;
}

static void set_login(struct client *c, const char *user, const char *password)
{
	if (user == NULL)
		return;
	curl_easy_setopt(c->easy, CURLOPT_USERNAME, user);
	curl_easy_setopt(c->easy, CURLOPT_PASSWORD, password != NULL ? password : "");
}

static void wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	curl_free(secret);
}

/* What is left has no secret in it, and is what requests are made of. */
static void take_login(struct client *c, const struct client_options *options, CURLU *url)
{
	char *user = part(url, CURLUPART_USER, CURLU_URLDECODE);
	char *password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	set_login(
	    c, user != NULL ? user : options->user, user != NULL ? password : options->password);
	if (user == NULL && options->user != NULL) {
		char *host = part(url, CURLUPART_HOST, 0);
		c->lent_to = mem_strdup(host != NULL ? host : "");
		curl_free(host);
	}
	curl_free(user);
	wipe(password);
	(void)curl_url_set(url, CURLUPART_USER, NULL, 0); /* taking a part away cannot fail */
	(void)curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	char *text = part(url, CURLUPART_URL, 0);
	size_t len = strlen(text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	c->base = mem_printf("%.*s", (int)len, text);
	c->is_tls = strncmp(text, "https:", 6) == 0;
	curl_free(text);
}

/* To curl_url_cleanup(), or NULL. */
static CURLU *parse(const char *text, struct error *err)
{
	CURLU *url = curl_url();
	(void)curl_url_set(url, CURLUPART_URL, text, 0); /* then it has no parts */
	char *scheme = part(url, CURLUPART_SCHEME, 0);
	char *query = part(url, CURLUPART_QUERY, 0), *fragment = part(url, CURLUPART_FRAGMENT, 0);
	bool is_http =
	    scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	bool ends = query == NULL && fragment == NULL; /* requests are made by adding a path */
	curl_free(fragment);
	curl_free(query);
	curl_free(scheme);
	if (is_http && ends)
		return url;
	curl_url_cleanup(url);
	char *shown = uri_mask(slice_str(text));
	error_set(err, ERROR_SETTINGS, "'%s' is no address such as http://localhost:8080%s", shown,
	    is_http ? ": nothing may stand behind its path" : "");
	free(shown);
	return NULL;
}

/* ---- opening ---- */

static void set_tls(struct client *c, const struct client_options *o)
{
	if (o->ca != NULL)
		curl_easy_setopt(c->easy, CURLOPT_CAINFO, o->ca);
	if (o->cert != NULL)
		curl_easy_setopt(c->easy, CURLOPT_SSLCERT, o->cert);
	if (o->key != NULL)
		curl_easy_setopt(c->easy, CURLOPT_SSLKEY, o->key);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, o->verify_none ? 0L : 1L);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, o->verify_none ? 0L : 2L);
}

/* libcurl copies them. Without Expect it would ask before it sends what is large. */
static void set_headers(struct client *c, const char *const *headers)
{
	for (; headers != NULL && *headers != NULL; headers++)
		c->headers = curl_slist_append(c->headers, *headers);
	c->headers = curl_slist_append(c->headers, "Expect:");
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
}

static void set_up(struct client *c, const struct client_options *o)
{
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L); /* they are the loop's */
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->fault);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(o->limit_ns / CHRONO_MS));
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "warren");
	set_headers(c, o->headers);
	set_tls(c, o);
}

struct client *client_open(
    struct loop *loop, const struct client_options *options, struct error *err)
{
	CURLU *url = parse(options->url, err);
	if (url == NULL)
		return NULL;
	struct client *c = mem_alloc(1, sizeof *c);
	*c = (struct client){.loop = loop,
	    .multi = curl_multi_init(),
	    .easy = curl_easy_init(),
	    .shown = uri_mask(slice_str(options->url))};
	if (c->multi == NULL || c->easy == NULL) {
		error_set(err, ERROR_INTERNAL, "libcurl cannot be set up");
		client_close(c);
		c = NULL;
	} else {
		set_up(c, options);
		take_login(c, options, url);
	}
	curl_url_cleanup(url);
	return c;
}

void client_close(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->easy);
	curl_multi_cleanup(c->multi);
	for (struct curl_slist *h = c->headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data)); /* a token, perhaps */
	curl_slist_free_all(c->headers);
	buf_release(&c->answer);
	loop_cancel(c->loop, c->timer);
	free(c->base);
	free(c->lent_to);
	free(c->shown);
	free(c);
}

const char *client_shown(const struct client *c)
{
	return c->shown;
}

const char *client_lent_to(const struct client *c)
{
	return c->lent_to;
}

bool client_is_tls(const struct client *c)
{
	return c->is_tls;
}

/* ---- asking ---- */

static bool begin(
    struct client *c, const char *path, struct buf *body, size_t most, struct error *err)
{
	char *url = mem_printf("%s%s", c->base, path);
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	free(url);
	c->body = body;
	c->most = most;
	c->is_done = c->is_too_long = false;
	c->fault[0] = '\0';
	return curl_multi_add_handle(c->multi, c->easy) == CURLM_OK ||
	       error_set(err, ERROR_INTERNAL, "libcurl takes no request");
}

static unsigned end(struct client *c)
{
	long code = 0;
	(void)curl_multi_remove_handle(c->multi, c->easy); /* it was added */
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code);
	return (unsigned)code;
}

/* To free(). */
static char *fault_of(const struct client *c)
{
	return text_quote(
	    slice_str(c->fault[0] != '\0' ? c->fault : curl_easy_strerror(c->result)));
}

static bool turn_until_done(struct client *c, struct error *err)
{
	while (!c->is_done) {
		if (loop_stop_requested(c->loop))
			return error_set(
			    err, ERROR_UNAVAILABLE, "stopped while waiting for %s", c->shown);
		if (!loop_turn(c->loop, CHRONO_NEVER, err))
			return false;
	}
	if (c->is_too_long)
		return error_set(err, ERROR_REFUSED, "the answer of %s has no end", c->shown);
	if (c->result == CURLE_OK)
		return true;
	char *why = fault_of(c);
	error_set(err, ERROR_UNAVAILABLE, "%s: %s", c->shown, why);
	free(why);
	return false;
}

bool client_get(
    struct client *c, const char *path, unsigned *status, struct buf *body, struct error *err)
{
	curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
	if (!begin(c, path, body, MOST_BYTES, err))
		return false;
	bool good = turn_until_done(c, err);
	*status = end(c);
	return good;
}

static void end_post(struct client *c)
{
	client_answer_fn *fn = c->fn;
	curl_off_t retry_s = 0;
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_s);
	unsigned status = end(c);
	bool is_whole = c->result == CURLE_OK && !c->is_too_long;
	char *why = is_whole ? NULL : fault_of(c);
	const struct client_answer answer = {.status = is_whole ? status : 0,
	    .why = why,
	    .retry_after_ns = retry_s > 0 ? (uint64_t)retry_s * CHRONO_S : 0,
	    .body = buf_slice(&c->answer)};
	c->fn = NULL;
	fn(c->ctx, &answer);
	free(why);
}

bool client_post(struct client *c, const char *path, struct slice body, client_answer_fn *fn,
    void *ctx, struct error *err)
{
	curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body.ptr);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	buf_clear(&c->answer);
	c->fn = fn;
	c->ctx = ctx;
	if (begin(c, path, &c->answer, MOST_ANSWER, err))
		return true;
	c->fn = NULL;
	return false;
}
