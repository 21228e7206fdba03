/* TLS against servers of OpenSSL in child processes: bytes both ways in small pieces, certificates
 * that are good and bad, and what is no TLS at all. */
#include "broker/wire.h"

#include "base/chrono.h"
#include "base/mem.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_NS (20 * CHRONO_S)
#define DAY_S (24 * 3600)

static char folder[] = "/tmp/warren-test-tls.XXXXXX";

/* ---- certificates ---- */

/* Before there are tests that could fail. */
static void must(bool good)
{
	if (!good)
		abort();
}

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* NULL for the issuer: signs itself. */
static struct identity make_identity(const char *name, const struct identity *issuer, bool is_ca,
    const char *names, long from_s, long to_s)
{
	static long serial;
	struct identity id = {EVP_EC_gen("P-256"), X509_new()};
	const struct identity *by = issuer != NULL ? issuer : &id;
	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), to_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(id.cert), "CN", MBSTRING_UTF8,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(id.cert, X509_get_subject_name(by->cert));
	X509_set_pubkey(id.cert, id.key);
	extend(id.cert, by->cert, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (names != NULL)
		extend(id.cert, by->cert, NID_subject_alt_name, names);
	must(X509_sign(id.cert, by->key, EVP_sha256()) > 0);
	return id;
}

static char *path_of(const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

static void save(const char *name, const struct identity *id, bool with_key, const char *passphrase)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "w");
	PEM_write_X509(f, id->cert);
	if (with_key)
		PEM_write_PrivateKey(f, id->key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0,
		    NULL, (void *)(uintptr_t)passphrase);
	fclose(f);
	free(path);
}

enum server_identity {
	GOOD,
	ADDRESS,
	EXPIRED,
	FUTURE,
	OTHER_HOST,
	OTHER_ADDRESS,
	WITHOUT_NAMES,
	WILD,
	SELF_SIGNED,
	OTHER_CA,
	IDENTITY_COUNT,
};

static struct identity identities[IDENTITY_COUNT], ca, other, client;

static void make_all(void)
{
	must(mkdtemp(folder) != NULL);
	ca = make_identity("Test CA", NULL, true, NULL, -DAY_S, DAY_S);
	other = make_identity("Other \033[31mCA", NULL, true, NULL, -DAY_S, DAY_S);
	client = make_identity("client", &ca, false, NULL, -DAY_S, DAY_S);
	const struct {
		const struct identity *issuer;
		const char *cn, *names;
		long from_s, to_s;
	} rows[IDENTITY_COUNT] = {
	    [GOOD] = {&ca, "x", "DNS:broker.example,DNS:localhost", -DAY_S, DAY_S},
	    [ADDRESS] = {&ca, "x", "IP:127.0.0.1,IP:::1", -DAY_S, DAY_S},
	    [EXPIRED] = {&ca, "x", "DNS:broker.example", -2 * DAY_S, -DAY_S},
	    [FUTURE] = {&ca, "x", "DNS:broker.example", DAY_S, 2 * DAY_S},
	    [OTHER_HOST] = {&ca, "x", "DNS:a.example,DNS:*.b.example,IP:10.0.0.1", -DAY_S, DAY_S},
	    [OTHER_ADDRESS] = {&ca, "127.0.0.1", "IP:10.0.0.1", -DAY_S, DAY_S},
	    [WITHOUT_NAMES] = {&ca, "old.example", NULL, -DAY_S, DAY_S},
	    [WILD] = {&ca, "x", "DNS:*.warren.example", -DAY_S, DAY_S},
	    [SELF_SIGNED] = {NULL, "own", "DNS:broker.example", -DAY_S, DAY_S},
	    [OTHER_CA] = {&other, "x", "DNS:broker.example", -DAY_S, DAY_S},
	};
	for (size_t i = 0; i < IDENTITY_COUNT; i++)
		identities[i] = make_identity(
		    rows[i].cn, rows[i].issuer, false, rows[i].names, rows[i].from_s, rows[i].to_s);
	save("ca.pem", &ca, false, NULL);
	save("client.pem", &client, true, NULL);
	save("cert.pem", &client, false, NULL);
	save("other.pem", &other, true, NULL);
	save("locked.pem", &client, true, "secret");
}

/* ---- servers ---- */

typedef void serve_fn(SSL *ssl, int fd);

struct server {
	enum server_identity identity;
	int newest; /* version of TLS; 0: whatever there is */
	bool wants_certificate;
	bool roomy;	 /* the kernel takes a good deal of what is on the way */
	serve_fn *serve; /* NULL: ends once hands are shaken */
};

static void read_all(SSL *ssl)
{
	char bytes[4096];
	while (SSL_read(ssl, bytes, sizeof bytes) > 0)
		;
}

static _Noreturn void run_server(const struct server *server, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(ctx, identities[server->identity].cert);
	SSL_CTX_use_PrivateKey(ctx, identities[server->identity].key);
	if (server->newest != 0)
		SSL_CTX_set_max_proto_version(ctx, server->newest);
	if (server->newest == TLS1_1_VERSION) {
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_security_level(ctx, 0);
	}
	if (server->wants_certificate) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca.cert);
	}
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && server->serve != NULL)
		server->serve(ssl, fd);
	SSL_shutdown(ssl);
	shutdown(fd, SHUT_WR);
	char byte;
	while (read(fd, &byte, 1) > 0)
		;
	_exit(0);
}

/* Returns our end of a socket to it; unless it is roomy the kernel holds little. */
static int start_server(const struct server *server)
{
	int ends[2], room = server->roomy ? 4 << 20 : 8192;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	if (fork() == 0) {
		close(ends[0]);
		run_server(server, ends[1]);
	}
	close(ends[1]);
	int fd = fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? ends[0] : -1;
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* ---- sessions ---- */

static struct loop *loop;
static struct uri uri;

static void setup(void)
{
	struct error err = {0};
	loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
}

static void teardown(void)
{
	uri_release(&uri);
	loop_free(loop);
}

/* The text may hold @ for the folder of the certificates. */
static void set_address(const char *text)
{
	struct buf whole = {0};
	struct error err = {0};
	for (; *text != '\0'; text++) {
		if (*text == '@')
			buf_append_str(&whole, folder);
		else
			buf_append_char(&whole, *text);
	}
	uri_release(&uri);
	ck_assert_msg(uri_parse(buf_slice(&whole), &uri, &err), "%s", err.text);
	buf_release(&whole);
}

static struct tls *open_session(int fd, const char *address, struct error *err)
{
	set_address(address);
	return tls_open(loop, fd, &uri, chrono_now_ns() + LIMIT_NS, err);
}

#define TRUSTED "amqps://broker.example?cacertfile=@/ca.pem"

static const struct peer_row {
	enum server_identity identity;
	const char *address;
	const char *refusal; /* NULL: accepted */
} peers[] = {
    {GOOD, TRUSTED, NULL},
    {GOOD, "amqps://localhost?cacertfile=@/ca.pem", NULL},
    {GOOD, "amqps://127.0.0.1?cacertfile=@/ca.pem&server_name_indication=broker.example", NULL},
    {ADDRESS, "amqps://127.0.0.1?cacertfile=@/ca.pem", NULL},
    {ADDRESS, "amqps://[::1]?cacertfile=@/ca.pem", NULL},
    {WILD, "amqps://a.warren.example?cacertfile=@/ca.pem", NULL},
    {WITHOUT_NAMES, "amqps://old.example?cacertfile=@/ca.pem", NULL},
    {EXPIRED, "amqps://broker.example?verify=verify_none", NULL},
    {OTHER_CA, "amqps://a.example?verify=verify_none", NULL},
    {EXPIRED, TRUSTED, "cannot be trusted: certificate has expired, on 20"},
    {FUTURE, TRUSTED, "cannot be trusted: certificate is not yet valid, but from 20"},
    {OTHER_HOST, TRUSTED, "hostname mismatch; it is for a.example, *.b.example, 10.0.0.1"},
    {GOOD, "amqps://127.0.0.1?cacertfile=@/ca.pem",
	"IP address mismatch; it is for broker.example, localhost"},
    {OTHER_ADDRESS, "amqps://127.0.0.1?cacertfile=@/ca.pem",
	"IP address mismatch; it is for 10.0.0.1"},
    {GOOD, "amqps://broker.example?cacertfile=@/ca.pem&server_name_indication=a.example",
	"hostname mismatch; it is for broker.example, localhost"},
    {WITHOUT_NAMES, TRUSTED, "hostname mismatch; it is for CN=old.example"},
    {WILD, "amqps://a.b.warren.example?cacertfile=@/ca.pem", "hostname mismatch"},
    {SELF_SIGNED, TRUSTED, "self-signed certificate; it was issued by CN=own, which cacertfile"},
    {OTHER_CA, TRUSTED,
	"unable to get local issuer certificate; it was issued by CN=Other \\x1b[31mCA, which "
	"cacertfile can name"},
    {GOOD, "amqps://broker.example", "unable to get local issuer certificate"},
};

START_TEST(a_certificate_is_accepted_or_refused_with_the_reason)
{
	const struct peer_row *row = &peers[_i];
	const struct server server = {.identity = row->identity, .serve = NULL};
	struct error err = {0};
	int fd = start_server(&server);
	struct tls *t = open_session(fd, row->address, &err);
	ck_assert_msg((t != NULL) == (row->refusal == NULL), "%s", err.text);
	if (row->refusal != NULL) {
		ck_assert_int_eq(err.kind, ERROR_ACCESS);
		ck_assert_msg(strstr(err.text, row->refusal) != NULL, "%s", err.text);
		ck_assert_ptr_nonnull(strstr(err.text, uri.shown));
	}
	tls_close(t);
	close(fd);
}
END_TEST

/* ---- certificates of ours ---- */

static const struct client_row {
	int newest;
	const char *more;
	enum error_kind kind;
	const char *text;
} clients[] = {
    {0, "&certfile=@/client.pem", ERROR_NONE, ""},
    {0, "&certfile=@/cert.pem&keyfile=@/client.pem", ERROR_NONE, ""},
    {TLS1_2_VERSION, "&certfile=@/client.pem", ERROR_NONE, ""},
    {0, "", ERROR_ACCESS, "wants a certificate of us; give certfile and keyfile"},
    {TLS1_2_VERSION, "", ERROR_ACCESS, "wants a certificate of us"},
    {0, "&certfile=@/other.pem", ERROR_ACCESS,
	"does not accept our certificate: unknown certificate authority"},
    {TLS1_2_VERSION, "&certfile=@/other.pem", ERROR_ACCESS, "does not accept our certificate"},
    {TLS1_1_VERSION, "", ERROR_UNAVAILABLE, "TLS with the broker at amqps://broker.example"},
    {0, "&certfile=@/nix.pem", ERROR_NO_INPUT, "cannot read the certificate '@/nix.pem': No such"},
    {0, "&certfile=@/cert.pem&keyfile=@/nix.pem", ERROR_NO_INPUT, "cannot read the key '@/nix"},
    {0, "&certfile=@/cert.pem", ERROR_NO_INPUT, "it holds no private key in PEM form"},
    {0, "&certfile=@/cert.pem&keyfile=@/other.pem", ERROR_NO_INPUT,
	"cannot use the key '@/other.pem': it does not belong to the certificate"},
    {0, "&certfile=@/locked.pem", ERROR_NO_INPUT,
	"cannot use the key '@/locked.pem': it is protected by a passphrase"},
    {0, "&certfile=@", ERROR_NO_INPUT, "cannot use the certificate '@': it holds no certificate"},
    {0, "&keyfile=@/client.pem", ERROR_SETTINGS, "keyfile needs certfile beside it"},
};

/* The message with @ for the folder. */
static char *without_folder(const char *text)
{
	struct buf out = {0};
	for (const char *at; (at = strstr(text, folder)) != NULL; text = at + strlen(folder)) {
		buf_append(&out, (struct slice){text, (size_t)(at - text)});
		buf_append_char(&out, '@');
	}
	buf_append_str(&out, text);
	return buf_take(&out);
}

static void say_hello(SSL *ssl, int fd)
{
	(void)fd;
	SSL_write(ssl, "hello", 5);
	read_all(ssl);
}

/* Reads one answer, waiting for it; what tls_read returned. */
static ssize_t read_answer(struct tls *t, int fd, char *bytes, size_t size)
{
	uint64_t deadline = chrono_now_ns() + LIMIT_NS;
	ssize_t n;
	/* the bytes may have come already: first look, then wait */
	while (
	    (n = tls_read(t, bytes, size)) < 0 && errno == EAGAIN && chrono_now_ns() < deadline) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ck_assert_int_eq(poll(&p, 1, (int)(LIMIT_NS / CHRONO_MS)), 1);
	}
	return n;
}

/* In TLS 1.3 they judge our certificate after hands are shaken: the first read tells. */
START_TEST(our_own_certificate_is_given_and_judged)
{
	const struct client_row *row = &clients[_i];
	const struct server server = {
	    .identity = GOOD, .newest = row->newest, .wants_certificate = true, .serve = say_hello};
	struct error err = {0};
	char *address = mem_printf("%s%s", TRUSTED, row->more), bytes[16] = "";
	int fd = start_server(&server);
	struct tls *t = open_session(fd, address, &err);
	ssize_t n = t != NULL ? read_answer(t, fd, bytes, sizeof bytes) : -1;
	const struct error *told = t != NULL ? tls_failure(t) : &err;
	char *text = without_folder(told->text);
	ck_assert_msg(told->kind == row->kind, "%d %s", told->kind, told->text);
	ck_assert_msg(strstr(text, row->text) != NULL, "%s", text);
	ck_assert_str_eq(bytes, row->kind == ERROR_NONE ? "hello" : "");
	ck_assert_int_eq(n, row->kind == ERROR_NONE ? 5 : -1);
	free(text);
	free(address);
	tls_close(t);
	close(fd);
}
END_TEST

START_TEST(a_ca_file_that_is_none_is_named)
{
	struct error err = {0};
	int fd = start_server(&(struct server){.identity = GOOD});
	ck_assert_ptr_null(open_session(fd, "amqps://h?cacertfile=/nix/ca.pem", &err));
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_str_eq(
	    err.text, "cannot read the CA file '/nix/ca.pem': No such file or directory");
	err = (struct error){0};
	ck_assert_ptr_null(open_session(fd, "amqps://h?cacertfile=/dev/null", &err));
	ck_assert_int_eq(err.kind, ERROR_NO_INPUT);
	ck_assert_str_eq(
	    err.text, "cannot use the CA file '/dev/null': it holds no certificate in PEM form");
	close(fd);
}
END_TEST

/* ---- no TLS ---- */

static const struct stranger_row {
	const char *greeting;
	bool stays;
	enum error_kind kind;
	const char *text;
} strangers[] = {
    {"AMQP\0\0\11\1", true, ERROR_REFUSED, "speaks AMQP without TLS: use amqp://"},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", true, ERROR_REFUSED, "is a web server, not AMQP"},
    {"SSH-2.0-OpenSSH\r\n", true, ERROR_UNAVAILABLE, "failed: wrong version number"},
    {"", false, ERROR_UNAVAILABLE, "no TLS handshake with the broker at amqps://h: "},
    {"", true, ERROR_UNAVAILABLE, "does not finish the TLS handshake"},
    {"\26\3\3\1", true, ERROR_UNAVAILABLE, "does not finish the TLS handshake"},
};

START_TEST(who_does_not_speak_tls_is_told_so)
{
	const struct stranger_row *row = &strangers[_i];
	struct error err = {0};
	int ends[2];
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	size_t len = row->greeting[0] == 'A' ? 8 : strlen(row->greeting);
	ck_assert_int_eq(send(ends[1], row->greeting, len, 0), (ssize_t)len);
	if (!row->stays)
		close(ends[1]);
	set_address("amqps://h");
	bool is_silent =
	    strstr(row->text, "does not finish") != NULL; /* and only then time matters */
	uint64_t limit = chrono_now_ns() + (is_silent ? 100 * CHRONO_MS : LIMIT_NS);
	ck_assert_ptr_null(tls_open(loop, ends[0], &uri, limit, &err));
	ck_assert_msg(err.kind == row->kind && strstr(err.text, row->text) != NULL, "%s", err.text);
	close(ends[0]);
	if (row->stays)
		close(ends[1]);
}
END_TEST

START_TEST(a_signal_ends_the_handshake)
{
	struct error err = {0};
	int ends[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	uint64_t before = chrono_now_ns();
	raise(SIGTERM);
	ck_assert_ptr_null(open_session(ends[0], "amqps://h", &err));
	ck_assert_str_eq(err.text, "stopped while logging in");
	ck_assert_uint_lt(chrono_now_ns() - before, LIMIT_NS / 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* ---- bytes ---- */

#define BULK_BYTES (3u << 20)

/* A byte that tells its place. */
static char byte_at(size_t i)
{
	return (char)(i * 2654435761u >> 24);
}

static void write_all(SSL *ssl, const char *bytes, size_t len)
{
	for (size_t at = 0, n; at < len; at += n)
		if (SSL_write_ex(ssl, bytes + at, len - at, &n) != 1)
			_exit(1);
}

/* Sends back what comes, and asks for new keys every now and then. */
static void echo(SSL *ssl, int fd)
{
	char bytes[20000];
	(void)fd;
	for (size_t total = 0, size = 1; total < BULK_BYTES;
	     size = (size * 7 + 3) % sizeof bytes + 1) {
		int n = SSL_read(ssl, bytes, (int)size);
		if (n <= 0)
			_exit(1);
		if (total >> 20 != (total + (size_t)n) >> 20 && SSL_version(ssl) == TLS1_3_VERSION)
			SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
		write_all(ssl, bytes, (size_t)n);
		total += (size_t)n;
	}
}

static void send_bulk(SSL *ssl, int fd)
{
	char *bytes = malloc(BULK_BYTES);
	(void)fd;
	for (size_t i = 0; i < BULK_BYTES; i++)
		bytes[i] = byte_at(i);
	write_all(ssl, bytes, BULK_BYTES);
	read_all(ssl); /* and says nothing more */
}

struct user {
	struct wire wire;
	size_t got, wrong, reads;
	bool pauses, ended;
	int code;
	struct error failure;
};

static void on_arrived(void *ctx)
{
	struct user *u = ctx;
	for (size_t i = 0; i < u->wire.in.len; i++)
		u->wrong += u->wire.in.ptr[i] != byte_at(u->got + i);
	u->got += u->wire.in.len;
	u->reads++;
	wire_take(&u->wire, u->wire.in.len);
	if (u->pauses)
		wire_pause(&u->wire, true);
}

static void on_ended(void *ctx, int code)
{
	struct user *u = ctx;
	u->ended = true;
	u->code = code;
	u->failure = *tls_failure(u->wire.tls);
	wire_close(&u->wire);
}

static void open_user(struct user *u, const struct server *server)
{
	struct error err = {0};
	int fd = start_server(server);
	struct tls *t = open_session(fd, TRUSTED, &err);
	ck_assert_msg(t != NULL, "%s", err.text);
	ck_assert_ptr_nonnull(
	    strstr(tls_shown(t), server->newest == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
	u->wire.arrived = on_arrived;
	u->wire.ended = on_ended;
	u->wire.ctx = u;
	wire_open(&u->wire, loop, fd, t);
}

static void turn_until(struct user *u, size_t got, uint64_t deadline_ns)
{
	struct error err = {0};
	while (u->got < got && !u->ended && chrono_now_ns() < deadline_ns)
		ck_assert(loop_turn(loop, deadline_ns, &err));
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(bytes_come_back_as_they_went)
{
	const struct server server = {.identity = GOOD, .newest = versions[_i], .serve = echo};
	struct user u = {0};
	open_user(&u, &server);
	for (size_t i = 0; i < BULK_BYTES; i++) {
		buf_append_char(&u.wire.out, byte_at(i));
		if (i % 100000 == 0)
			wire_flush(&u.wire); /* a write that is under way grows */
	}
	wire_flush(&u.wire);
	ck_assert_uint_gt(wire_pending_bytes(&u.wire), 0); /* the kernel does not take it all */
	turn_until(&u, BULK_BYTES, chrono_now_ns() + LIMIT_NS);
	ck_assert_msg(u.got == BULK_BYTES, "%zu: %s", u.got, u.failure.text);
	ck_assert_uint_eq(u.wrong, 0);
	ck_assert_uint_eq(wire_pending_bytes(&u.wire), 0);
	while (!u.ended)
		turn_until(&u, SIZE_MAX, chrono_now_ns() + LIMIT_NS);
	ck_assert_int_eq(u.code, 0);
	wire_release(&u.wire);
}
END_TEST

/* What OpenSSL has taken from the socket is found although the socket is silent. */
START_TEST(nothing_stays_behind_in_the_session)
{
	const struct server server = {.identity = GOOD, .newest = versions[_i], .serve = send_bulk};
	struct user u = {0};
	open_user(&u, &server);
	turn_until(&u, BULK_BYTES, chrono_now_ns() + LIMIT_NS);
	ck_assert_uint_eq(u.got, BULK_BYTES);
	ck_assert_uint_eq(u.wrong, 0);
	wire_release(&u.wire);
}
END_TEST

#define ONE_READ_BYTES (256u * 1024) /* as wire.c has it */
#define SOME_BYTES (ONE_READ_BYTES + 1000)

static void send_some(SSL *ssl, int fd)
{
	char *bytes = malloc(SOME_BYTES);
	(void)fd;
	for (size_t i = 0; i < SOME_BYTES; i++)
		bytes[i] = byte_at(i);
	/* so that the last record begins before the end of one read, and ends behind it */
	write_all(ssl, bytes, 10000);
	write_all(ssl, bytes + 10000, SOME_BYTES - 10000);
	read_all(ssl);
}

/* One read ends in the middle of what OpenSSL has, and the socket has nothing more; _i: paused
 * there, or not. */
START_TEST(what_one_read_leaves_is_found_without_the_socket)
{
	const struct server server = {.identity = GOOD, .roomy = true, .serve = send_some};
	struct user u = {.pauses = _i == 1};
	int there = 0;
	open_user(&u, &server);
	for (uint64_t limit = chrono_now_ns() + LIMIT_NS; there < (int)SOME_BYTES;) {
		ck_assert_int_eq(ioctl(u.wire.fd, FIONREAD, &there), 0);
		ck_assert_uint_lt(chrono_now_ns(), limit);
	}
	turn_until(&u, ONE_READ_BYTES, chrono_now_ns() + LIMIT_NS);
	ck_assert_int_eq(ioctl(u.wire.fd, FIONREAD, &there), 0);
	ck_assert_int_eq(there, 0);
	if (u.pauses) {
		ck_assert_uint_eq(u.got, ONE_READ_BYTES);
		turn_until(&u, SOME_BYTES, chrono_now_ns() + 20 * CHRONO_MS);
		ck_assert_uint_eq(u.got, ONE_READ_BYTES);
		wire_pause(&u.wire, false);
	}
	turn_until(&u, SOME_BYTES, chrono_now_ns() + LIMIT_NS);
	ck_assert_uint_eq(u.got, SOME_BYTES);
	ck_assert_uint_eq(u.wrong, 0);
	wire_release(&u.wire);
}
END_TEST

START_TEST(a_pause_holds_and_ends)
{
	const struct server server = {.identity = GOOD, .newest = versions[_i], .serve = send_bulk};
	struct user u = {.pauses = true};
	open_user(&u, &server);
	size_t rounds = 0;
	for (uint64_t limit = chrono_now_ns() + LIMIT_NS; u.got < BULK_BYTES; rounds++) {
		size_t reads = u.reads;
		turn_until(&u, u.got + 1, limit);
		ck_assert_uint_eq(u.reads, reads + 1);
		if (rounds < 3) /* nothing comes meanwhile, however often the loop turns */
			turn_until(&u, u.got + 1, chrono_now_ns() + 20 * CHRONO_MS);
		ck_assert_uint_eq(u.reads, reads + 1);
		wire_pause(&u.wire, false);
	}
	ck_assert_uint_eq(u.got, BULK_BYTES);
	ck_assert_uint_eq(u.wrong, 0);
	wire_release(&u.wire);
}
END_TEST

/* Bytes that are no records, in the middle of a session. */
static void garble(SSL *ssl, int fd)
{
	SSL_write(ssl, "hello", 5);
	IGNORE_RESULT(write(fd, "\27\3\3\0\20abcdefghijklmnop", 21));
	read_all(ssl);
}

START_TEST(a_broken_session_ends_with_its_reason)
{
	const struct server server = {.identity = GOOD, .serve = garble};
	struct user u = {0};
	open_user(&u, &server);
	struct tls *t = u.wire.tls;
	char bytes[16];
	ck_assert_int_eq(read_answer(t, u.wire.fd, bytes, sizeof bytes), 5);
	ck_assert_int_eq(read_answer(t, u.wire.fd, bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(tls_failure(t)->kind, ERROR_UNAVAILABLE);
	ck_assert_ptr_nonnull(
	    strstr(tls_failure(t)->text, "failed: decryption failed or bad record mac"));
	wire_release(&u.wire);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("tls");
	TCase *tc = tcase_create("tls");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
	    tc, a_certificate_is_accepted_or_refused_with_the_reason, 0, (int)ARRAY_LEN(peers));
	tcase_add_loop_test(
	    tc, our_own_certificate_is_given_and_judged, 0, (int)ARRAY_LEN(clients));
	tcase_add_test(tc, a_ca_file_that_is_none_is_named);
	tcase_add_loop_test(tc, who_does_not_speak_tls_is_told_so, 0, (int)ARRAY_LEN(strangers));
	tcase_add_test(tc, a_signal_ends_the_handshake);
	tcase_add_loop_test(tc, bytes_come_back_as_they_went, 0, (int)ARRAY_LEN(versions));
	tcase_add_loop_test(tc, nothing_stays_behind_in_the_session, 0, (int)ARRAY_LEN(versions));
	tcase_add_loop_test(tc, what_one_read_leaves_is_found_without_the_socket, 0, 2);
	tcase_add_loop_test(tc, a_pause_holds_and_ends, 0, (int)ARRAY_LEN(versions));
	tcase_add_test(tc, a_broken_session_ends_with_its_reason);
	suite_add_tcase(suite, tc);
	return suite;
}

static void remove_all(void)
{
	static const char *const names[] = {
	    "ca.pem", "client.pem", "cert.pem", "other.pem", "locked.pem"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = path_of(names[i]);
		unlink(path);
		free(path);
	}
	rmdir(folder);
}

int main(void)
{
	make_all();
	SRunner *runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_all();
	return failed != 0;
}
