#include "base/crc.h"

#include <endian.h>

#define POLYNOMIAL UINT32_C(0x82f63b78) /* with its bits in reverse, as the algorithm wants it */

#ifdef __x86_64__
static bool has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, struct slice bytes)
{
	uint64_t wide = crc;
	for (; bytes.len >= 8; bytes.ptr += 8, bytes.len -= 8) {
		uint64_t v;
		memcpy(&v, bytes.ptr, sizeof v);
		wide = __builtin_ia32_crc32di(wide, v);
	}
	crc = (uint32_t)wide;
	for (; bytes.len > 0; bytes.ptr++, bytes.len--)
		crc = __builtin_ia32_crc32qi(crc, (unsigned char)*bytes.ptr);
	return crc;
}
#else
static bool has_instruction(void)
{
	return false;
}

static uint32_t by_instruction(uint32_t crc, struct slice bytes)
{
	(void)bytes; /* never called */
	return crc;
}
#endif

void crc_init(struct crc *c)
{
	c->by_processor = has_instruction();
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		c->table[0][i] = crc;
	}
	for (int t = 1; t < 8; t++)
		for (int i = 0; i < 256; i++) {
			uint32_t crc = c->table[t - 1][i];
			c->table[t][i] = crc >> 8 ^ c->table[0][crc & 0xff];
		}
}

static uint32_t eight_bytes(const struct crc *c, uint32_t crc, const char *at)
{
	uint64_t v;
	memcpy(&v, at, sizeof v);
	v = le64toh(v) ^ crc;
	return c->table[7][v & 0xff] ^ c->table[6][v >> 8 & 0xff] ^ c->table[5][v >> 16 & 0xff] ^
	       c->table[4][v >> 24 & 0xff] ^ c->table[3][v >> 32 & 0xff] ^
	       c->table[2][v >> 40 & 0xff] ^ c->table[1][v >> 48 & 0xff] ^ c->table[0][v >> 56];
}

uint32_t crc_of(const struct crc *c, uint32_t before, struct slice bytes)
{
	uint32_t crc = ~before;
	if (c->by_processor)
		return ~by_instruction(crc, bytes);
	for (; bytes.len >= 8; bytes.ptr += 8, bytes.len -= 8)
		crc = eight_bytes(c, crc, bytes.ptr);
	for (; bytes.len > 0; bytes.ptr++, bytes.len--)
		crc = crc >> 8 ^ c->table[0][(crc ^ (unsigned char)*bytes.ptr) & 0xff];
	return ~crc;
}
