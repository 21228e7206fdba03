#include "base/siphash.h"

#include <endian.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t read_word(const void *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return le64toh(word);
}

static void rounds(struct state *s, int count)
{
	for (int i = 0; i < count; i++) {
		s->v0 += s->v1;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t squeeze(struct state *s)
{
	rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash siphash_128(const unsigned char key[SIPHASH_KEY_BYTES], struct slice bytes)
{
	uint64_t k0 = read_word(key), k1 = read_word(key + sizeof k0);
	struct state s = {k0 ^ UINT64_C(0x736f6d6570736575),
	    k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee, k0 ^ UINT64_C(0x6c7967656e657261),
	    k1 ^ UINT64_C(0x7465646279746573)};
	size_t at = 0;
	for (; bytes.len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
		absorb(&s, read_word(bytes.ptr + at));
	uint64_t last = (uint64_t)bytes.len << 56;
	for (size_t i = 0; at + i < bytes.len; i++)
		last |= (uint64_t)(unsigned char)bytes.ptr[at + i] << 8 * i;
	absorb(&s, last);
	s.v2 ^= 0xee;
	struct siphash out = {.low = squeeze(&s)};
	s.v1 ^= 0xdd;
	out.high = squeeze(&s);
	return out;
}
