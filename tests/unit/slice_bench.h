/* slice_bench.h - bytes that are compared with a string. */
#ifndef TESTS_UNIT_SLICE_BENCH_H
#define TESTS_UNIT_SLICE_BENCH_H

#include "base/slice.h"

#include <check.h>

static inline void check_slice(struct slice got, const char *wanted)
{
	ck_assert_msg(slice_is(got, wanted), "'%.*s' is not '%s'", SLICE_ARGS(got), wanted);
}

#endif
