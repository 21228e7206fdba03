/* crc.h - CRC-32C (Castagnoli): tells bytes that were damaged in a file from those that were not.
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include "base/slice.h"

#include <stdint.h>

/* Tables for eight bytes a step; made once and only read from then on. */
struct crc {
	bool by_processor; /* it has an instruction for this, thrice as fast as the tables */
	uint32_t table[8][256];
};

void crc_init(struct crc *c);
/* The checksum of what came before (0: nothing) and of these bytes. */
uint32_t crc_of(const struct crc *c, uint32_t before, struct slice bytes);

#endif
