/* digest.h - SHA-256 (FIPS 180-4) over bytes that come in pieces. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

#define DIGEST_BYTES 32

struct digest;

struct digest *digest_create(void);
void digest_free(struct digest *digest);

/* One after another: begin, add as often as needed, end; then begin anew. */
void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, struct slice bytes);
void digest_end(struct digest *digest, unsigned char out[DIGEST_BYTES]);

/* Of bytes that are there at once. */
void digest_of(struct slice bytes, unsigned char out[DIGEST_BYTES]);

#endif
