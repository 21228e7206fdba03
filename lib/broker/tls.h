/*
 * tls.h - TLS over a connected, non-blocking socket: OpenSSL, of which nothing shows here.
 *
 * TLS 1.2 or newer. Unless the address says verify=verify_none, the other end must have a
 * certificate from an authority that we know (cacertfile, else the system's store: where that is,
 * SSL_CERT_FILE and SSL_CERT_DIR can say) and for the name or IP address that we asked for (RFC
 * 6125). A session belongs to one thread at a time.
 */
#ifndef BROKER_TLS_H
#define BROKER_TLS_H

#include "base/error.h"
#include "base/loop.h"
#include "broker/uri.h"

#include <stddef.h>
#include <sys/types.h>

struct tls;

/*
 * Reads the files that the address names and shakes hands, running the loop meanwhile, so a signal
 * ends the wait. The descriptor stays the caller's, and must stay open as long as the session. NULL
 * with ERROR_NO_INPUT (a file of ours is missing, or cannot be used), ERROR_ACCESS (they cannot be
 * trusted, or do not trust us: with the reason), ERROR_REFUSED (no TLS is spoken there) or
 * ERROR_UNAVAILABLE (the handshake failed, or is not done in time).
 */
struct tls *tls_open(
    struct loop *loop, int fd, const struct uri *uri, uint64_t deadline_ns, struct error *err);
/* Says goodbye as far as the socket takes it, without waiting, and frees. Accepts NULL. */
void tls_close(struct tls *t);

/*
 * As recv() and send() do: bytes moved, 0 at the end of what comes, or -1 with errno. EAGAIN is to
 * be tried again when the socket is ready, a write with at least the same bytes; EPROTO has its
 * reason in tls_failure. A read takes at most one record of TLS (16 KiB), and more of them may lie
 * ready behind it, of which the socket shows nothing: read on to EAGAIN.
 */
ssize_t tls_read(struct tls *t, void *bytes, size_t size);
ssize_t tls_write(struct tls *t, const void *bytes, size_t size);
/* True when the last read waits until the socket can be written. */
bool tls_read_waits_to_write(const struct tls *t);

/* What broke the session: ERROR_ACCESS when they do not accept our certificate, else
 * ERROR_UNAVAILABLE; kind ERROR_NONE when nothing did. Borrowed. */
const struct error *tls_failure(const struct tls *t);
/* "TLSv1.3, TLS_AES_256_GCM_SHA384". Borrowed. */
const char *tls_shown(const struct tls *t);

#endif
