/* SipHash-2-4-128 against what OpenSSL 3.0 says. */
#include "base/mem.h"
#include "base/siphash.h"

#include <check.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

static const struct vector {
	size_t len; /* of the input 00 01 02 .. */
	const char *hash;
} vectors[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},
    {1, "da87c1d86b99af44347659119b22fc45"},
    {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
    {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};

START_TEST(a_hash_is_that_of_the_reference)
{
	const struct vector *v = &vectors[_i];
	unsigned char key[SIPHASH_KEY_BYTES];
	char input[64], text[33];
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof input; i++)
		input[i] = (char)i;
	struct siphash h = siphash_128(key, (struct slice){input, v->len});
	snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)be64toh(htole64(h.low)),
	    (unsigned long long)be64toh(htole64(h.high)));
	ck_assert_str_eq(text, v->hash);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("siphash");
	TCase *cases = tcase_create("siphash");
	tcase_add_loop_test(cases, a_hash_is_that_of_the_reference, 0, ARRAY_LEN(vectors));
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
