#include "broker/tls.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/tls_private.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_BYTES (16 * 1024)
#define READ_AHEAD_BYTES (128u * 1024) /* of several records in one system call */

struct tls {
	SSL *ssl;
	const char *shown; /* the address */
	struct error failure;
	/* why their certificate is not accepted; empty: it is, or not judged */
	struct buf distrust;
	struct buf session;
	char greeting[4];      /* the first bytes that they sent */
	bool cert_asked;       /* they want a certificate of us and there is none */
	bool passphrase_asked; /* the key cannot be read without one */
	bool read_waits_to_write;
};

static int on_verified(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	if (!good && t->distrust.len == 0)
		tls_distrust_explain(store, &t->distrust);
	return good;
}

/* ---- our files ---- */

/* OpenSSL says only that it did not work; the system says why. */
static bool check_readable(const char *path, const char *what, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int cause = errno;
	if (fd >= 0) {
		close(fd);
		return true;
	}
	char *name = text_quote(slice_str(path));
	error_set(err, ERROR_NO_INPUT, "cannot read the %s '%s': %s", what, name, strerror(cause));
	free(name);
	return false;
}

static bool useless(const char *path, const char *what, const char *why, struct error *err)
{
	char *name = text_quote(slice_str(path));
	error_set(err, ERROR_NO_INPUT, "cannot use the %s '%s': %s", what, name, why);
	free(name);
	return false;
}

/* Asked when a key is encrypted. We never ask back: nobody may be there. */
static int refuse_passphrase(char *out, int size, int writing, void *ctx)
{
	struct tls *t = ctx;
	(void)writing; /* keys are only read */
	if (size > 0)
		out[0] = '\0';
	t->passphrase_asked = true;
	return -1;
}

static int note_cert_asked(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct tls *t = SSL_get_app_data(ssl);
	(void)cert; /* OpenSSL fixes the form; we have none to give */
	(void)key;
	t->cert_asked = true;
	return 0;
}

/* The head of the first record is kept as it came, whatever it is. */
static void note_greeting(
    int written, int version, int type, const void *bytes, size_t size, SSL *ssl, void *ctx)
{
	struct tls *t = ctx;
	(void)version; /* there may be none */
	if (written || type != SSL3_RT_HEADER || size < sizeof t->greeting)
		return;
	memcpy(t->greeting, bytes, sizeof t->greeting);
	SSL_set_msg_callback(ssl, NULL);
}

static bool load_authorities(SSL_CTX *ctx, const struct uri *uri, struct error *err)
{
	if (uri->verify_none)
		return true;
	if (uri->cacertfile == NULL)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ||
		       error_set(err, ERROR_NO_INPUT,
			   "cannot read the system's certificate authorities; name some with "
			   "cacertfile");
	return check_readable(uri->cacertfile, "CA file", err) &&
	       (SSL_CTX_load_verify_file(ctx, uri->cacertfile) == 1 ||
		   useless(uri->cacertfile, "CA file", "it holds no certificate in PEM form", err));
}

/* A key may stand in the file of its certificate. */
static bool load_identity(struct tls *t, SSL_CTX *ctx, const struct uri *uri, struct error *err)
{
	const char *cert = uri->certfile, *key = uri->keyfile != NULL ? uri->keyfile : cert;
	if (cert == NULL && key == NULL)
		return true;
	if (cert == NULL)
		return error_set(err, ERROR_SETTINGS,
		    "a key without its certificate: keyfile needs certfile beside it");
	if (!check_readable(cert, "certificate", err) || !check_readable(key, "key", err))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return useless(cert, "certificate",
		    "it holds no certificate in PEM form that is accepted", err);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
		return true;
	unsigned long code = ERR_peek_last_error();
	return useless(key, "key",
	    t->passphrase_asked
		? "it is protected by a passphrase; give one without, readable by you alone"
	    : ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
		    ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH
		? "it does not belong to the certificate"
		: "it holds no private key in PEM form",
	    err);
}

static SSL_CTX *create_context(struct tls *t, const struct uri *uri, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL) {
		error_set(err, ERROR_INTERNAL, "OpenSSL cannot be used");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* an end without goodbye is an end: AMQP has its own, and whole frames */
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD_BYTES);
	SSL_CTX_set_verify(ctx, uri->verify_none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, on_verified);
	SSL_CTX_set_default_passwd_cb(ctx, refuse_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, t);
	SSL_CTX_set_client_cert_cb(ctx, note_cert_asked);
	if (load_authorities(ctx, uri, err) && load_identity(t, ctx, uri, err))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* An IP address is compared with those of the certificate, and not sent as a name (RFC 6066, 3). */
static bool set_peer_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return true;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool prepare(struct tls *t, int fd, const struct uri *uri, struct error *err)
{
	const char *name = uri->server_name != NULL ? uri->server_name : uri->host;
	SSL_CTX *ctx = create_context(t, uri, err);
	if (ctx == NULL)
		return false;
	t->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx); /* the session keeps it */
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
		return error_set(err, ERROR_INTERNAL, "OpenSSL cannot be used");
	SSL_set_app_data(t->ssl, t);
	SSL_set_msg_callback(t->ssl, note_greeting);
	SSL_set_msg_callback_arg(t->ssl, t);
	if (set_peer_name(t->ssl, name))
		return true;
	char *shown = text_quote(slice_str(name));
	error_set(err, ERROR_SETTINGS, "'%s' cannot be the name of a TLS server", shown);
	free(shown);
	return false;
}

/* ---- failures ---- */

/* Their alerts about our certificate (RFC 8446, 6.2); NULL for any other reason. */
static const char *explain_alert(int reason)
{
	static const struct {
		int reason;
		const char *text;
	} alerts[] = {
	    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "bad certificate"},
	    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "unsupported certificate"},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "certificate revoked"},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "certificate expired"},
	    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "certificate unknown"},
	    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "unknown certificate authority"},
	    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "access denied"},
	    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "certificate required"},
	};
	for (size_t i = 0; i < ARRAY_LEN(alerts); i++)
		if (alerts[i].reason == reason)
			return alerts[i].text;
	return NULL;
}

/* What OpenSSL has put on its list of errors. */
static void explain_failure(struct tls *t, struct error *err)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	const char *alert = explain_alert(reason), *text = ERR_reason_error_string(code);
	if (t->distrust.len > 0)
		error_set(err, ERROR_ACCESS, "the broker at %s cannot be trusted: %s", t->shown,
		    t->distrust.ptr);
	else if (t->cert_asked && (alert != NULL || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE))
		error_set(err, ERROR_ACCESS,
		    "the broker at %s wants a certificate of us; give certfile and keyfile",
		    t->shown);
	else if (alert != NULL)
		error_set(err, ERROR_ACCESS, "the broker at %s does not accept our certificate: %s",
		    t->shown, alert);
	else
		error_set(err, ERROR_UNAVAILABLE, "TLS with the broker at %s failed: %s", t->shown,
		    text != NULL ? text : "no reason given");
}

/* Who does not speak TLS shows it in the first bytes. */
static void explain_stranger(const struct tls *t, struct error *err)
{
	if (memcmp(t->greeting, "AMQP", sizeof t->greeting) == 0)
		error_set(err, ERROR_REFUSED,
		    "%s speaks AMQP without TLS: use amqp://, or the port for TLS (RabbitMQ's is "
		    "5671)",
		    t->shown);
	else if (memcmp(t->greeting, "HTTP", sizeof t->greeting) == 0)
		error_set(err, ERROR_REFUSED,
		    "%s is a web server, not AMQP; RabbitMQ listens for TLS on port 5671",
		    t->shown);
}

/* The result of a read or write that moved nothing: what recv() would return. */
static ssize_t judge(struct tls *t, int result, int cause)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = cause != 0 ? cause : ECONNRESET;
		return -1;
	default:
		explain_failure(t, &t->failure);
		errno = EPROTO;
		return -1;
	}
}

/* ---- the handshake ---- */

struct wait {
	struct loop *loop;
	int fd;
	uint64_t deadline_ns;
	const char *shown;
};

static void note_ready(void *ctx, short revents)
{
	(void)revents; /* the next step finds out */
	*(bool *)ctx = true;
}

static bool wait_ready(const struct wait *w, short events, struct error *err)
{
	bool ready = false, good = true;
	loop_watch(w->loop, w->fd, events, note_ready, &ready);
	while (good && !ready) {
		if (loop_stop_requested(w->loop))
			good = error_set(err, ERROR_UNAVAILABLE, "stopped while logging in");
		else if (chrono_now_ns() >= w->deadline_ns)
			good = error_set(err, ERROR_UNAVAILABLE,
			    "the broker at %s does not finish the TLS handshake: is it AMQP over "
			    "TLS?",
			    w->shown);
		else
			good = loop_turn(w->loop, w->deadline_ns, err);
	}
	loop_unwatch(w->loop, w->fd);
	return good;
}

static bool shake_hands(struct tls *t, const struct wait *w, struct error *err)
{
	for (;;) {
		ERR_clear_error();
		errno = 0;
		int result = SSL_connect(t->ssl), cause = errno;
		int code = SSL_get_error(t->ssl, result);
		if (result == 1)
			return true;
		if (code == SSL_ERROR_SYSCALL || code == SSL_ERROR_ZERO_RETURN)
			return error_set(err, ERROR_UNAVAILABLE,
			    "no TLS handshake with the broker at %s: %s", t->shown,
			    cause != 0 ? strerror(cause) : "it closed the connection");
		if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE) {
			explain_stranger(t, err);
			explain_failure(t, err); /* if nothing is said yet */
			return false;
		}
		if (!wait_ready(w, code == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, err))
			return false;
	}
}

struct tls *tls_open(
    struct loop *loop, int fd, const struct uri *uri, uint64_t deadline_ns, struct error *err)
{
	struct tls *t = mem_alloc(1, sizeof *t);
	const struct wait wait = {loop, fd, deadline_ns, uri->shown};
	t->shown = uri->shown;
	ERR_clear_error();
	if (prepare(t, fd, uri, err) && shake_hands(t, &wait, err)) {
		buf_printf(
		    &t->session, "%s, %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
		return t;
	}
	tls_close(t);
	return NULL;
}

void tls_close(struct tls *t)
{
	if (t == NULL)
		return;
	ERR_clear_error();
	if (t->ssl != NULL && SSL_is_init_finished(t->ssl) && t->failure.kind == ERROR_NONE)
		(void)SSL_shutdown(t->ssl); /* who has gone does not need our goodbye */
	SSL_free(t->ssl);
	buf_release(&t->distrust);
	buf_release(&t->session);
	free(t);
}

/* ---- reading and writing ---- */

ssize_t tls_read(struct tls *t, void *bytes, size_t size)
{
	if (t->failure.kind != ERROR_NONE) {
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	int result = SSL_read(t->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
	int cause = errno;
	t->read_waits_to_write = result <= 0 && SSL_want_write(t->ssl);
	return result > 0 ? result : judge(t, result, cause);
}

ssize_t tls_write(struct tls *t, const void *bytes, size_t size)
{
	ERR_clear_error();
	errno = 0;
	/* One record at a time, so that there are moments with none under way: only then does
	 * OpenSSL answer a KeyUpdate, and it cannot take a second one before. */
	int result = SSL_write(t->ssl, bytes, size < RECORD_BYTES ? (int)size : RECORD_BYTES);
	ssize_t moved = result > 0 ? result : judge(t, result, errno);
	if (moved == 0)
		errno = EPIPE; /* they said goodbye */
	return moved > 0 ? moved : -1;
}

bool tls_read_waits_to_write(const struct tls *t)
{
	return t->read_waits_to_write;
}

const struct error *tls_failure(const struct tls *t)
{
	return &t->failure;
}

const char *tls_shown(const struct tls *t)
{
	return t->session.ptr;
}
