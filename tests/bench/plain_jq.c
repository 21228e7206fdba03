/*
 * plain_jq - what libjq alone takes for what a relay does with it: parse a body, run the program,
 * write each output. Shares no code with the library.
 *
 *   plain_jq PROGRAM FILE COUNT       FILE has a body a line; they come round until COUNT are done
 *
 * Prints the nanoseconds of the processor a message, compiling left out.
 */
#include <jq.h>
#include <jv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MOST_LINES 100000

struct bodies {
	char *lines[MOST_LINES];
	int lengths[MOST_LINES];
	size_t count;
};

static void read_bodies(const char *path, struct bodies *b)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	FILE *file = fopen(path, "r");
	while (file != NULL && b->count < MOST_LINES &&
	       (length = getline(&line, &capacity, file)) > 0) {
		b->lengths[b->count] = (int)length - (line[length - 1] == '\n');
		b->lines[b->count++] = strdup(line);
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

static uint64_t processor_ns(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) * 1000000000u +
	       ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000u;
}

/* The bytes of the outputs: the work must not be for nothing. */
static size_t run(jq_state *jq, const char *line, int length)
{
	size_t bytes = 0;
	jq_start(jq, jv_parse_sized(line, length), 0);
	for (jv out = jq_next(jq); jv_is_valid(out); out = jq_next(jq)) {
		jv text = jv_dump_string(out, 0);
		bytes += (size_t)jv_string_length_bytes(text);
	}
	return bytes;
}

int main(int argc, char *argv[])
{
	static struct bodies b;
	if (argc != 4)
		return 64;
	read_bodies(argv[2], &b);
	uint64_t count = strtoull(argv[3], NULL, 10), bytes = 0;
	jq_state *jq = jq_init();
	if (b.count == 0 || count == 0 || jq == NULL || !jq_compile(jq, argv[1]))
		return 65;
	uint64_t start = processor_ns();
	for (uint64_t i = 0; i < count; i++)
		bytes += run(jq, b.lines[i % b.count], b.lengths[i % b.count]);
	uint64_t taken = processor_ns() - start;
	jq_teardown(&jq);
	printf("%llu\n", (unsigned long long)(taken / count));
	for (size_t i = 0; i < b.count; i++)
		free(b.lines[i]);
	return bytes > 0 ? 0 : 65;
}
