#include "fake/volumes.h"

#include "base/mem.h"
#include "base/text.h"
#include "fake/volumes_codes.h"
#include "fake/volumes_people.h"
#include "fake/volumes_times.h"
#include "fake/volumes_words.h"

#include <stdlib.h>

/* Sorted by name (in bytes): volumes_find halves it. A test holds the order and looks at each row.
 */
static const struct volume volumes[] = {
    {"address", VOLUME_TEXT, volumes_people_address, "12 Elm Road, 04711 Brookfield"},
    {"ascii_email", VOLUME_TEXT, volumes_people_email, "an e-mail address, as email"},
    {"ascii_safe_email", VOLUME_TEXT, volumes_people_email, "an e-mail address, as email"},
    {"bban", VOLUME_TEXT, volumes_codes_bban, "the national part of an IBAN, of no real bank"},
    {"boolean", VOLUME_BOOL, volumes_codes_boolean, "true or false"},
    {"building_number", VOLUME_TEXT, volumes_people_building_number, "12"},
    {"catch_phrase", VOLUME_TEXT, volumes_words_catch_phrase, "Durable silver gateway"},
    {"city", VOLUME_TEXT, volumes_people_city, "Brookfield"},
    {"color_name", VOLUME_TEXT, volumes_people_color_name, "turquoise"},
    {"company", VOLUME_TEXT, volumes_people_company, "Keller and Sons"},
    {"company_email", VOLUME_TEXT, volumes_people_company_email, "ada7@berg.example.com"},
    {"company_suffix", VOLUME_TEXT, volumes_people_company_suffix, "Ltd."},
    {"country", VOLUME_TEXT, volumes_people_country, "Austria"},
    {"country_code", VOLUME_TEXT, volumes_people_country_code, "AT, ISO 3166-1"},
    {"credit_card_expire", VOLUME_TEXT, volumes_codes_card_expire, "04/29, in the future"},
    {"credit_card_number", VOLUME_TEXT, volumes_codes_card_number,
	"16 or 15 digits, valid by Luhn, of a block for tests"},
    {"credit_card_provider", VOLUME_TEXT, volumes_codes_card_provider, "Mastercard"},
    {"credit_card_security_code", VOLUME_TEXT, volumes_codes_card_security_code, "042"},
    {"currency_code", VOLUME_TEXT, volumes_people_currency_code, "EUR, ISO 4217"},
    {"currency_name", VOLUME_TEXT, volumes_people_currency_name, "Swedish krona"},
    {"date", VOLUME_TEXT, volumes_times_date, "2023-05-17, from 2020 to 2025"},
    {"date_of_birth", VOLUME_TEXT, volumes_times_date_of_birth, "1971-03-09"},
    {"date_time", VOLUME_TEXT, volumes_times_date_time, "2023-05-17T08:15:30Z, 2020 to 2025"},
    {"day_of_week", VOLUME_TEXT, volumes_times_day_of_week, "Thursday"},
    {"domain_name", VOLUME_TEXT, volumes_words_domain_name, "maple.example.org"},
    {"domain_word", VOLUME_TEXT, volumes_words_domain_word, "maple"},
    {"ean", VOLUME_TEXT, volumes_codes_ean13, "13 digits with a check digit"},
    {"ean13", VOLUME_TEXT, volumes_codes_ean13, "13 digits with a check digit, as ean"},
    {"ean8", VOLUME_TEXT, volumes_codes_ean8, "8 digits with a check digit"},
    {"email", VOLUME_TEXT, volumes_people_email, "ada.keller7@example.com"},
    {"emoji", VOLUME_TEXT, volumes_words_emoji, "a small picture, beyond ASCII"},
    {"file_extension", VOLUME_TEXT, volumes_words_file_extension, "pdf"},
    {"file_name", VOLUME_TEXT, volumes_words_file_name, "meadow.pdf"},
    {"file_path", VOLUME_TEXT, volumes_words_file_path, "/river/stone/meadow.pdf"},
    {"first_name", VOLUME_TEXT, volumes_people_first_name, "Ada"},
    {"free_email", VOLUME_TEXT, volumes_people_email, "an e-mail address, as email"},
    {"hex_color", VOLUME_TEXT, volumes_codes_hex_color, "#7fb2c4"},
    {"hostname", VOLUME_TEXT, volumes_words_hostname, "web-42.maple.example.org"},
    {"http_method", VOLUME_TEXT, volumes_codes_http_method, "POST"},
    {"http_status_code", VOLUME_NUMBER, volumes_codes_http_status_code, "404"},
    {"iban", VOLUME_TEXT, volumes_codes_iban, "valid by mod 97, of no real bank"},
    {"id", VOLUME_TEXT, volumes_codes_ean13, "13 digits with a check digit, as ean"},
    {"ipv4", VOLUME_TEXT, volumes_codes_ipv4, "192.0.2.17, for documentation"},
    {"ipv6", VOLUME_TEXT, volumes_codes_ipv6, "2001:db8:..., for documentation"},
    {"isbn10", VOLUME_TEXT, volumes_codes_isbn10, "10 characters with a check digit"},
    {"isbn13", VOLUME_TEXT, volumes_codes_isbn13, "978 and 10 digits with a check digit"},
    {"iso8601", VOLUME_TEXT, volumes_times_date_time, "2023-05-17T08:15:30Z, as date_time"},
    {"job", VOLUME_TEXT, volumes_people_job, "Bookbinder"},
    {"language_code", VOLUME_TEXT, volumes_people_language_code, "de, ISO 639-1"},
    {"language_name", VOLUME_TEXT, volumes_people_language_name, "German"},
    {"last_name", VOLUME_TEXT, volumes_people_last_name, "Keller"},
    {"latitude", VOLUME_NUMBER, volumes_codes_latitude, "48.208354"},
    {"license_plate", VOLUME_TEXT, volumes_people_license_plate, "ABC-0123"},
    {"locale", VOLUME_TEXT, volumes_people_locale, "de_AT"},
    {"longitude", VOLUME_NUMBER, volumes_codes_longitude, "16.372504"},
    {"mac_address", VOLUME_TEXT, volumes_codes_mac_address, "locally administered"},
    {"md5", VOLUME_TEXT, volumes_codes_md5, "32 random hex digits"},
    {"mime_type", VOLUME_TEXT, volumes_codes_mime_type, "application/pdf"},
    {"month", VOLUME_TEXT, volumes_times_month, "01 to 12"},
    {"month_name", VOLUME_TEXT, volumes_times_month_name, "March"},
    {"name", VOLUME_TEXT, volumes_people_name, "Ada Keller"},
    {"now", VOLUME_TEXT, volumes_times_now, "the time of sending, 2026-11-21T08:15:30.250Z"},
    {"number", VOLUME_TEXT, volumes_people_phone_number, "a phone number, as phone_number"},
    {"paragraph", VOLUME_TEXT, volumes_words_paragraph, "3 to 5 sentences"},
    {"password", VOLUME_TEXT, volumes_codes_password, "12 characters"},
    {"phone_number", VOLUME_TEXT, volumes_people_phone_number, "reserved for fiction"},
    {"port_number", VOLUME_NUMBER, volumes_codes_port_number, "1024 to 65535"},
    {"postcode", VOLUME_TEXT, volumes_people_postcode, "five digits"},
    {"prefix", VOLUME_TEXT, volumes_people_prefix, "Dr."},
    {"price", VOLUME_NUMBER, volumes_codes_price, "0.99 to 999.99"},
    {"pricetag", VOLUME_TEXT, volumes_codes_pricetag, "$1,234.56"},
    {"product", VOLUME_TEXT, volumes_people_product, "Watering Can"},
    {"random_digit", VOLUME_NUMBER, volumes_codes_random_digit, "0 to 9"},
    {"random_int", VOLUME_NUMBER, volumes_codes_random_int, "0 to 9999"},
    {"random_letter", VOLUME_TEXT, volumes_codes_random_letter, "one ASCII letter"},
    {"safe_email", VOLUME_TEXT, volumes_people_email, "an e-mail address, as email"},
    {"sentence", VOLUME_TEXT, volumes_words_sentence, "4 to 9 words"},
    {"serial", VOLUME_TEXT, volumes_codes_ean13, "13 digits with a check digit, as ean"},
    {"sha1", VOLUME_TEXT, volumes_codes_sha1, "40 random hex digits"},
    {"sha256", VOLUME_TEXT, volumes_codes_sha256, "64 random hex digits"},
    {"slug", VOLUME_TEXT, volumes_words_slug, "quick-meadow-song"},
    {"state", VOLUME_TEXT, volumes_people_state, "Vermont"},
    {"state_abbr", VOLUME_TEXT, volumes_people_state_abbr, "VT"},
    {"street_address", VOLUME_TEXT, volumes_people_street_address, "12 Elm Road"},
    {"street_name", VOLUME_TEXT, volumes_people_street_name, "Elm Road"},
    {"street_suffix", VOLUME_TEXT, volumes_people_street_suffix, "Road"},
    {"swift", VOLUME_TEXT, volumes_codes_swift, "8 characters, a test code"},
    {"text", VOLUME_TEXT, volumes_words_text, "two lines of sentences"},
    {"time", VOLUME_TEXT, volumes_times_time, "08:15:30"},
    {"timezone", VOLUME_TEXT, volumes_people_timezone, "Europe/Vienna"},
    {"unix_time", VOLUME_NUMBER, volumes_times_unix_time, "seconds since 1970, 2020 to 2025"},
    {"uri", VOLUME_TEXT, volumes_words_uri, "https://maple.example.org/river"},
    {"uri_path", VOLUME_TEXT, volumes_words_uri_path, "river/stone"},
    {"url", VOLUME_TEXT, volumes_words_url, "https://maple.example.org/"},
    {"user_agent", VOLUME_TEXT, volumes_codes_user_agent, "of a browser or a program"},
    {"user_name", VOLUME_TEXT, volumes_people_user_name, "ada7"},
    {"uuid", VOLUME_TEXT, volumes_codes_uuid4, "random, as uuid4"},
    {"uuid4", VOLUME_TEXT, volumes_codes_uuid4, "random"},
    {"uuid7", VOLUME_TEXT, volumes_codes_uuid7, "begins with the time of sending"},
    {"word", VOLUME_TEXT, volumes_words_word, "meadow"},
    {"words", VOLUME_TEXT, volumes_words_words, "three words"},
    {"year", VOLUME_TEXT, volumes_times_year, "1970 to 2025"},
};

const struct volume *volumes_all(size_t *count)
{
	*count = ARRAY_LEN(volumes);
	return volumes;
}

static int compare_name(const void *name, const void *row)
{
	struct slice a = *(const struct slice *)name;
	struct slice b = slice_str(((const struct volume *)row)->name);
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

const struct volume *volumes_find(struct slice name)
{
	if (name.len == 0)
		return NULL;
	return bsearch(&name, volumes, ARRAY_LEN(volumes), sizeof volumes[0], compare_name);
}

const char *volumes_suggest(struct slice name)
{
	const char *names[ARRAY_LEN(volumes) + 1] = {0};
	for (size_t i = 0; i < ARRAY_LEN(volumes); i++)
		names[i] = volumes[i].name;
	return text_suggest(name, names);
}
