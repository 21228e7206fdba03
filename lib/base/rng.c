#include "base/rng.h"

#include "base/mem.h"

#include <endian.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t rotate_left(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed)
{
	for (size_t i = 0; i < ARRAY_LEN(r->state); i++)
		r->state[i] = splitmix64(&seed);
}

uint64_t rng_entropy(void)
{
	uint64_t seed = 0;
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		seed = (uint64_t)t.tv_sec * 1000000007 + (uint64_t)t.tv_nsec;
	}
	return seed;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* Lemire, "Fast random integer generation in an interval" (2019). */
uint64_t rng_below(struct rng *r, uint64_t bound)
{
	if (bound == 0)
		return rng_next(r);
	wide product = (wide)rng_next(r) * bound;
	if ((uint64_t)product < bound) {
		uint64_t threshold = (0 - bound) % bound;
		while ((uint64_t)product < threshold)
			product = (wide)rng_next(r) * bound;
	}
	return (uint64_t)(product >> 64);
}

int64_t rng_between(struct rng *r, int64_t low, int64_t high)
{
	uint64_t span = (uint64_t)high - (uint64_t)low + 1;
	return (int64_t)((uint64_t)low + rng_below(r, span));
}

double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

/* Box and Muller; the second value is not kept, so that the state is only the four words. */
double rng_normal(struct rng *r)
{
	double radius = sqrt(2 * rng_exponential(r));
	return radius * cos(6.283185307179586 * rng_unit(r));
}

double rng_exponential(struct rng *r)
{
	return -log1p(-rng_unit(r));
}

/* The 16 digits of a number: its nibbles are spread over the bytes of two words, the first digit in
 * the highest byte, and all bytes of a word made digits at once. */
static void write_hex(uint64_t v, char out[16])
{
	for (int half = 0; half < 2; half++) {
		uint64_t n = half == 0 ? v >> 32 : v & 0xffffffff;
		n = (n << 16 | n) & 0x0000ffff0000ffff;
		n = (n << 8 | n) & 0x00ff00ff00ff00ff;
		n = (n << 4 | n) & 0x0f0f0f0f0f0f0f0f;
		uint64_t letters = (n + 0x0606060606060606) >> 4 & 0x0101010101010101;
		n += 0x3030303030303030 + letters * ('a' - '0' - 10);
		n = htobe64(n);
		memcpy(out + half * 8, &n, 8);
	}
}

static void write_uuid(const uint64_t halves[2], char out[RNG_UUID_CHARS])
{
	char hex[32];
	write_hex(halves[0], hex);
	write_hex(halves[1], hex + 16);
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
}

void rng_uuid4(struct rng *r, char out[RNG_UUID_CHARS])
{
	uint64_t high = (rng_next(r) & ~UINT64_C(0xf000)) | 0x4000;
	uint64_t low = (rng_next(r) & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	write_uuid((const uint64_t[2]){high, low}, out);
}

void rng_uuid7(struct rng *r, int64_t wall_ms, char out[RNG_UUID_CHARS])
{
	uint64_t high = (uint64_t)wall_ms << 16 | 0x7000 | (rng_next(r) & 0xfff);
	uint64_t low = (rng_next(r) & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	write_uuid((const uint64_t[2]){high, low}, out);
}
