#include "broker/uri.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

/* A password that stands nowhere else, to be looked for in every text that leaves the module. */
#define SECRET "s3cr3t"

static const struct good {
	const char *text;
	bool tls;
	const char *host;
	uint16_t port;
	const char *user, *password, *vhost, *shown;
} goods[] = {
    {"amqp://", false, "localhost", 5672, "guest", "guest", "/", "amqp://"},
    {"amqps://", true, "localhost", 5671, "guest", "guest", "/", "amqps://"},
    {"AMQP://h", false, "h", 5672, "guest", "guest", "/", "AMQP://h"},
    {"aMqPs://h", true, "h", 5671, "guest", "guest", "/", "aMqPs://h"},
    {"amqp://h/", false, "h", 5672, "guest", "guest", "/", "amqp://h/"},
    {"amqp://h/%2f", false, "h", 5672, "guest", "guest", "/", "amqp://h/%2f"},
    {"amqp://h/%2F%2f", false, "h", 5672, "guest", "guest", "//", "amqp://h/%2F%2f"},
    {"amqp://h/shop", false, "h", 5672, "guest", "guest", "shop", "amqp://h/shop"},
    {"amqp://h/a%20b", false, "h", 5672, "guest", "guest", "a b", "amqp://h/a%20b"},
    {"amqp://h/%c3%a9", false, "h", 5672, "guest", "guest", "\xc3\xa9", "amqp://h/%c3%a9"},
    {"amqp://h/\xc3\xa9", false, "h", 5672, "guest", "guest", "\xc3\xa9", "amqp://h/\xc3\xa9"},
    {"amqp://h/\xff", false, "h", 5672, "guest", "guest", "\xff", "amqp://h/\\xff"},
    {"amqp://h/a:b", false, "h", 5672, "guest", "guest", "a:b", "amqp://h/a:b"},
    {"amqp://:1", false, "localhost", 1, "guest", "guest", "/", "amqp://:1"},
    {"amqp://h:65535", false, "h", 65535, "guest", "guest", "/", "amqp://h:65535"},
    {"amqps://h:5672", true, "h", 5672, "guest", "guest", "/", "amqps://h:5672"},
    {"amqp://h:05672", false, "h", 5672, "guest", "guest", "/", "amqp://h:05672"},
    {"amqp://127.0.0.1:5673", false, "127.0.0.1", 5673, "guest", "guest", "/",
	"amqp://127.0.0.1:5673"},
    {"amqp://my%2dhost", false, "my-host", 5672, "guest", "guest", "/", "amqp://my%2dhost"},
    {"amqp://a_b.example.org.", false, "a_b.example.org.", 5672, "guest", "guest", "/",
	"amqp://a_b.example.org."},
    {"amqp://[::1]", false, "::1", 5672, "guest", "guest", "/", "amqp://[::1]"},
    {"amqp://[2001:db8::7]:5673/v", false, "2001:db8::7", 5673, "guest", "guest", "v",
	"amqp://[2001:db8::7]:5673/v"},
    {"amqp://[::ffff:192.0.2.1]", false, "::ffff:192.0.2.1", 5672, "guest", "guest", "/",
	"amqp://[::ffff:192.0.2.1]"},
    {"amqp://[fe80::1%25eth0]", false, "fe80::1%eth0", 5672, "guest", "guest", "/",
	"amqp://[fe80::1%25eth0]"},
    {"amqp://bob@h", false, "h", 5672, "bob", "", "/", "amqp://bob@h"},
    {"amqp://bob%3A" SECRET "@h", false, "h", 5672, "bob:" SECRET, "", "/", "amqp://***@h"},
    {"amqp://bob:@h", false, "h", 5672, "bob", "", "/", "amqp://bob:***@h"},
    {"amqp://@h", false, "h", 5672, "", "", "/", "amqp://@h"},
    {"amqp://:@h", false, "h", 5672, "", "", "/", "amqp://:***@h"},
    {"amqp://:" SECRET "@h", false, "h", 5672, "", SECRET, "/", "amqp://:***@h"},
    {"amqp://:@/", false, "localhost", 5672, "", "", "/", "amqp://:***@/"},
    {"amqp://bob:" SECRET "@h", false, "h", 5672, "bob", SECRET, "/", "amqp://bob:***@h"},
    {"amqp://bob:" SECRET "@", false, "localhost", 5672, "bob", SECRET, "/", "amqp://bob:***@"},
    {"amqp://bob:a:" SECRET "@h:7/v", false, "h", 7, "bob", "a:" SECRET, "v",
	"amqp://bob:***@h:7/v"},
    {"amqp://a%40b:p%40%2f%3A%23%3f%25" SECRET "@h", false, "h", 5672, "a@b", "p@/:#?%" SECRET, "/",
	"amqp://a%40b:***@h"},
    {"amqp://b:%ff%80@h", false, "h", 5672, "b", "\xff\x80", "/", "amqp://b:***@h"},
    {"amqp://b:%0a%01@h", false, "h", 5672, "b", "\n\x01", "/", "amqp://b:***@h"},
    {"amqp://b:[x]@h", false, "h", 5672, "b", "[x]", "/", "amqp://b:***@h"},
    {"amqp://%1b[31m:p@h", false, "h", 5672, "\x1b[31m", "p", "/", "amqp://%1b[31m:***@h"},
    {"amqp://b:" SECRET "@[::1]:8", false, "::1", 8, "b", SECRET, "/", "amqp://b:***@[::1]:8"},
    {"amqp://h?", false, "h", 5672, "guest", "guest", "/", "amqp://h?"},
    {"amqp://h?heartbeat=5", false, "h", 5672, "guest", "guest", "/", "amqp://h?heartbeat=5"},
    {"amqp://h/v?heartbeat=5&", false, "h", 5672, "guest", "guest", "v", "amqp://h/v?heartbeat=5&"},
};

START_TEST(good_address_is_read)
{
	const struct good *c = &goods[_i];
	struct uri u;
	struct error err = {0};
	ck_assert_msg(uri_parse(slice_str(c->text), &u, &err), "%s: %s", c->text, err.text);
	ck_assert_int_eq(u.tls, c->tls);
	ck_assert_str_eq(u.host, c->host);
	ck_assert_uint_eq(u.port, c->port);
	ck_assert_str_eq(u.user, c->user);
	ck_assert_str_eq(u.password, c->password);
	ck_assert_str_eq(u.vhost, c->vhost);
	ck_assert_str_eq(u.shown, c->shown);
	uri_release(&u);
	ck_assert_ptr_null(u.password);
}
END_TEST

#define AMQP_ONLY \
	"does not begin with amqp:// or amqps://, as in amqp://user:password@host:5672/vhost"
#define BAD_PORT "the port is not a whole number from 1 to 65535"
#define TWO_AT "more than one '@'; percent-encode the one in the user or password as %40"
#define AT_AFTER(c)                                                                       \
	"an '@' after a '" c "'; percent-encode both in a user or password: '@' as %40, " \
	"'/' as %2f, '?' as %3f, '#' as %23"
#define BARE_IPV6                                                                      \
	"more than one ':' after the user; an IPv6 address stands in brackets, as in " \
	"amqp://[::1]:5672"
#define BAD_BYTE "a space or control character; write it percent-encoded, a space as %20"
#define BAD_PERCENT(part) \
	"a '%' in the " part " is not followed by two hexadecimal digits; write '%' itself as %25"
#define BAD_BRACKETS \
	"brackets that do not hold the whole host; accepted is [address] or [address]:port"
#define NO_IPV6 "no IPv6 address in the brackets; accepted is for example [::1]"
#define BAD_HOST                                                                                  \
	"a character in the host that no host name has; accepted is a name, an IPv4 address, or " \
	"an IPv6 address in brackets"
#define TWO_SLASHES "more than one '/' after the host; percent-encode one in the vhost as %2f"
#define HASH "a '#', which begins nothing here; percent-encode it as %23"
#define NO_VALUE "a parameter after the '?' without a value; accepted is name=value&name=value"
#define NO_TLS(name) name " needs amqps://; nothing is encrypted over amqp://"
#define ACCEPTED                                                                               \
	"accepted are heartbeat, connection_timeout, channel_max, frame_max, auth_mechanism, " \
	"cacertfile, certfile, keyfile, verify and server_name_indication"

static const struct bad {
	const char *text, *shown, *reason;
} bads[] = {
    {"", "***", AMQP_ONLY},
    {SECRET, "***", AMQP_ONLY},
    {"localhost:5672", "***", AMQP_ONLY},
    {"bob:" SECRET "@h", "***", AMQP_ONLY},
    {"amqp:bob:" SECRET "@h", "***", AMQP_ONLY},
    {"amqp:/bob:" SECRET "@h", "***", AMQP_ONLY},
    {"://bob:" SECRET "@h", "***", AMQP_ONLY},
    {"http://bob:" SECRET "@h", "http://bob:***@h", AMQP_ONLY},
    {"amqpx://h", "amqpx://h", AMQP_ONLY},
    {"amq://h", "amq://h", AMQP_ONLY},
    {"bob:" SECRET "://h", "***", AMQP_ONLY},
    {"amqp://h:0", "amqp://***", BAD_PORT},
    {"amqp://h:65536", "amqp://***", BAD_PORT},
    {"amqp://h:18446744073709551617", "amqp://***", BAD_PORT},
    {"amqp://h:+5672", "amqp://***", BAD_PORT},
    {"amqp://h:-1", "amqp://***", BAD_PORT},
    {"amqp://h:0x50", "amqp://***", BAD_PORT},
    {"amqp://h:%35672", "amqp://***", BAD_PORT},
    {"amqp://h:", "amqp://h:", BAD_PORT},
    {"amqp://bob:" SECRET, "amqp://***", BAD_PORT},
    {"amqp://me@corp:" SECRET, "amqp://***", BAD_PORT},
    {"amqp://bob:x/" SECRET, "amqp://***", BAD_PORT},
    {"amqp://h: 5672", "amqp://***", BAD_BYTE},
    {"amqp://h:1:2", "amqp://***", BARE_IPV6},
    {"amqp://::1", "amqp://***", BARE_IPV6},
    {"amqp://bob:" SECRET "@2001:db8::1", "amqp://***", BARE_IPV6},
    {"amqp://bob:" SECRET ":h", "amqp://***", BARE_IPV6},
    {"amqp://[::1", "amqp://***", BAD_BRACKETS},
    {"amqp://[::1]5672", "amqp://***", BAD_BRACKETS},
    {"amqp://[]", "amqp://[]", NO_IPV6},
    {"amqp://[localhost]", "amqp://[localhost]", NO_IPV6},
    {"amqp://[::g]", "amqp://[::g]", NO_IPV6},
    {"amqp://[fe80::1%25]", "amqp://[fe80::1%25]", NO_IPV6},
    {"amqp://[fe80::1%eth0]", "amqp://[fe80::1%eth0]", BAD_PERCENT("host")},
    {"amqp://a%20b", "amqp://a%20b", BAD_HOST},
    {"amqp://a%2fb", "amqp://a%2fb", BAD_HOST},
    {"amqp://a%40b", "amqp://a%40b", BAD_HOST},
    {"amqp://h%0a", "amqp://h%0a", BAD_HOST},
    {"amqp://h\\x", "amqp://h\\\\x", BAD_HOST},
    {"amqp://bob:" SECRET "@x@h", "amqp://bob:***@h", TWO_AT},
    {"amqp://bob:x@" SECRET "@h", "amqp://bob:***@h", TWO_AT},
    {"amqp://bob@corp:" SECRET "@h", "amqp://bob@corp:***@h", TWO_AT},
    {"amqp://bob@" SECRET "@h", "amqp://***@h", TWO_AT},
    {"amqp://bob:a/" SECRET "@h", "amqp://***", AT_AFTER("/")},
    {"amqp://bob:" SECRET "/b@h", "amqp://***", AT_AFTER("/")},
    {"amqp://bob:" SECRET "#b@h", "amqp://***", AT_AFTER("#")},
    {"amqp://bob:" SECRET "?b@h", "amqp://***", AT_AFTER("?")},
    {"amqp://bob:12/" SECRET "@h", "amqp://***", AT_AFTER("/")},
    {"amqp://bob:" SECRET "@h/a@b", "amqp://***", AT_AFTER("/")},
    {"amqp://bob:" SECRET "@h/v#x", "amqp://bob:***@h/v", HASH},
    {"amqp://bob:" SECRET "@h#", "amqp://bob:***@h", HASH},
    {"amqp://bob:" SECRET "@h/a/b", "amqp://bob:***@h/a/b", TWO_SLASHES},
    {"amqp://h//", "amqp://h//", TWO_SLASHES},
    {"amqp://h/v/", "amqp://h/v/", TWO_SLASHES},
    {"amqp://bob:" SECRET "%@h", "amqp://bob:***@h", BAD_PERCENT("password")},
    {"amqp://bob:" SECRET "%+f@h", "amqp://bob:***@h", BAD_PERCENT("password")},
    {"amqp://bob:" SECRET "%4@h", "amqp://bob:***@h", BAD_PERCENT("password")},
    {"amqp://bob:" SECRET "%zz@h", "amqp://bob:***@h", BAD_PERCENT("password")},
    {"amqp://b%g1:" SECRET "@h", "amqp://b%g1:***@h", BAD_PERCENT("user")},
    {"amqp://h/%", "amqp://h/%", BAD_PERCENT("vhost")},
    {"amqp://bob:" SECRET "%00@h", "amqp://bob:***@h", "%00 is not accepted in the password"},
    {"amqp://%00:" SECRET "@h", "amqp://%00:***@h", "%00 is not accepted in the user"},
    {"amqp://h%00", "amqp://h%00", "%00 is not accepted in the host"},
    {"amqp://h/a%00b", "amqp://h/a%00b", "%00 is not accepted in the vhost"},
    {"amqps://h?keyfile=%00", "amqps://h?keyfile=%00", "%00 is not accepted in the keyfile"},
    {"amqp://bob:" SECRET " x@h", "amqp://bob:***@h", BAD_BYTE},
    {"amqp://bob:" SECRET "\t@h", "amqp://bob:***@h", BAD_BYTE},
    {"amqp://bob:" SECRET "@h\n", "amqp://bob:***@h\\n", BAD_BYTE},
    {" amqp://bob:" SECRET "@h", "***", BAD_BYTE},
    {"amqp://h\x1b[31m", "amqp://h\\x1b[31m", BAD_BYTE},
    {"amqp://my host", "amqp://my host", BAD_BYTE},
    {"amqp://h\x7f", "amqp://h\\x7f", BAD_BYTE},
    {"amqp://bob:" SECRET "@h?hartbeat=5", "amqp://bob:***@h?***",
	"unknown parameter 'hartbeat'; did you mean 'heartbeat'?"},
    {"amqp://h?sasl=" SECRET, "amqp://h?***", "unknown parameter 'sasl'; " ACCEPTED},
    {"amqp://h?Heartbeats=5", "amqp://h?***",
	"unknown parameter 'Heartbeats'; did you mean 'heartbeat'?"},
    {"amqp://h?%1b=5", "amqp://h?***", "unknown parameter '\\x1b'; " ACCEPTED},
    {"amqp://h?=5", "amqp://h?***", "unknown parameter ''; " ACCEPTED},
    {"amqp://h?" SECRET, "amqp://h?***", NO_VALUE},
    {"amqp://h?heartbeat", "amqp://h?heartbeat", NO_VALUE},
    {"amqp://h?heartbeat=1&&frame_max=0", "amqp://h?***", NO_VALUE},
    {"amqp://h?heartbeat=1&heartbeat=2", "amqp://h?heartbeat=1&heartbeat=2",
	"heartbeat is given twice"},
    {"amqp://h?heartbeat=", "amqp://h?heartbeat=",
	"heartbeat '' is not a whole number from 0 to 65535"},
    {"amqp://h?heartbeat=10s", "amqp://h?heartbeat=10s",
	"heartbeat '10s' is not a whole number from 0 to 65535"},
    {"amqp://h?heartbeat=65536", "amqp://h?heartbeat=65536",
	"heartbeat '65536' is not a whole number from 0 to 65535"},
    {"amqp://h?connection_timeout=0", "amqp://h?connection_timeout=0",
	"connection_timeout '0' is not a whole number from 1 to 4294967295"},
    {"amqp://h?channel_max=-1", "amqp://h?channel_max=-1",
	"channel_max '-1' is not a whole number from 0 to 65535"},
    {"amqp://h?frame_max=4095", "amqp://h?frame_max=4095",
	"frame_max '4095' is neither 0 nor a whole number from 4096 to 2147483647"},
    {"amqp://h?auth_mechanism=amqplain", "amqp://h?auth_mechanism=amqplain",
	"auth_mechanism 'amqplain' is not accepted; it takes plain or external"},
    {"amqps://h?verify=no", "amqps://h?verify=no",
	"verify 'no' is not accepted; it takes verify_peer or verify_none"},
    {"amqps://h?cacertfile=", "amqps://h?cacertfile=", "cacertfile is empty"},
    {"amqp://h?cacertfile=a", "amqp://h?cacertfile=a", NO_TLS("cacertfile")},
    {"amqp://h?verify=verify_peer", "amqp://h?verify=verify_peer", NO_TLS("verify")},
};

START_TEST(bad_address_is_refused_without_telling_the_password)
{
	const struct bad *c = &bads[_i];
	struct uri u = {.port = 7};
	struct error err = {0};
	char *expected = mem_printf("address '%s': %s", c->shown, c->reason);
	ck_assert_msg(!uri_parse(slice_str(c->text), &u, &err), "accepted: %s", c->text);
	ck_assert_str_eq(err.text, expected);
	ck_assert_int_eq(err.kind, ERROR_SETTINGS);
	ck_assert_ptr_null(strstr(err.text, SECRET));
	ck_assert_uint_eq(u.port, 7);
	ck_assert_ptr_null(u.host);
	char *masked = uri_mask(slice_str(c->text));
	ck_assert_str_eq(masked, c->shown);
	free(masked);
	free(expected);
}
END_TEST

START_TEST(parameters_are_read)
{
	struct uri u;
	struct error err = {0};
	ck_assert(
	    uri_parse(SLICE("amqps://h/v?heartbeat=0&connection_timeout=2500&channel_max=17&"
			    "frame_max=131072&auth_mechanism=external&cacertfile=%2fca%20x.pem&"
			    "certfile=/c.pem&keyfile=/k=1.pem&verify=verify_none&"
			    "server_name_indication=rabbit.example"),
		&u, &err));
	ck_assert_uint_eq(u.heartbeat_s, 0);
	ck_assert_uint_eq(u.connection_timeout_ms, 2500);
	ck_assert_uint_eq(u.channel_max, 17);
	ck_assert_uint_eq(u.frame_max, 131072);
	ck_assert(u.external);
	ck_assert(u.verify_none);
	ck_assert_str_eq(u.cacertfile, "/ca x.pem");
	ck_assert_str_eq(u.certfile, "/c.pem");
	ck_assert_str_eq(u.keyfile, "/k=1.pem");
	ck_assert_str_eq(u.server_name, "rabbit.example");
	uri_release(&u);
}
END_TEST

START_TEST(absent_parameters_have_their_marks)
{
	struct uri u;
	struct error err = {0};
	ck_assert(uri_parse(SLICE("amqp://h?frame_max=0&auth_mechanism=plain"), &u, &err));
	ck_assert_uint_eq(u.heartbeat_s, UINT64_MAX);
	ck_assert_uint_eq(u.connection_timeout_ms, 0);
	ck_assert_uint_eq(u.channel_max, 0);
	ck_assert_uint_eq(u.frame_max, 0);
	ck_assert(!u.external && !u.verify_none);
	ck_assert(u.cacertfile == NULL && u.certfile == NULL && u.keyfile == NULL);
	ck_assert_ptr_null(u.server_name);
	uri_release(&u);
}
END_TEST

START_TEST(nul_byte_is_refused)
{
	struct uri u;
	struct error err = {0};
	ck_assert(!uri_parse(SLICE("amqp://h\0x"), &u, &err));
	ck_assert_str_eq(err.text, "address 'amqp://h\\x00x': " BAD_BYTE);
}
END_TEST

START_TEST(overlong_address_still_names_the_reason)
{
	char text[6000];
	struct uri u;
	struct error err = {0};
	memset(text, '\x01', sizeof text);
	memcpy(text, "amqp://", 7);
	ck_assert(!uri_parse((struct slice){text, sizeof text}, &u, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "...': longer than 4096 bytes"));
	memset(text + 7, 'a', sizeof text - 7);
	error_clear(&err);
	ck_assert(uri_parse((struct slice){text, 4096}, &u, &err));
	uri_release(&u);
}
END_TEST

START_TEST(zeroed_uri_may_be_released)
{
	struct uri u = {0};
	uri_release(&u);
	uri_release(&u);
	ck_assert_ptr_null(u.host);
}
END_TEST

START_TEST(what_the_address_says_itself_is_known)
{
	static const struct {
		const char *text;
		bool has_password, has_verify;
	} rows[] = {{"amqp://h", false, false}, {"amqp://bob@h", false, false},
	    {"amqp://bob:@h", true, false}, {"amqp://bob:x@h", true, false},
	    {"amqps://h?verify=verify_peer", false, true},
	    {"amqps://bob:x@h?verify=verify_none", true, true}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct uri u = {0};
		struct error err = {0};
		ck_assert(uri_parse(slice_str(rows[i].text), &u, &err));
		ck_assert_int_eq(u.has_password, rows[i].has_password);
		ck_assert_int_eq(u.has_verify, rows[i].has_verify);
		uri_set_password(&u, "other");
		ck_assert_str_eq(u.password, "other");
		uri_release(&u);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("uri");
	TCase *tc = tcase_create("uri");
	tcase_add_test(tc, what_the_address_says_itself_is_known);
	tcase_add_loop_test(tc, good_address_is_read, 0, (int)ARRAY_LEN(goods));
	tcase_add_loop_test(
	    tc, bad_address_is_refused_without_telling_the_password, 0, (int)ARRAY_LEN(bads));
	tcase_add_test(tc, parameters_are_read);
	tcase_add_test(tc, absent_parameters_have_their_marks);
	tcase_add_test(tc, nul_byte_is_refused);
	tcase_add_test(tc, overlong_address_still_names_the_reason);
	tcase_add_test(tc, zeroed_uri_may_be_released);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
