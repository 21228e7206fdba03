#include "fake/volumes_people.h"

#include "base/mem.h"
#include "fake/value.h"
#include "fake/volumes_data.h"

/* A volume that is one word of a list. */
#define FROM_LIST(name, list)                                                       \
	void volumes_people_##name(struct rng *r, int64_t wall_ms, struct buf *out) \
	{                                                                           \
		(void)wall_ms;                                                      \
		volumes_data_append(r, &volumes_data_##list, out);                  \
	}

/* A volume that is one half of a pair of a list. */
#define FROM_PAIRS(volume, list, half)                                                      \
	void volumes_people_##volume(struct rng *r, int64_t wall_ms, struct buf *out)       \
	{                                                                                   \
		(void)wall_ms;                                                              \
		buf_append_str(out, volumes_data_pick_pair(r, &volumes_data_##list)->half); \
	}

FROM_LIST(prefix, prefixes)
FROM_LIST(first_name, first_names)
FROM_LIST(last_name, last_names)
FROM_LIST(job, jobs)
FROM_LIST(company_suffix, company_suffixes)
FROM_LIST(street_suffix, street_suffixes)
FROM_LIST(city, cities)
FROM_LIST(product, products)
FROM_LIST(color_name, colors)
FROM_LIST(timezone, timezones)
FROM_LIST(locale, locales)
FROM_PAIRS(state, states, name)
FROM_PAIRS(state_abbr, states, code)
FROM_PAIRS(country, countries, name)
FROM_PAIRS(country_code, countries, code)
FROM_PAIRS(language_name, languages, name)
FROM_PAIRS(language_code, languages, code)
FROM_PAIRS(currency_name, currencies, name)
FROM_PAIRS(currency_code, currencies, code)

void volumes_people_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_people_first_name(r, wall_ms, out);
	buf_append_char(out, ' ');
	volumes_people_last_name(r, wall_ms, out);
}

void volumes_people_user_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	volumes_data_append_ascii(volumes_data_pick(r, &volumes_data_first_names), out);
	buf_append_u64(out, rng_below(r, 100));
}

void volumes_people_email(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const char *const domains[] = {"@example.com", "@example.net", "@example.org"};
	(void)wall_ms;
	volumes_data_append_ascii(volumes_data_pick(r, &volumes_data_first_names), out);
	buf_append_char(out, '.');
	volumes_data_append_ascii(volumes_data_pick(r, &volumes_data_last_names), out);
	buf_append_u64(out, rng_below(r, 100));
	buf_append_str(out, domains[rng_below(r, ARRAY_LEN(domains))]);
}

void volumes_people_company_email(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_people_user_name(r, wall_ms, out);
	buf_append_char(out, '@');
	volumes_data_append_ascii(volumes_data_pick(r, &volumes_data_last_names), out);
	buf_append_str(out, ".example.com");
}

/* Numbers kept free for fiction: 555-0100 to 555-0199 in North America, Ofcom's blocks in Britain.
 */
void volumes_people_phone_number(struct rng *r, int64_t wall_ms, struct buf *out)
{
	static const struct {
		const char *prefix;
		unsigned digits;
	} blocks[] = {
	    {"+1 202 555 01", 2},
	    {"+1 312 555 01", 2},
	    {"+1 415 555 01", 2},
	    {"+1 617 555 01", 2},
	    {"+1 808 555 01", 2},
	    {"+44 20 7946 0", 3},
	    {"+44 113 496 0", 3},
	    {"+44 121 496 0", 3},
	    {"+44 131 496 0", 3},
	    {"+44 161 496 0", 3},
	    {"+44 1632 960", 3},
	};
	(void)wall_ms;
	size_t i = rng_below(r, ARRAY_LEN(blocks));
	buf_append_str(out, blocks[i].prefix);
	value_write_padded(rng_below(r, blocks[i].digits == 2 ? 100 : 1000), blocks[i].digits, out);
}

void volumes_people_company(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_people_last_name(r, wall_ms, out);
	buf_append_char(out, ' ');
	volumes_people_company_suffix(r, wall_ms, out);
}

void volumes_people_building_number(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	buf_append_u64(out, 1 + rng_below(r, 999));
}

void volumes_people_street_name(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_data_append(r, &volumes_data_streets, out);
	buf_append_char(out, ' ');
	volumes_people_street_suffix(r, wall_ms, out);
}

void volumes_people_street_address(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_people_building_number(r, wall_ms, out);
	buf_append_char(out, ' ');
	volumes_people_street_name(r, wall_ms, out);
}

void volumes_people_postcode(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	value_write_padded(rng_below(r, 100000), 5, out);
}

void volumes_people_address(struct rng *r, int64_t wall_ms, struct buf *out)
{
	volumes_people_street_address(r, wall_ms, out);
	buf_append_str(out, ", ");
	volumes_people_postcode(r, wall_ms, out);
	buf_append_char(out, ' ');
	volumes_people_city(r, wall_ms, out);
}

void volumes_people_license_plate(struct rng *r, int64_t wall_ms, struct buf *out)
{
	(void)wall_ms;
	for (int i = 0; i < 3; i++)
		buf_append_char(out, (char)('A' + rng_below(r, 26)));
	buf_append_char(out, '-');
	value_write_padded(rng_below(r, 10000), 4, out);
}
