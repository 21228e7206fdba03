/*
 * siphash.h - a keyed hash of 128 bits: SipHash-2-4-128 (Aumasson and Bernstein, 2012).
 *
 * Who does not know the key cannot find two inputs with one hash. Among n inputs two share a hash
 * by chance with odds of about n^2 / 2^129: 1 in 10^20 for ten thousand million.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/slice.h"

#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

struct siphash {
	uint64_t low, high;
};

struct siphash siphash_128(const unsigned char key[SIPHASH_KEY_BYTES], struct slice bytes);

#endif
