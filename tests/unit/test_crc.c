/* CRC-32C: the values that others compute, however the bytes are cut. */
#include "base/crc.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

/* RFC 3720 B.4, and the check value of the catalogue of CRCs. */
static const struct known {
	struct slice bytes;
	uint32_t crc;
} known[] = {
    {{"", 0}, 0},
    {{"123456789", 9}, 0xe3069283},
    {{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32}, 0x8a9136aa},
    {{"\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37",
	 32},
	0x46dd794e},
};

static void check_every_cut(const struct crc *c, const struct known *k)
{
	struct slice whole = k->bytes;
	ck_assert_uint_eq(crc_of(c, 0, whole), k->crc);
	for (size_t cut = 0; cut <= whole.len; cut++) {
		uint32_t front = crc_of(c, 0, (struct slice){whole.ptr, cut});
		struct slice back = {whole.ptr + cut, whole.len - cut};
		ck_assert_uint_eq(crc_of(c, front, back), k->crc);
	}
}

START_TEST(it_is_castagnolis)
{
	struct crc c;
	crc_init(&c);
	check_every_cut(&c, &known[_i]);
	c.by_processor = false;
	check_every_cut(&c, &known[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crc");
	TCase *cases = tcase_create("crc");
	tcase_add_loop_test(cases, it_is_castagnolis, 0, ARRAY_LEN(known));
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
