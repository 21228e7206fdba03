/* rng.h - seeded randomness: same seed, same run, on every machine. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

/* xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded through splitmix64. Not for secrets. */
struct rng {
	uint64_t state[4];
};

void rng_seed(struct rng *r, uint64_t seed);
/* A seed from the kernel, for runs that need not repeat. */
uint64_t rng_entropy(void);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, bound); bound 0 means the whole 64 bits. Without modulo bias. */
uint64_t rng_below(struct rng *r, uint64_t bound);
/* Uniform in [low, high], both ends included. */
int64_t rng_between(struct rng *r, int64_t low, int64_t high);
double rng_unit(struct rng *r);	       /* uniform in [0, 1) */
double rng_normal(struct rng *r);      /* mean 0, standard deviation 1 */
double rng_exponential(struct rng *r); /* mean 1 */

#define RNG_UUID_CHARS 36
/* RFC 9562 version 4 and 7; writes exactly 36 characters, no NUL. */
void rng_uuid4(struct rng *r, char out[RNG_UUID_CHARS]);
void rng_uuid7(struct rng *r, int64_t wall_ms, char out[RNG_UUID_CHARS]);

#endif
