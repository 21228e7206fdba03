/* certificates.h - a throwaway authority of a lab, and what it has signed. */
#ifndef LAB_CERTIFICATES_H
#define LAB_CERTIFICATES_H

#include "base/error.h"

#define CERTIFICATES_FOLDER "tls"

/*
 * Makes the folder `tls` below dir: ca.pem; server.pem and server.key for localhost, 127.0.0.1 and
 * ::1; client.pem and client.key, whose name (CN) is guest. All are good for 30 days. Runs the
 * openssl command and waits for it. Fails with ERROR_CANNOT_CREATE, or with ERROR_UNAVAILABLE when
 * openssl is missing.
 */
bool certificates_make(const char *dir, struct error *err) MUST_CHECK;

#endif
