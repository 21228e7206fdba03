#include "model/routes.h"

#include "base/mem.h"
#include "json_bench.h"

#include <check.h>
#include <stdlib.h>

static void report(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s: %s", pointer, text);
}

static struct topology read_topology(const char *text)
{
	struct topology t = {0};
	json_t *settings = read_json(text);
	ck_assert(topology_read(settings, &t, report, NULL));
	json_decref(settings);
	return t;
}

static void dump_step(const struct routes_step *s, struct buf *out)
{
	static const char verdicts[] = {
	    [ROUTES_NO] = '-', [ROUTES_YES] = '+', [ROUTES_UNKNOWN] = '?'};
	buf_printf(out, "%zu ", s->depth);
	if (s->kind == ROUTES_EXCHANGE)
		buf_printf(out, "%s%s", s->exchange, s->found == NULL ? " absent" : "");
	else if (s->kind == ROUTES_BINDING)
		buf_printf(
		    out, "%c%s%s", verdicts[s->match], s->to_exchange ? "x:" : "", s->destination);
	else
		buf_printf(out, "%cend:%s", verdicts[s->match],
		    s->destination != NULL ? s->destination : "");
	buf_append_str(out, s->again ? " again|" : "|");
}

static void dump(const struct routes *r, struct buf *out)
{
	for (size_t i = 0; i < r->step_count; i++)
		dump_step(&r->steps[i], out);
	buf_append_str(out, r->is_complete ? "=" : "=?");
	for (size_t i = 0; i < r->queue_count; i++)
		buf_printf(out, " %s", r->queues[i]);
}

/* ---- ways ---- */

static const char mesh[] =
    "{'exchanges': {'d': {'alternate': 'f'}, 't': {'type': 'topic'}, 'f': {'type': 'fanout'},"
    "  'loop': {'type': 'fanout'}, 'back': {'type': 'fanout'}, 'bare': {'alternate': 'lone'},"
    "  'lone': {'alternate': 'bare'}, 'p': {'type': 'x-random', 'alternate': 'f'},"
    "  'into': {'type': 'fanout', 'alternate': 'f'}, 'gone': {'declared': false}},"
    " 'queues': {'a': {}, 'b': {}, 'c': {}},"
    " 'bindings': [{'exchange': 'd', 'queue': 'a', 'routing_key': 'k'},"
    "  {'exchange': 'd', 'to_exchange': 't', 'routing_key': 'k.l'},"
    "  {'exchange': 't', 'queue': 'b', 'routing_key': '*.l'},"
    "  {'exchange': 't', 'queue': 'b', 'routing_key': '#'},"
    "  {'exchange': 'f', 'queue': 'c'},"
    "  {'exchange': 'loop', 'to_exchange': 'back'}, {'exchange': 'loop', 'to_exchange': 'loop'},"
    "  {'exchange': 'back', 'to_exchange': 'loop'}, {'exchange': 'back', 'queue': 'a'},"
    "  {'exchange': 'p', 'queue': 'a'}, {'exchange': 'into', 'to_exchange': 'lone'}]}";

static const struct way {
	const char *exchange, *key, *headers, *said;
} ways[] = {
    {"d", "k", NULL, "0 d|0 +a|0 -x:t|= a"},
    {"d", "k.l", NULL, "0 d|0 -a|0 +x:t|1 t|1 +b|1 +b|= b"},
    /* nothing matches: the alternate */
    {"d", "other", NULL, "0 d|0 -a|0 -x:t|0 +end:f|1 f|1 +c|= c"},
    /* a match that leads nowhere is one, and has no alternate but its own */
    {"into", "", NULL, "0 into|0 +x:lone|1 lone|1 +end:bare|2 bare|2 +end:lone again|="},
    {"loop", "", NULL, "0 loop|0 +x:back|1 back|1 +x:loop again|1 +a|0 +x:loop again|= a"},
    {"bare", "", NULL, "0 bare|0 +end:lone|1 lone|1 +end:bare again|="},
    {"gone", "", NULL, "0 gone|0 +end:|="},
    {"p", "", NULL, "0 p|0 ?a|0 ?end:f|=?"},
    /* the default exchange */
    {"", "a", NULL, "0 |0 +a|= a"},
    {"", "z", NULL, "0 |0 -z|="},
    {"", "a", "{'CC': ['b', 'a', 7, 'z'], 'BCC': ['c']}", "0 |0 +a|0 +b|0 -z|0 +c|= a b c"},
    /* further keys */
    {"d", "x", "{'CC': ['k']}", "0 d|0 +a|0 -x:t|= a"},
    {"d", "x", "{'BCC': ['k', 'k.l']}", "0 d|0 +a|0 +x:t|1 t|1 +b|1 +b|= a b"},
    {"d", "x", "{'cc': ['k']}", "0 d|0 -a|0 -x:t|0 +end:f|1 f|1 +c|= c"},
};

START_TEST(a_message_goes_the_way_it_goes_in_rabbitmq)
{
	struct topology t = read_topology(mesh);
	struct routes r = {0};
	struct error err = {0};
	struct buf out = {0};
	json_t *headers = ways[_i].headers != NULL ? read_json(ways[_i].headers) : NULL;
	const struct routes_message m = {ways[_i].exchange, ways[_i].key, headers};
	ck_assert_msg(routes_find(&t, &m, &r, &err), "%s", err.text);
	dump(&r, &out);
	ck_assert_str_eq(out.ptr, ways[_i].said);
	buf_release(&out);
	routes_release(&r);
	json_decref(headers);
	topology_release(&t);
}
END_TEST

START_TEST(bcc_is_no_header_by_the_time_headers_are_looked_at)
{
	struct topology t = read_topology(
	    "{'exchanges': {'h': {'type': 'headers'}}, 'queues': {'cc': {}, 'bcc': {}},"
	    " 'bindings': [{'exchange': 'h', 'queue': 'cc', 'headers': {'CC': null}},"
	    "  {'exchange': 'h', 'queue': 'bcc', 'headers': {'BCC': null}}]}");
	struct routes r = {0};
	struct error err = {0};
	json_t *headers = read_json("{'CC': [], 'BCC': []}");
	const struct routes_message m = {"h", "", headers};
	ck_assert(routes_find(&t, &m, &r, &err));
	ck_assert_uint_eq(r.queue_count, 1);
	ck_assert_str_eq(r.queues[0], "cc");
	ck_assert_ptr_nonnull(json_object_get(headers, "BCC"));
	routes_release(&r);
	json_decref(headers);
	topology_release(&t);
}
END_TEST

START_TEST(an_alternate_that_is_not_there_or_the_default_one_is_the_end)
{
	/* only a broker has these */
	struct topology t =
	    read_topology("{'exchanges': {'d': {}, 'e': {}}, 'queues': {'k': {}}, 'bindings': []}");
	json_object_set_new(t.exchanges[0].arguments, "alternate-exchange", json_string("nobody"));
	json_object_set_new(t.exchanges[1].arguments, "alternate-exchange", json_string(""));
	static const char *const said[] = {
	    "0 d|0 +end:nobody|1 nobody absent|=", "0 e|0 +end:|1 |1 +end:|="};
	for (size_t i = 0; i < 2; i++) {
		struct routes r = {0};
		struct error err = {0};
		struct buf out = {0};
		const struct routes_message m = {t.exchanges[i].name, "k", NULL};
		ck_assert(routes_find(&t, &m, &r, &err));
		dump(&r, &out);
		ck_assert_str_eq(out.ptr, said[i]);
		buf_release(&out);
		routes_release(&r);
	}
	topology_release(&t);
}
END_TEST

/* ---- refusals ---- */

static const struct {
	const char *exchange, *headers;
	enum error_kind kind;
	const char *said;
} refusals[] = {
    {"ordres", NULL, ERROR_USAGE, "exchange 'ordres' is not declared; did you mean 'orders'?"},
    {"q", NULL, ERROR_USAGE, "exchange 'q' is not declared; 'q' is a queue"},
    {"inner", NULL, ERROR_REFUSED,
	"exchange 'inner' is internal: it takes messages from bindings, and the broker refuses "
	"those "
	"that are published to it (403)"},
    {"orders", "{'CC': 'a'}", ERROR_REFUSED,
	"the broker refuses a message whose header CC is not a list of routing keys (406)"},
    {"", "{'BCC': null}", ERROR_REFUSED,
	"the broker refuses a message whose header BCC is not a list of routing keys (406)"},
    {"orders", "{'a': {'$type': 'int9'}}", ERROR_DATA, NULL},
};

START_TEST(what_the_broker_would_refuse_is_a_failure)
{
	struct topology t = read_topology("{'exchanges': {'orders': {'type': 'headers'},"
					  " 'inner': {'type': 'fanout', 'internal': true}},"
					  " 'queues': {'q': {}}, 'bindings': []}");
	struct routes r = {0};
	struct error err = {0};
	json_t *headers = refusals[_i].headers != NULL ? read_json(refusals[_i].headers) : NULL;
	const struct routes_message m = {refusals[_i].exchange, "", headers};
	ck_assert(!routes_find(&t, &m, &r, &err));
	ck_assert_int_eq(err.kind, refusals[_i].kind);
	if (refusals[_i].said != NULL)
		ck_assert_str_eq(err.text, refusals[_i].said);
	ck_assert(r.steps == NULL && r.queues == NULL && r.keys == NULL);
	json_decref(headers);
	topology_release(&t);
}
END_TEST

START_TEST(a_chain_of_thousands_of_exchanges_is_walked_to_its_end)
{
	enum { LENGTH = 3000 };
	struct topology t = {.names = json_array()};
	t.exchanges = mem_alloc(LENGTH, sizeof *t.exchanges);
	t.bindings = mem_alloc(LENGTH, sizeof *t.bindings);
	for (size_t i = 0; i < LENGTH; i++) {
		char *name = mem_printf("x%zu", i);
		json_t *kept = json_string(name);
		json_array_append_new(t.names, kept);
		t.exchanges[t.exchange_count++] =
		    (struct topology_exchange){.name = json_string_value(kept), .type = "fanout"};
		free(name);
	}
	for (size_t i = 0; i < LENGTH; i++)
		t.bindings[t.binding_count++] =
		    (struct topology_binding){.exchange = t.exchanges[i].name,
			.destination = i + 1 < LENGTH ? t.exchanges[i + 1].name : "q",
			.to_exchange = i + 1 < LENGTH,
			.routing_key = ""};
	struct routes r = {0};
	struct error err = {0};
	const struct routes_message m = {"x0", "", NULL};
	ck_assert(routes_find(&t, &m, &r, &err));
	ck_assert_uint_eq(r.queue_count, 1);
	ck_assert_uint_eq(r.steps[r.step_count - 1].depth, LENGTH - 1);
	routes_release(&r);
	topology_release(&t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("routes");
	TCase *tc = tcase_create("routes");
	tcase_add_loop_test(
	    tc, a_message_goes_the_way_it_goes_in_rabbitmq, 0, (int)ARRAY_LEN(ways));
	tcase_add_test(tc, bcc_is_no_header_by_the_time_headers_are_looked_at);
	tcase_add_test(tc, an_alternate_that_is_not_there_or_the_default_one_is_the_end);
	tcase_add_loop_test(
	    tc, what_the_broker_would_refuse_is_a_failure, 0, (int)ARRAY_LEN(refusals));
	tcase_add_test(tc, a_chain_of_thousands_of_exchanges_is_walked_to_its_end);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
