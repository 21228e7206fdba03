#include "model/graph.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &at);
	ck_assert_msg(json != NULL, "%s: %s", text, at.text);
	return json;
}

static void abort_with(void *ctx, const char *pointer, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s: %s", pointer, text);
}

enum language { TEXT, ASCII, DOT, MERMAID };

/* The drawing of settings; to free(). */
static char *draw(const char *text, enum language language)
{
	json_t *settings = parse(text);
	struct topology t;
	struct graph g;
	struct buf out = {0};
	ck_assert(topology_read(settings, &t, abort_with, NULL));
	graph_init(&g, &t, settings);
	if (language == DOT)
		graph_write_dot(&g, &out);
	else if (language == MERMAID)
		graph_write_mermaid(&g, &out);
	else
		graph_write_text(&g, language == TEXT, &out);
	graph_release(&g);
	topology_release(&t);
	json_decref(settings);
	return buf_take(&out);
}

static const char order[] = /* what the settings can say of ways, each once */
    "{\"messages\": {\"placed\": {\"exchange\": \"order\", \"routing_key\": \"order.{{kind}}\"},"
    "  \"direct\": {\"routing_key\": \"log\"}, \"free\": {\"routing_key\": {\"pattern\": \"#\"}}},"
    " \"exchanges\": {\"order\": {\"type\": \"topic\", \"alternate\": \"lost\"},"
    "  \"audit\": {\"type\": \"fanout\"}, \"lost\": {\"type\": \"fanout\"},"
    "  \"by\": {\"type\": \"headers\"}, \"idle\": {}},"
    " \"queues\": {\"mail\": {\"retry\": {\"attempts\": 2, \"delay\": \"1s\"}},"
    "  \"log\": {\"type\": \"stream\"}, \"bin\": {\"message_ttl\": \"1m\","
    "   \"dead_letter_exchange\": \"audit\", \"dead_letter_routing_key\": \"old\"},"
    "  \"jobs\": {\"type\": \"quorum\", \"dead_letter\": \"bin\"}},"
    " \"bindings\": [{\"exchange\": \"order\", \"queue\": \"mail\", \"routing_key\": \"order.*\"},"
    "  {\"exchange\": \"order\", \"to_exchange\": \"audit\", \"routing_key\": \"#\"},"
    "  {\"exchange\": \"audit\", \"queue\": \"log\", \"routing_key\": \"unused\"},"
    "  {\"exchange\": \"audit\", \"to_exchange\": \"order\"},"
    "  {\"exchange\": \"lost\", \"queue\": \"bin\"},"
    "  {\"exchange\": \"by\", \"queue\": \"jobs\", \"match\": \"any\","
    "   \"headers\": {\"format\": \"pdf\", \"pages\": 3}}]}";

START_TEST(every_way_is_drawn_in_the_terminal)
{
	char *drawn = draw(order, TEXT);
	ck_assert_str_eq(drawn,
	    "placed (message)\n"
	    "└── order.{{kind}} ──▶ order (topic exchange)\n"
	    "    ├── order.* ──▶ mail (classic queue)\n"
	    "    │   ├╌╌ try again ╌╌▶ mail.retry.1s (classic queue)\n"
	    "    │   │   └╌╌ after 1s ╌╌▶ mail (classic queue, see above)\n"
	    "    │   └╌╌ given up ╌╌▶ mail.parked (classic queue)\n"
	    "    ├── # ──▶ audit (fanout exchange)\n"
	    "    │   ├──▶ log (stream)\n"
	    "    │   └──▶ order (topic exchange, see above)\n"
	    "    └╌╌ not routed ╌╌▶ lost (fanout exchange)\n"
	    "        └──▶ bin (classic queue)\n"
	    "            └╌╌ dead letters as old, also after 1m ╌╌▶ audit (fanout exchange, see "
	    "above)\n"
	    "\n"
	    "direct (message)\n"
	    "└── default exchange ──▶ log (stream)\n"
	    "\n"
	    "free (message)\n"
	    "└── (made up) ──▶ (default) (direct exchange)\n"
	    "\n"
	    "by (headers exchange)\n"
	    "└── any: format=pdf, pages=3 ──▶ jobs (quorum queue)\n"
	    "    └╌╌ dead letters ╌╌▶ bin (classic queue, see above)\n"
	    "\n"
	    "idle (direct exchange)\n");
	free(drawn);
}
END_TEST

START_TEST(poor_terminal_gets_ascii)
{
	char *drawn = draw("{\"exchanges\": {\"a\": {\"alternate\": \"b\"}, \"b\": {}},"
			   " \"queues\": {\"q\": {}}, \"bindings\": ["
			   "{\"exchange\": \"a\", \"queue\": \"q\", \"routing_key\": \"k\"}]}",
	    ASCII);
	ck_assert_str_eq(drawn, "a (direct exchange)\n"
				"|-- k --> q (classic queue)\n"
				"`.. not routed ..> b (direct exchange)\n");
	free(drawn);
}
END_TEST

static const char hostile[] =
    "{\"exchanges\": {\"a\\\"b\\\\c\\n\": {\"type\": \"topic\"}},"
    " \"queues\": {\"<b>&amp;[q]{%%{init\": {}}, \"bindings\": ["
    "  {\"exchange\": \"a\\\"b\\\\c\\n\", \"queue\": \"<b>&amp;[q]{%%{init\","
    "   \"routing_key\": \"*.\\\"|;#\"}]}";

START_TEST(names_are_text_in_dot)
{
	char *drawn = draw(hostile, DOT);
	ck_assert_str_eq(drawn,
	    "digraph topology {\n"
	    "\trankdir=LR;\n"
	    "\tn0 [shape=hexagon, label=\"a\\\"b\\\\\\\\c\\\\n\\ntopic exchange\"];\n"
	    "\tn1 [shape=box, label=\"<b>&amp;amp;[q]{%%{init\\nclassic queue\"];\n"
	    "\tn0 -> n1 [label=\"*.\\\"|;#\"];\n"
	    "}\n");
	free(drawn);
}
END_TEST

START_TEST(names_are_text_in_mermaid)
{
	char *drawn = draw(hostile, MERMAID);
	ck_assert_str_eq(drawn,
	    "flowchart LR\n"
	    "\tn0{{\"a#34;b#92;#92;c#92;n<br>topic exchange\"}}\n"
	    "\tn1[\"#60;b#62;#38;amp#59;#91;q#93;#123;#37;#37;#123;init<br>classic queue\"]\n"
	    "\tn0 -->|\"#42;#46;#34;#124;#59;#35;\"| n1\n");
	free(drawn);
}
END_TEST

START_TEST(what_goes_aside_is_dashed)
{
	static const char text[] = "{\"queues\": {\"q\": {\"dead_letter\": \"dead\"}}}";
	char *dot = draw(text, DOT), *mermaid = draw(text, MERMAID);
	ck_assert_ptr_nonnull(strstr(dot, "n0 -> n1 [label=\"dead letters\", style=dashed];"));
	ck_assert_ptr_nonnull(strstr(mermaid, "n0 -.->|\"dead letters\"| n1\n"));
	free(dot);
	free(mermaid);
}
END_TEST

/* A chain as a broker may hold it: neither the lines nor the stack grow with it. */
START_TEST(long_chain_is_drawn_in_pieces)
{
	enum { LENGTH = 3000 };
	struct buf text = {0};
	buf_append_str(&text, "{\"exchanges\": {");
	for (int i = 0; i <= LENGTH; i++)
		buf_printf(&text, "%s\"e%d\": {}", i > 0 ? "," : "", i);
	buf_append_str(&text, "}, \"bindings\": [");
	for (int i = 0; i < LENGTH; i++)
		buf_printf(&text, "%s{\"exchange\": \"e%d\", \"to_exchange\": \"e%d\"}",
		    i > 0 ? "," : "", i, i + 1);
	buf_append_str(&text, "]}");
	char *drawn = draw(text.ptr, TEXT);
	size_t lines = 0;
	for (const char *c = drawn; (c = strchr(c, '\n')) != NULL; c++)
		lines++;
	ck_assert_uint_gt(lines, LENGTH);
	ck_assert_uint_lt(strlen(drawn), 200 * LENGTH);
	ck_assert_ptr_nonnull(strstr(drawn, "e24 (direct exchange, see below)\n\ne24 (direct"));
	free(drawn);
	buf_release(&text);
}
END_TEST

static const char cast[] =
    "{\"exchanges\": {\"x\": {\"type\": \"topic\"}},"
    " \"queues\": {\"q\": {}, \"r\": {}, \"out\": {}},"
    " \"bindings\": [{\"exchange\": \"x\", \"queue\": \"out\", \"routing_key\": \"#\"}],"
    " \"relays\": {\"pass\": {\"queue\": [\"q\"], \"exchange\": \"x\", \"routing_key\": \"k\","
    "   \"on\": {\"a\\\"\": {\"routing_key\": \"own\"}, \"b\": []}},"
    "  \"away\": {\"queue\": \"q\", \"to\": \"amqp://h\", \"exchange\": \"there\"},"
    "  \"back\": {\"queue\": \"out\", \"routing_key\": \"r\"}},"
    " \"responders\": {\"help\": {\"queue\": \"out\"}},"
    " \"workflows\": {\"w\": {\"start\": {\"queue\": \"q\"}, \"replies\": \"r\","
    "  \"steps\": [{\"name\": \"one\", \"request\": {\"exchange\": \"x\", \"routing_key\": \"do\"},"
    "    \"compensate\": {\"exchange\": \"x\", \"routing_key\": \"undo\"}},"
    "   {\"name\": \"two\", \"request\": {\"routing_key\": \"out\"}}]}}}";

START_TEST(who_handles_messages_stands_between_queues_and_exchanges)
{
	char *drawn = draw(cast, ASCII);
	ck_assert_str_eq(drawn,
	    "q (classic queue)\n"
	    "|--> pass (relay)\n"
	    "|   |-- k --> x (topic exchange)\n"
	    "|   |   `-- # --> out (classic queue)\n"
	    "|   |       |--> back (relay)\n"
	    "|   |       |   `--> r (classic queue)\n"
	    "|   |       |       `-- replies --> w (workflow)\n"
	    "|   |       |           |-- do --> x (topic exchange, see above)\n"
	    "|   |       |           |.. undo ..> x (topic exchange, see above)\n"
	    "|   |       |           `--> out (classic queue, see above)\n"
	    "|   |       `--> help (responder)\n"
	    "|   `-- a\": own --> x (topic exchange, see above)\n"
	    "|--> away (relay)\n"
	    "`-- starts --> w (workflow, see above)\n");
	free(drawn);
}
END_TEST

START_TEST(a_workflow_leads_forward_and_back)
{
	json_t *settings = parse(cast);
	struct topology t;
	struct workflow_list all;
	struct graph g;
	struct buf out = {0};
	ck_assert(topology_read(settings, &t, abort_with, NULL));
	ck_assert(
	    workflow_read(json_object_get(settings, "workflows"), &t, &all, abort_with, NULL));
	graph_init_workflow(&g, &all.items[0]);
	graph_write_mermaid(&g, &out);
	ck_assert_str_eq(out.ptr, "flowchart LR\n"
				  "\tn0[\"q<br>queue\"]\n"
				  "\tn1[\"one<br>step#44; do\"]\n"
				  "\tn2[\"two<br>step#44; out\"]\n"
				  "\tn3(\"one<br>undone#44; undo\")\n"
				  "\tn4([\"completed<br>end\"])\n"
				  "\tn5([\"failed<br>end\"])\n"
				  "\tn0 -->|\"starts\"| n1\n"
				  "\tn1 -->|\"done\"| n2\n"
				  "\tn1 -.->|\"refused\"| n5\n"
				  "\tn1 -.->|\"no reply in 30s\"| n3\n"
				  "\tn2 -->|\"done\"| n4\n"
				  "\tn2 -.->|\"refused#44; or no reply in 30s\"| n3\n"
				  "\tn3 -.->|\"undone\"| n5\n");
	buf_release(&out);
	graph_release(&g);
	workflow_release(&all);
	topology_release(&t);
	json_decref(settings);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("graph");
	TCase *tc = tcase_create("graph");
	tcase_add_test(tc, every_way_is_drawn_in_the_terminal);
	tcase_add_test(tc, poor_terminal_gets_ascii);
	tcase_add_test(tc, names_are_text_in_dot);
	tcase_add_test(tc, names_are_text_in_mermaid);
	tcase_add_test(tc, what_goes_aside_is_dashed);
	tcase_add_test(tc, long_chain_is_drawn_in_pieces);
	tcase_add_test(tc, who_handles_messages_stands_between_queues_and_exchanges);
	tcase_add_test(tc, a_workflow_leads_forward_and_back);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
