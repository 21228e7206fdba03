#include "model/topology.h"

#include "base/mem.h"
#include "json_bench.h"

#include <check.h>
#include <stdlib.h>

static void dump_arguments(const json_t *arguments, struct buf *out)
{
	char *text = json_dumps(arguments, JSON_COMPACT);
	for (char *c = text; *c != '\0'; c++)
		buf_append_char(out, *c == '"' ? '\'' : *c);
	free(text);
}

static void dump(const struct topology *t, struct buf *out)
{
	buf_append_str(out, "");
	for (size_t i = 0; i < t->exchange_count; i++) {
		const struct topology_exchange *e = &t->exchanges[i];
		buf_printf(out, "exchange %s %s%s%s%s%s ", e->name, e->type,
		    e->durable ? " durable" : "", e->auto_delete ? " auto_delete" : "",
		    e->internal ? " internal" : "", e->declared ? "" : " foreign");
		dump_arguments(e->arguments, out);
		buf_append_char(out, '\n');
	}
	for (size_t i = 0; i < t->queue_count; i++) {
		const struct topology_queue *q = &t->queues[i];
		buf_printf(out, "queue %s %s%s%s%s%s%s%s ", q->name, q->type,
		    q->durable ? " durable" : "", q->exclusive ? " exclusive" : "",
		    q->auto_delete ? " auto_delete" : "", q->declared ? "" : " foreign",
		    q->made_for != NULL ? " for " : "", q->made_for != NULL ? q->made_for : "");
		dump_arguments(q->arguments, out);
		buf_append_char(out, '\n');
	}
	for (size_t i = 0; i < t->binding_count; i++) {
		const struct topology_binding *b = &t->bindings[i];
		buf_printf(out, "bind %s to %s %s by '%s' ", b->exchange,
		    b->to_exchange ? "exchange" : "queue", b->destination, b->routing_key);
		dump_arguments(b->arguments, out);
		buf_append_char(out, '\n');
	}
}

static void collect(void *ctx, const char *pointer, const char *text)
{
	buf_printf(ctx, "%s: %s\n", pointer, text);
}

static void read_good(const char *text, struct topology *t)
{
	struct buf problems = {0};
	json_t *settings = read_json(text);
	bool good = topology_read(settings, t, collect, &problems);
	ck_assert_msg(good, "%s: %s", text, good ? "" : problems.ptr);
	ck_assert_uint_eq(problems.len, 0);
	json_decref(settings); /* the topology holds on to nothing of it */
	buf_release(&problems);
}

#define QUORUM "'x-queue-type':'quorum'"
#define CLASSIC "'x-queue-type':'classic'"
#define SAFE_RETURN ",'x-dead-letter-strategy':'at-least-once','x-overflow':'reject-publish'"

static const struct {
	const char *settings, *dump;
} goods[] = {
    {"{}", ""},
    {"{'exchanges': null, 'queues': {}, 'bindings': []}", ""},
    {"{'exchanges': {'a': null, 'b': {'type': 'topic', 'durable': false, 'auto_delete': true, "
     "'internal': true}, 'c': {'type': 'x-consistent-hash', 'arguments': {'hash-header': 'id'}}}}",
	"exchange a direct durable {}\n"
	"exchange b topic auto_delete internal {}\n"
	"exchange c x-consistent-hash durable {'hash-header':'id'}\n"},
    {"{'exchanges': {'z': {'alternate': 'y'}, 'y': {'type': 'fanout', 'alternate': 'amq.topic'}, "
     "'x': {'arguments': {'alternate-exchange': 'z'}}}}",
	"exchange z direct durable {'alternate-exchange':'y'}\n"
	"exchange y fanout durable {'alternate-exchange':'amq.topic'}\n"
	"exchange x direct durable {'alternate-exchange':'z'}\n"},
    {"{'exchanges': {'amq.topic': {'type': 'topic', 'declared': false}, "
     "'theirs': {'declared': false}}}",
	"exchange amq.topic topic durable foreign {}\n"
	"exchange theirs direct durable foreign {}\n"},
    {"{'queues': {'a': null, 'b': {'type': 'quorum'}, 'c': {'type': 'stream'}, "
     "'d': {'durable': false, 'exclusive': true, 'auto_delete': true}, "
     "'e': {'declared': false, 'type': 'quorum'}, 'amq.x': {'declared': false}}}",
	"queue a classic durable {" CLASSIC "}\n"
	"queue b quorum durable {" QUORUM "}\n"
	"queue c stream durable {'x-queue-type':'stream'}\n"
	"queue d classic exclusive auto_delete {" CLASSIC "}\n"
	"queue e quorum durable foreign {" QUORUM "}\n"
	"queue amq.x classic durable foreign {" CLASSIC "}\n"},
    {"{'queues': {'a': {'message_ttl': '1m', 'expires': 1.5, 'max_length': 10, "
     "'max_length_bytes': '1KiB', 'overflow': 'reject-publish-dlx', 'max_priority': 9, "
     "'single_active_consumer': true, 'dead_letter_exchange': 'amq.fanout', "
     "'dead_letter_routing_key': 'k', 'queue_mode': 'lazy', 'queue_version': 2, "
     "'arguments': {'x-own-thing': [1], 'y': 2}}}}",
	"queue a classic durable {" CLASSIC ",'x-message-ttl':60000,'x-expires':1500,"
	"'x-max-length':10,'x-max-length-bytes':1024,'x-overflow':'reject-publish-dlx',"
	"'x-max-priority':9,'x-single-active-consumer':true,"
	"'x-dead-letter-exchange':'amq.fanout','x-dead-letter-routing-key':'k',"
	"'x-queue-mode':'lazy','x-queue-version':2,"
	"'x-own-thing':[1],'y':2}\n"},
    {"{'queues': {'a': {'type': 'quorum', 'delivery_limit': 3, 'dead_letter_exchange': '', "
     "'dead_letter_routing_key': 'b', 'dead_letter_strategy': 'at-least-once', "
     "'overflow': 'reject-publish', 'initial_group_size': 3, 'leader_locator': 'balanced', "
     "'max_in_memory_length': 5, "
     "'max_in_memory_bytes': 6}, 'b': {}}}",
	"queue a quorum durable {" QUORUM ",'x-overflow':'reject-publish',"
	"'x-dead-letter-exchange':'','x-dead-letter-routing-key':'b',"
	"'x-dead-letter-strategy':'at-least-once','x-delivery-limit':3,"
	"'x-quorum-initial-group-size':3,'x-queue-leader-locator':'balanced','x-max-in-memory-"
	"length':5,"
	"'x-max-in-memory-bytes':6}\n"
	"queue b classic durable {" CLASSIC "}\n"},
    {"{'queues': {'a': {'type': 'stream', 'max_age': '7d', 'max_length_bytes': '20GB', "
     "'max_segment_size': '100MB', 'initial_group_size': 1, 'filter_size': 32}, "
     "'b': {'type': 'stream', 'max_age': '3h'}, 'c': {'type': 'stream', 'max_age': 90}, "
     "'d': {'type': 'stream', 'max_age': '120s'}}}",
	"queue a stream durable {'x-queue-type':'stream','x-max-length-bytes':20000000000,"
	"'x-initial-cluster-size':1,'x-max-age':'7D',"
	"'x-stream-max-segment-size-bytes':100000000,'x-stream-filter-size-bytes':32}\n"
	"queue b stream durable {'x-queue-type':'stream','x-max-age':'3h'}\n"
	"queue c stream durable {'x-queue-type':'stream','x-max-age':'90s'}\n"
	"queue d stream durable {'x-queue-type':'stream','x-max-age':'2m'}\n"},
    {"{'queues': {'a': {'type': 'quorum', 'arguments': {'x-quorum-target-group-size': 3, "
     "'x-delivery-limit': -1}}}}",
	"queue a quorum durable {" QUORUM
	",'x-quorum-target-group-size':3,'x-delivery-limit':-1}\n"},
    /* dead_letter */
    {"{'exchanges': {'dlx': {'type': 'fanout'}}, 'queues': {'a': {'dead_letter': 'dlx'}}}",
	"exchange dlx fanout durable {}\n"
	"queue a classic durable {" CLASSIC ",'x-dead-letter-exchange':'dlx'}\n"},
    {"{'queues': {'a': {'dead_letter': 'amq.fanout'}}}",
	"queue a classic durable {" CLASSIC ",'x-dead-letter-exchange':'amq.fanout'}\n"},
    {"{'queues': {'a': {'dead_letter': 'dead'}, 'dead': {'max_length': 5}}}",
	"queue a classic durable {" CLASSIC
	",'x-dead-letter-exchange':'','x-dead-letter-routing-key':'dead'}\n"
	"queue dead classic durable {" CLASSIC ",'x-max-length':5}\n"},
    {"{'queues': {'a': {'type': 'quorum', 'dead_letter': 'dead'}, 'b': {'dead_letter': 'dead'}}}",
	"queue a quorum durable {" QUORUM
	",'x-dead-letter-exchange':'','x-dead-letter-routing-key':'dead'}\n"
	"queue b classic durable {" CLASSIC
	",'x-dead-letter-exchange':'','x-dead-letter-routing-key':'dead'}\n"
	"queue dead quorum durable for a {" QUORUM "}\n"},
    /* retry */
    {"{'queues': {'n': {'type': 'quorum', 'dead_letter': 'dead', "
     "'retry': {'attempts': 5, 'delay': {'from': '1s', 'to': '5s'}}}, 'z': null}}",
	"queue n quorum durable {" QUORUM
	",'x-dead-letter-exchange':'','x-dead-letter-routing-key':'dead'}\n"
	"queue z classic durable {" CLASSIC "}\n"
	"queue dead quorum durable for n {" QUORUM "}\n"
	"queue n.retry.1s quorum durable for n {" QUORUM
	",'x-message-ttl':1000,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'"
	"n'" SAFE_RETURN "}\n"
	"queue n.retry.2s quorum durable for n {" QUORUM
	",'x-message-ttl':2000,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'"
	"n'" SAFE_RETURN "}\n"
	"queue n.retry.4s quorum durable for n {" QUORUM
	",'x-message-ttl':4000,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'"
	"n'" SAFE_RETURN "}\n"
	"queue n.retry.5s quorum durable for n {" QUORUM
	",'x-message-ttl':5000,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'"
	"n'" SAFE_RETURN "}\n"},
    {"{'queues': {'n': {'retry': {'attempts': 1000000, 'delay': '100ms'}}}}",
	"queue n classic durable {" CLASSIC "}\n"
	"queue n.retry.100ms classic durable for n {" CLASSIC
	",'x-message-ttl':100,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'n'}\n"
	"queue n.parked classic durable for n {" CLASSIC "}\n"},
    {"{'queues': {'n': {'retry': {'attempts': 1}}, 'n.parked': {'max_length': 1}}}",
	"queue n classic durable {" CLASSIC "}\n"
	"queue n.parked classic durable {" CLASSIC ",'x-max-length':1}\n"},
    {"{'queues': {'n': {'dead_letter': 'amq.topic', 'retry': {'attempts': 3, "
     "'delay': {'from': '61234ms', 'to': '61235ms'}}}}}",
	"queue n classic durable {" CLASSIC ",'x-dead-letter-exchange':'amq.topic'}\n"
	"queue n.retry.61234ms classic durable for n {" CLASSIC
	",'x-message-ttl':61234,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'n'}\n"
	"queue n.retry.61235ms classic durable for n {" CLASSIC
	",'x-message-ttl':61235,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'n'}\n"},
    {"{'queues': {'n': {'declared': false, 'retry': {'attempts': 2, 'delay': 2}}}}",
	"queue n classic durable foreign {" CLASSIC "}\n"
	"queue n.retry.2s classic durable for n {" CLASSIC
	",'x-message-ttl':2000,'x-dead-letter-exchange':'','x-dead-letter-routing-key':'n'}\n"
	"queue n.parked classic durable for n {" CLASSIC "}\n"},
    /* bindings */
    {"{'exchanges': {'e': null, 'f': {'type': 'fanout'}, 'h': {'type': 'headers'}}, "
     "'queues': {'q': {'dead_letter': 'd'}}, 'bindings': ["
     "{'exchange': 'e', 'queue': 'q', 'routing_key': 'k.#'}, {'exchange': 'e', 'to_exchange': "
     "'f'}, "
     "{'exchange': 'amq.topic', 'queue': 'd', 'arguments': {'a': 1}}, "
     "{'exchange': 'h', 'queue': 'q', 'match': 'any', 'headers': {'format': 'pdf', 'paid': true}}, "
     "{'exchange': 'h', 'queue': 'q', 'headers': {'n': 5}, 'arguments': {'b': null}}, "
     "{'exchange': 'amq.match', 'queue': 'q', 'match': 'all-with-x', 'headers': {'x-a': 1}}, "
     "{'exchange': 'e', 'queue': 'q', 'routing_key': 'k'}]}",
	"exchange e direct durable {}\nexchange f fanout durable {}\n"
	"exchange h headers durable {}\n"
	"queue q classic durable {" CLASSIC
	",'x-dead-letter-exchange':'','x-dead-letter-routing-key':'d'}\n"
	"queue d classic durable for q {" CLASSIC "}\n"
	"bind e to queue q by 'k.#' {}\n"
	"bind e to exchange f by '' {}\n"
	"bind amq.topic to queue d by '' {'a':1}\n"
	"bind h to queue q by '' {'x-match':'any','format':'pdf','paid':true}\n"
	"bind h to queue q by '' {'b':null,'x-match':'all','n':5}\n"
	"bind amq.match to queue q by '' {'x-match':'all-with-x','x-a':1}\n"
	"bind e to queue q by 'k' {}\n"},
};

START_TEST(settings_become_a_topology)
{
	struct topology t;
	struct buf out = {0};
	read_good(goods[_i].settings, &t);
	dump(&t, &out);
	ck_assert_str_eq(out.ptr, goods[_i].dump);
	topology_release(&t);
	ck_assert_ptr_null(t.queues);
	buf_release(&out);
}
END_TEST

#define LONG_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_250 \
	LONG_64 LONG_64 LONG_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_256 LONG_250 "aaaaaa"
#define RESERVED                                                                                   \
	"names that begin with 'amq.' are reserved; with declared: false one that the broker has " \
	"may be used\n"
#define NO_STREAM "is for classic and quorum queues, not for stream ones\n"

static const struct {
	const char *settings, *problems;
} bads[] = {
    /* exchanges */
    {"{'exchanges': {'a': {'type': 'topc'}}}",
	"/exchanges/a/type: 'topc' is no type of exchange; did you mean 'topic'?\n"},
    {"{'exchanges': {'a': {'type': 'queue-like'}}}",
	"/exchanges/a/type: 'queue-like' is no type of exchange; it is direct, topic, fanout, "
	"headers or x-...\n"},
    {"{'exchanges': {'a': {'type': 5, 'durable': 'yes'}}}",
	"/exchanges/a/type: 5 is not a text\n/exchanges/a/durable: 'yes' is not true or false\n"},
    {"{'exchanges': {'': {}}}",
	"/exchanges/~#: the default exchange is always there and cannot be declared\n"},
    {"{'exchanges': {'amq.mine': {}}}", "/exchanges/amq.mine~#: " RESERVED},
    {"{'exchanges': {'" LONG_256 "': {}}}",
	"/exchanges/" LONG_256 "~#: a name of 256 bytes; it may have 255\n"},
    {"{'exchanges': {'a/b~': {'alternate': 'orders'}, 'order': {}}}",
	"/exchanges/a~1b~0/alternate: exchange 'orders' is not declared; did you mean "
	"'order'?\n"},
    {"{'exchanges': {'a': {'alternate': 'amq.topics'}}}",
	"/exchanges/a/alternate: exchange 'amq.topics' is not declared; did you mean "
	"'amq.topic'?\n"},
    {"{'exchanges': {'a': {'alternate': 'nowhere'}}}",
	"/exchanges/a/alternate: exchange 'nowhere' is not declared\n"},
    {"{'exchanges': {'a': {'arguments': {'alternate-exchange': 'nowhere'}}}}",
	"/exchanges/a/arguments/alternate-exchange: exchange 'nowhere' is not declared\n"},
    {"{'exchanges': {'a': {'alternate': 'a', 'arguments': {'alternate-exchange': 'a'}}}}",
	"/exchanges/a/alternate: alternate stands beside arguments.alternate-exchange; keep one "
	"of them\n"},
    {"{'exchanges': {'a': {'arguments': {'alternate-exchnge': 'a'}}}}",
	"/exchanges/a/arguments/alternate-exchnge~#: unknown argument 'alternate-exchnge'; did you "
	"mean 'alternate-exchange'?\n"},
    /* queues */
    {"{'queues': {'': {}}}", "/queues/~#: a queue needs a name\n"},
    {"{'queues': {'amq.q': {}}}", "/queues/amq.q~#: " RESERVED},
    {"{'queues': {'" LONG_256 "': {}}}",
	"/queues/" LONG_256 "~#: a name of 256 bytes; it may have 255\n"},
    {"{'queues': {'a': {'type': 'quorm'}}}",
	"/queues/a/type: 'quorm' is not classic, quorum or stream; did you mean 'quorum'?\n"},
    {"{'queues': {'a': {'type': 'lazy'}}}",
	"/queues/a/type: 'lazy' is not classic, quorum or stream\n"},
    {"{'queues': {'a': {'type': 'quorum', 'durable': false, 'exclusive': true, "
     "'auto_delete': true}}}",
	"/queues/a/durable: a quorum queue is always durable\n"
	"/queues/a/exclusive: a quorum queue cannot be exclusive\n"
	"/queues/a/auto_delete: a quorum queue cannot be auto-deleted\n"},
    {"{'queues': {'a': {'type': 'stream', 'exclusive': true}}}",
	"/queues/a/exclusive: a stream queue cannot be exclusive\n"},
    {"{'queues': {'a': {'type': 'quorum', 'max_priority': 5, 'max_age': '1h'}}}",
	"/queues/a/max_priority~#: max_priority is for classic queues, not for quorum ones\n"
	"/queues/a/max_age~#: max_age is for stream queues, not for quorum ones\n"},
    {"{'queues': {'a': {'type': 'stream', 'message_ttl': '1m'}}}",
	"/queues/a/message_ttl~#: message_ttl " NO_STREAM},
    {"{'queues': {'a': {'delivery_limit': 5, 'initial_group_size': 3}}}",
	"/queues/a/delivery_limit~#: delivery_limit is for quorum queues, not for classic ones\n"
	"/queues/a/initial_group_size~#: initial_group_size is for quorum and stream queues, not "
	"for "
	"classic ones\n"},
    {"{'queues': {'a': {'type': 'stream', 'overflow': 'drop-head'}}}",
	"/queues/a/overflow~#: overflow " NO_STREAM},
    {"{'queues': {'a': {'type': 'quorum', 'overflow': 'reject-publish-dlx'}}}",
	"/queues/a/overflow: 'reject-publish-dlx' is not drop-head or reject-publish; did you mean "
	"'reject-publish'?\n"},
    {"{'queues': {'a': {'message_ttl': '1us', 'expires': 0, 'max_priority': 256, "
     "'max_length': -1, 'max_length_bytes': 'big', 'queue_version': 3, 'queue_mode': 'lasy', "
     "'single_active_consumer': 1}}}",
	"/queues/a/message_ttl: '1us' is not a whole number of milliseconds from 0 to 4294967295\n"
	"/queues/a/expires: 0 is not a whole number of milliseconds from 1 to 4294967295\n"
	"/queues/a/max_length: -1 is not a whole number from 0 to 9223372036854775807\n"
	"/queues/a/max_length_bytes: 'big' is not a size such as 512, 64KiB or 1MB\n"
	"/queues/a/max_priority: 256 is not a whole number from 1 to 255\n"
	"/queues/a/single_active_consumer: 1 is not true or false\n"
	"/queues/a/queue_mode: 'lasy' is not default or lazy; did you mean 'lazy'?\n"
	"/queues/a/queue_version: 3 is not a whole number from 1 to 2\n"},
    {"{'queues': {'a': {'type': 'stream', 'max_age': '1500ms'}, "
     "'b': {'type': 'stream', 'max_age': 0}, 'c': {'type': 'stream', 'max_age': '7D'}}}",
	"/queues/a/max_age: '1500ms' is not a whole number of seconds of at least 1\n"
	"/queues/b/max_age: 0 is not a whole number of seconds of at least 1\n"
	"/queues/c/max_age: '7D' is not a duration such as 250ms, 1s, 2m or 1h\n"},
    {"{'queues': {'a': {'arguments': {'x-mesage-ttl': 5, 'x-max-lenght': 1}}}}",
	"/queues/a/arguments/x-mesage-ttl~#: unknown argument 'x-mesage-ttl'; did you mean "
	"'x-message-ttl'?\n"
	"/queues/a/arguments/x-max-lenght~#: unknown argument 'x-max-lenght'; did you mean "
	"'x-max-length'?\n"},
    {"{'queues': {'a': {'arguments': {'x-queue-type': 'quorum'}}}}",
	"/queues/a/arguments/x-queue-type~#: the type of a queue is written as 'type', not as an "
	"argument\n"},
    {"{'queues': {'a': {'type': 'quorum', 'arguments': {'x-max-priority': 5}}}}",
	"/queues/a/arguments/x-max-priority~#: x-max-priority is for classic queues, not for "
	"quorum "
	"ones\n"},
    {"{'queues': {'a': {'message_ttl': 5, 'arguments': {'x-message-ttl': 5}}}}",
	"/queues/a/arguments/x-message-ttl~#: x-message-ttl is set by message_ttl already; keep "
	"one "
	"of them\n"},
    {"{'queues': {'a': {'arguments': {'x-message-ttl': '10s', 'x-max-priority': 256, "
     "'x-overflow': 'drop', 'x-max-length': null, 'x-single-active-consumer': 1, "
     "'x-dead-letter-exchange': 5, 'x-max-length-bytes': -1, 'x-own': {'$type': 'int12'}}}, "
     "'s': {'type': 'stream', 'arguments': {'x-max-age': 60}}, "
     "'t': {'type': 'stream', 'arguments': {'x-max-age': '7d'}}}}",
	"/queues/a/arguments/x-message-ttl: '10s' is not a whole number from 0 to 4294967295\n"
	"/queues/a/arguments/x-max-priority: 256 is not a whole number from 1 to 255\n"
	"/queues/a/arguments/x-overflow: 'drop' is not drop-head, reject-publish or "
	"reject-publish-dlx\n"
	"/queues/a/arguments/x-max-length: it has no value\n"
	"/queues/a/arguments/x-single-active-consumer: 1 is not true or false\n"
	"/queues/a/arguments/x-dead-letter-exchange: 5 is not a text\n"
	"/queues/a/arguments/x-max-length-bytes: -1 is not a whole number from 0 to "
	"9223372036854775807\n"
	"/queues/a/arguments/x-own: unknown $type 'int12'; accepted: uint8, decimal, int32, "
	"uint64, string, timestamp, int8, double, float, uint32, int64, int16, bool, uint16, "
	"bytes, table\n"
	"/queues/s/arguments/x-max-age: 60 is not an age such as 7D or 12h\n"
	"/queues/t/arguments/x-max-age: '7d' is not an age such as 7D or 12h\n"},
    {"{'exchanges': {'e': {'arguments': {'" LONG_256 "': 1}}}}",
	"/exchanges/e/arguments/" LONG_256 "~#: a name of 256 bytes; it may have 255\n"},
    {"{'queues': {'a': {'declared': false, 'max_length': 5}}}",
	"/queues/a: declared: false only looks whether the queue is there; its arguments would "
	"have no effect\n"},
    /* dead letters */
    {"{'exchanges': {'dead': {}}, 'queues': {'a': {'dead_letter_exchange': 'deat'}}}",
	"/queues/a/dead_letter_exchange: exchange 'deat' is not declared; did you mean 'dead'?\n"},
    {"{'queues': {'a': {'arguments': {'x-dead-letter-exchange': 'dlx'}}}}",
	"/queues/a/arguments/x-dead-letter-exchange: exchange 'dlx' is not declared\n"},
    {"{'queues': {'a': {'dead_letter_exchange': '', 'dead_letter_routing_key': 'b'}}}",
	"/queues/a/dead_letter_routing_key: queue 'b' is not declared; did you mean 'a'?\n"},
    {"{'queues': {'a': {'type': 'quorum', 'dead_letter': 'b', "
     "'dead_letter_strategy': 'at-least-once'}, 'c': {'type': 'quorum', "
     "'overflow': 'reject-publish', 'arguments': {'x-dead-letter-strategy': "
     "'at-least-once'}}}}",
	"/queues/a/dead_letter_strategy: at-least-once needs 'overflow: reject-publish' and a "
	"target for dead letters\n"
	"/queues/c/arguments/x-dead-letter-strategy: at-least-once needs 'overflow: "
	"reject-publish' and a target for dead letters\n"},
    {"{'queues': {'a': {'dead_letter_routing_key': 'b'}}}",
	"/queues/a/dead_letter_routing_key: a routing key for dead letters needs an exchange for "
	"them\n"},
    {"{'queues': {'a': {'arguments': {'x-dead-letter-routing-key': 'b'}}}}",
	"/queues/a/arguments/x-dead-letter-routing-key: a routing key for dead letters needs an "
	"exchange for them\n"},
    {"{'queues': {'a': {'dead_letter': 'b', 'dead_letter_exchange': 'amq.topic'}}}",
	"/queues/a/dead_letter: dead_letter stands beside arguments for dead letters; keep one of "
	"them\n"},
    {"{'queues': {'a': {'dead_letter': 'b', 'arguments': {'x-dead-letter-exchange': ''}}}}",
	"/queues/a/dead_letter: dead_letter stands beside arguments for dead letters; keep one of "
	"them\n"},
    {"{'queues': {'a': {'dead_letter': ''}}}",
	"/queues/a/dead_letter: it names neither an exchange nor a queue\n"},
    {"{'queues': {'a': {'dead_letter': 'a'}}}",
	"/queues/a/dead_letter: dead letters would come back to the same queue\n"},
    {"{'queues': {'a': {'dead_letter': 'amq.topik'}}}",
	"/queues/a/dead_letter: exchange 'amq.topik' is not declared; did you mean 'amq.topic'?\n"},
    {"{'queues': {'a': {'dead_letter': '" LONG_256 "'}}}",
	"/queues/a/dead_letter: it makes a queue with a name of 256 bytes; it may have 255\n"},
    {"{'queues': {'a': {'type': 'stream', 'dead_letter': 'b', 'retry': {'attempts': 2}}}}",
	"/queues/a/dead_letter: dead_letter " NO_STREAM "/queues/a/retry: retry " NO_STREAM},
    /* retry */
    {"{'queues': {'a': {'retry': {'attempts': 0, 'delay': 'x'}}}}",
	"/queues/a/retry/attempts: 0 is not a whole number from 1 to 1000000\n"
	"/queues/a/retry/delay: 'x' is not a duration such as 250ms, 1s, 2m or 1h, or a range "
	"{from: 100ms, to: 2s}\n"},
    {"{'queues': {'a': {'retry': 5}}}",
	"/queues/a/retry: not a mapping such as {attempts: 5, delay: {from: 1s, to: 1m}}\n"},
    {"{'queues': {'a': {'retry': {'delay': '10us'}}}}",
	"/queues/a/retry/delay: the wait must be a whole number of milliseconds from 1 to "
	"4294967295\n"},
    {"{'queues': {'a': {'retry': {'delay': {'from': 2, 'to': 1}}}}}",
	"/queues/a/retry/delay: a range that runs backwards; 'from' is at most 'to'\n"},
    {"{'queues': {'a': {'retry': {'attempts': 2, 'delay': 1}}, 'a.retry.1s': {}}}",
	"/queues/a/retry: it makes the queue 'a.retry.1s', which is written down as well\n"},
    {"{'queues': {'" LONG_250 "': {'retry': {'attempts': 2, 'delay': 1}}}}",
	"/queues/" LONG_250 "/retry: it makes a queue with a name of 259 bytes; it may have 255\n"},
    /* bindings */
    {"{'exchanges': {'order': {}}, 'queues': {'order_notify': {}}, 'bindings': "
     "[{'exchange': 'order', 'queue': 'order_notfy'}]}",
	"/bindings/0/queue: queue 'order_notfy' is not declared; did you mean 'order_notify'?\n"},
    {"{'exchanges': {'order': {}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'oder', 'queue': 'q'}, {'exchange': 'order', 'to_exchange': 'else'}]}",
	"/bindings/0/exchange: exchange 'oder' is not declared; did you mean 'order'?\n"
	"/bindings/1/to_exchange: exchange 'else' is not declared\n"},
    {"{'queues': {'q': {}}, 'bindings': [{'exchange': '', 'queue': 'q'}]}",
	"/bindings/0/exchange: the default exchange cannot be bound; it has every queue under its "
	"name\n"},
    {"{'exchanges': {'e': {}}, 'bindings': [{'exchange': 'e', 'to_exchange': ''}]}",
	"/bindings/0/to_exchange: the default exchange cannot be bound\n"},
    {"{'exchanges': {'e': {}}, 'queues': {'q': {}}, 'bindings': [{'exchange': 'e'}, "
     "{'exchange': 'e', 'queue': 'q', 'to_exchange': 'e'}, {'queue': 'q'}]}",
	"/bindings/0: a binding leads to one 'queue' or one 'to_exchange', and this one to "
	"nothing\n"
	"/bindings/1: a binding leads to one 'queue' or one 'to_exchange', not to both\n"
	"/bindings/2: a binding needs 'exchange', its source\n"},
    {"{'exchanges': {'e': {}}, 'queues': {'q': {}}, 'bindings': [{'exchange': 'e', 'queue': 'q', "
     "'match': 'all', 'headers': {'a': 1}}]}",
	"/bindings/0/match: match is for exchanges of type headers; this one is of type direct\n"
	"/bindings/0/headers: headers is for exchanges of type headers; this one is of type "
	"direct\n"},
    {"{'queues': {'q': {}}, 'bindings': [{'exchange': 'amq.match', 'queue': 'q', 'match': 'al', "
     "'headers': {'x-a': 1, 'x-match': 'any', 'b': 2}, 'arguments': {'b': 3, 'x-match': 'any'}}]}",
	"/bindings/0/match: 'al' is not all, any, all-with-x or any-with-x; did you mean 'all'?\n"
	"/bindings/0: match and headers stand beside arguments.x-match; keep one\n"
	"/bindings/0/headers/x-a~#: headers that begin with 'x-' are not looked at; match: "
	"all-with-x does\n"
	"/bindings/0/headers/x-match~#: x-match is written as 'match', not as a header\n"
	"/bindings/0/headers/b~#: 'b' stands in 'arguments' as well; keep one of them\n"},
    {"{'exchanges': {'e': {}}, 'queues': {'q': {}}, 'bindings': [{'exchange': 'e', 'queue': 'q'}, "
     "{'exchange': 'e', 'queue': 'q', 'routing_key': 'k'}, "
     "{'exchange': 'e', 'queue': 'q', 'routing_key': '', 'arguments': {}}]}",
	"/bindings/2: this binding stands above already\n"},
    {"{'exchanges': {'e': {}}, 'queues': {'q': {}}, 'bindings': [{'exchange': 'e', 'queue': 'q', "
     "'routing_key': '" LONG_256 "'}]}",
	"/bindings/0/routing_key: a routing key of 256 bytes; it may have 255\n"},
    {"{'exchanges': {'e': {'type': 'topic', 'alternate': 'q'}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'q', 'queue': 'e'}, {'exchange': 'e', 'queue': 'q', 'routing_key': '{{a}}'}]}",
	"/exchanges/e/alternate: exchange 'q' is not declared; 'q' is a queue\n"
	"/bindings/0/exchange: exchange 'q' is not declared; 'q' is a queue\n"
	"/bindings/0/queue: queue 'e' is not declared; 'e' is an exchange\n"
	"/bindings/1/routing_key: {{field}} is for messages; the key of a binding is a fixed "
	"text\n"},
    {"{'queues': {'q': {}}, 'bindings': [{'exchange': 'amq.match', 'queue': 'q', 'match': 'any'}, "
     "{'exchange': 'amq.match', 'queue': 'q', 'headers': {'" LONG_256 "': 1, "
     "'b': {'$type': 'int12', 'value': 1}}, 'arguments': {'c': {'$type': 'int8', 'value': 200}}}]}",
	"/bindings/0/match: match: any without headers matches no message\n"
	"/bindings/1/arguments/c: not a whole number from -128 to 127\n"
	"/bindings/1/headers/" LONG_256 "~#: a name of 256 bytes; it may have 255\n"
	"/bindings/1/headers/b: unknown $type 'int12'; accepted: uint8, decimal, int32, uint64, "
	"string, timestamp, int8, double, float, uint32, int64, int16, bool, uint16, bytes, "
	"table\n"},
    /* what is only wrong because of another mistake is not reported */
    {"{'exchanges': {'e': {'type': 'header'}, 'f': {'type': 1}}, 'queues': {'q': {}}, 'bindings': "
     "[{'exchange': 'e', 'queue': 'q', 'match': 'all', 'headers': {'a': 1}}, "
     "{'exchange': 'f', 'queue': 'q', 'match': 'all', 'headers': {'a': 1}}]}",
	"/exchanges/e/type: 'header' is no type of exchange; did you mean 'headers'?\n"
	"/exchanges/f/type: 1 is not a text\n"},
    {"{'queues': {'q': {'type': 5, 'message_ttl': '\\u001b'}}, 'bindings': [{'exchange': "
     "'\\u202e', 'queue': 'q'}]}",
	"/queues/q/type: 5 is not classic, quorum or stream\n"
	"/queues/q/message_ttl: '\\x1b' is not a duration such as 250ms, 1s, 2m or 1h\n"
	"/bindings/0/exchange: exchange '\\u{202e}' is not declared\n"},
};

START_TEST(mistake_is_reported_with_its_place)
{
	struct topology t = {.queue_count = 7};
	struct buf problems = {0};
	json_t *settings = read_json(bads[_i].settings);
	ck_assert_msg(!topology_read(settings, &t, collect, &problems), "%s", bads[_i].settings);
	ck_assert_str_eq(problems.ptr, bads[_i].problems);
	ck_assert_uint_eq(t.queue_count, 0);
	ck_assert_ptr_null(t.queues);
	ck_assert_ptr_null(t.names);
	json_decref(settings);
	buf_release(&problems);
}
END_TEST

START_TEST(exchanges_and_queues_are_found_by_name)
{
	struct topology t;
	read_good("{'exchanges': {'amq.topic': {'declared': false, 'durable': false}}, "
		  "'queues': {'q': {}}}",
	    &t);
	ck_assert_ptr_eq(topology_find_exchange(&t, SLICE("amq.topic")), &t.exchanges[0]);
	ck_assert_str_eq(topology_find_exchange(&t, SLICE("amq.match"))->type, "headers");
	ck_assert_str_eq(topology_find_exchange(&t, SLICE(""))->type, "direct");
	ck_assert_ptr_null(topology_find_exchange(&t, SLICE("q")));
	ck_assert_ptr_eq(topology_find_queue(&t, SLICE("q")), &t.queues[0]);
	ck_assert_ptr_null(topology_find_queue(&t, SLICE("amq.topic")));
	topology_release(&t);
	topology_release(&t);
}
END_TEST

static const struct {
	const char *exchange;
	bool reaches;
} ways[] = {
    {"", true},
    {"direct", true}, /* bound to the queue */
    {"far", true},    /* over loop_a and loop_b */
    {"loop_a", true},
    {"caught", true},  /* by its alternate exchange */
    {"chain", true},   /* the alternate of the alternate */
    {"lonely", false}, /* bound to nothing */
    {"circle", false}, /* bound to itself and back */
    {"circle2", false},
    {"amq.fanout", true},
    {"amq.topic", false},
    {"unknown", false},
};

START_TEST(ways_to_a_queue_are_followed)
{
	struct topology t;
	read_good("{'exchanges': {'direct': {}, 'far': {}, 'loop_a': {}, 'loop_b': {}, "
		  "'caught': {'alternate': 'direct'}, 'chain': {'alternate': 'caught'}, "
		  "'lonely': {}, 'circle': {}, 'circle2': {'alternate': 'circle'}}, "
		  "'queues': {'q': {}}, 'bindings': [{'exchange': 'direct', 'queue': 'q'}, "
		  "{'exchange': 'far', 'to_exchange': 'loop_a'}, "
		  "{'exchange': 'loop_a', 'to_exchange': 'loop_b'}, "
		  "{'exchange': 'loop_b', 'to_exchange': 'loop_a'}, "
		  "{'exchange': 'loop_b', 'to_exchange': 'direct'}, "
		  "{'exchange': 'circle', 'to_exchange': 'circle'}, "
		  "{'exchange': 'circle', 'to_exchange': 'circle2'}, "
		  "{'exchange': 'amq.fanout', 'to_exchange': 'far'}]}",
	    &t);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		ck_assert_msg(
		    topology_reaches_queue(&t, slice_str(ways[i].exchange)) == ways[i].reaches,
		    "%s", ways[i].exchange);
	topology_release(&t);
	read_good("{'exchanges': {'e': {}}}", &t);
	ck_assert(!topology_reaches_queue(&t, SLICE("")));
	ck_assert(!topology_reaches_queue(&t, SLICE("e")));
	topology_release(&t);
}
END_TEST

START_TEST(delay_doubles_up_to_its_end)
{
	static const struct {
		uint64_t n, delay_ms;
	} rows[] = {
	    {1, 1000}, {2, 2000}, {3, 4000}, {6, 32000}, {7, 60000}, {8, 60000}, {1000000, 60000}};
	const struct topology_retry doubling = {5, 1000, 60000}, fixed = {5, 250, 250};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_uint_eq(topology_retry_delay_ms(&doubling, rows[i].n), rows[i].delay_ms);
		ck_assert_uint_eq(topology_retry_delay_ms(&fixed, rows[i].n), 250);
	}
}
END_TEST

START_TEST(retry_policy_is_read_again)
{
	struct topology_retry retry = {7, 7, 7};
	json_t *settings =
	    read_json("{'queues': {'a': {'retry': {'attempts': 3, 'delay': '1.5s'}}, "
		      "'b': {'retry': {}}, 'c': {}, 'd': null, "
		      "'e': {'retry': {'attempts': -1}}}}");
	static const char *const without[] = {"c", "d", "e", "f", ""};
	for (size_t i = 0; i < ARRAY_LEN(without); i++)
		ck_assert(!topology_retry_of(settings, without[i], &retry));
	ck_assert_uint_eq(retry.attempts, 7);
	ck_assert(topology_retry_of(settings, "a", &retry));
	ck_assert_uint_eq(retry.attempts, 3);
	ck_assert_uint_eq(retry.delay_from_ms, 1500);
	ck_assert_uint_eq(retry.delay_to_ms, 1500);
	ck_assert(topology_retry_of(settings, "b", &retry));
	ck_assert_uint_eq(retry.attempts, 5);
	ck_assert_uint_eq(retry.delay_from_ms, 1000);
	ck_assert_uint_eq(retry.delay_to_ms, 60000);
	json_decref(settings);
}
END_TEST

static const struct {
	const char *queue, *exchange, *routing_key; /* NULL: the message's own */
} parkings[] = {
    {"to_queue", "", "dead"},
    {"to_exchange", "dlx", NULL},
    {"to_broker", "amq.topic", NULL},
    {"plain", "", "plain.parked"},
    {"unknown", "", "unknown.parked"},
};

START_TEST(parking_follows_the_dead_letters)
{
	json_t *settings = read_json("{'exchanges': {'dlx': null}, 'queues': {"
				     "'to_queue': {'dead_letter': 'dead'}, "
				     "'to_exchange': {'dead_letter': 'dlx'}, "
				     "'to_broker': {'dead_letter': 'amq.topic'}, 'plain': {}}}");
	for (size_t i = 0; i < ARRAY_LEN(parkings); i++) {
		char *exchange, *routing_key;
		topology_retry_parking(settings, parkings[i].queue, &exchange, &routing_key);
		ck_assert_str_eq(exchange, parkings[i].exchange);
		ck_assert_int_eq(routing_key == NULL, parkings[i].routing_key == NULL);
		if (routing_key != NULL)
			ck_assert_str_eq(routing_key, parkings[i].routing_key);
		free(exchange);
		free(routing_key);
	}
	json_decref(settings);
}
END_TEST

static const struct {
	const char *queue, *exchange,
	    *routing_key; /* NULL: the message's own; or no place at all */
} places[] = {
    {"to_queue", "", "dead"},
    {"to_exchange", "dlx", NULL},
    {"by_arguments", "dlx", "key"},
    {"plain", NULL, NULL},
};

START_TEST(dead_letters_go_where_the_queue_says)
{
	struct topology t;
	json_t *settings = read_json("{'exchanges': {'dlx': null}, 'queues': {"
				     "'to_queue': {'dead_letter': 'dead'}, "
				     "'to_exchange': {'dead_letter': 'dlx'}, "
				     "'by_arguments': {'dead_letter_exchange': 'dlx', "
				     "'dead_letter_routing_key': 'key'}, 'plain': {}}}");
	ck_assert(topology_read(settings, &t, NULL, NULL));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *exchange = NULL, *routing_key = NULL;
		const struct topology_queue *q =
		    topology_find_queue(&t, slice_str(places[i].queue));
		bool found = topology_dead_letters(q, &exchange, &routing_key);
		ck_assert_int_eq(found, places[i].exchange != NULL);
		ck_assert_pstr_eq(exchange, places[i].exchange);
		ck_assert_pstr_eq(routing_key, places[i].routing_key);
	}
	topology_release(&t);
	json_decref(settings);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topology");
	TCase *tc = tcase_create("topology");
	tcase_add_loop_test(tc, settings_become_a_topology, 0, (int)ARRAY_LEN(goods));
	tcase_add_loop_test(tc, mistake_is_reported_with_its_place, 0, (int)ARRAY_LEN(bads));
	tcase_add_test(tc, exchanges_and_queues_are_found_by_name);
	tcase_add_test(tc, ways_to_a_queue_are_followed);
	tcase_add_test(tc, delay_doubles_up_to_its_end);
	tcase_add_test(tc, retry_policy_is_read_again);
	tcase_add_test(tc, parking_follows_the_dead_letters);
	tcase_add_test(tc, dead_letters_go_where_the_queue_says);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
