/*
 * mask_value.h - a made-up value in the place of a real one, of the same shape.
 *
 * The same value and key give the same mask, so that what belonged together still does; who does
 * not know the key (SipHash) cannot try values until one fits. A mask is never the value itself,
 * unless there is neither a letter nor a digit in it. Short values have few masks: two of them may
 * share one.
 */
#ifndef FAKE_MASK_VALUE_H
#define FAKE_MASK_VALUE_H

#include "base/buf.h"
#include "base/siphash.h"

/*
 * Of a UTF-8 text: each digit becomes a digit, each letter one of the same case and as many bytes,
 * everything else stays. What is well-formed stays so: a UUID of its version; a date or time as in
 * RFC 3339, with its offset; an e-mail address, at example.com, .net or .org, where nobody reads.
 */
void mask_value_text(
    const unsigned char key[SIPHASH_KEY_BYTES], struct slice text, struct buf *out);

/* Of a JSON number: as many digits before and behind the point, the same sign and exponent. What
 * fits in 64 bits still does. */
void mask_value_number(
    const unsigned char key[SIPHASH_KEY_BYTES], struct slice number, struct buf *out);

#endif
