/* tls_private.h - for tls*.c alone, with types of OpenSSL. */
#ifndef BROKER_TLS_PRIVATE_H
#define BROKER_TLS_PRIVATE_H

#include "base/buf.h"

#include <openssl/x509.h>

/* Appends OpenSSL's reason, and what of the certificate makes it plain. */
void tls_distrust_explain(X509_STORE_CTX *store, struct buf *out);

#endif
