#include "model/probe.h"

#include <endian.h>
#include <string.h>

#define MAGIC_AT 12
#define MAGIC_BYTES 4

/* The entries of a field table: a short string, a type, a value. Shown with their lengths. */
static const char time_entry[] = "\x09timestampl";		       /* then 8 bytes */
static const char probe_entry[] = "\x0cwarren-probex\x00\x00\x00\x30"; /* then PROBE_BYTES */
#define TIME_ENTRY_BYTES (sizeof time_entry - 1)
#define PROBE_ENTRY_BYTES (sizeof probe_entry - 1)

_Static_assert(
    sizeof time_entry - 1 + 8 + sizeof probe_entry - 1 + PROBE_BYTES == PROBE_HEADER_BYTES,
    "the header has this many bytes");

static const char *const magics[] = {[PROBE_MONOTONIC] = "wrnM", [PROBE_WALL] = "wrnW"};

static void put32(char *out, uint32_t value)
{
	value = htobe32(value);
	memcpy(out, &value, sizeof value);
}

static void put64(char *out, uint64_t value)
{
	value = htobe64(value);
	memcpy(out, &value, sizeof value);
}

static uint32_t get32(const char *in)
{
	uint32_t value;
	memcpy(&value, in, sizeof value);
	return be32toh(value);
}

static uint64_t get64(const char *in)
{
	uint64_t value;
	memcpy(&value, in, sizeof value);
	return be64toh(value);
}

static uint64_t perftest_time(const struct probe *p)
{
	return p->clock == PROBE_WALL ? p->sent_ns / 1000000 : p->sent_ns;
}

void probe_write(const struct probe *p, char out[PROBE_BYTES])
{
	put32(out, (uint32_t)p->sequence);
	put64(out + 4, perftest_time(p));
	memcpy(out + MAGIC_AT, magics[p->clock], MAGIC_BYTES);
	put32(out + 16, p->run);
	put32(out + 20, p->publisher);
	put64(out + 24, p->sequence);
	put64(out + 32, p->due_ns);
	put64(out + 40, p->sent_ns);
}

void probe_write_header(const struct probe *p, char out[PROBE_HEADER_BYTES])
{
	memcpy(out, time_entry, TIME_ENTRY_BYTES);
	out += TIME_ENTRY_BYTES;
	put64(out, perftest_time(p));
	out += 8;
	memcpy(out, probe_entry, PROBE_ENTRY_BYTES);
	probe_write(p, out + PROBE_ENTRY_BYTES);
}

static bool read_bytes(struct slice bytes, struct probe *out)
{
	if (bytes.len < PROBE_BYTES)
		return false;
	const char *magic = bytes.ptr + MAGIC_AT;
	if (memcmp(magic, magics[PROBE_MONOTONIC], MAGIC_BYTES) == 0)
		out->clock = PROBE_MONOTONIC;
	else if (memcmp(magic, magics[PROBE_WALL], MAGIC_BYTES) == 0)
		out->clock = PROBE_WALL;
	else
		return false;
	out->run = get32(bytes.ptr + 16);
	out->publisher = get32(bytes.ptr + 20);
	out->sequence = get64(bytes.ptr + 24);
	out->due_ns = get64(bytes.ptr + 32);
	out->sent_ns = get64(bytes.ptr + 40);
	return true;
}

/* Wherever it stands in the table: its name, type and length are not said by chance. */
static bool read_header(struct slice table, struct probe *out)
{
	if (table.len < PROBE_ENTRY_BYTES + PROBE_BYTES)
		return false;
	const char *at = memmem(table.ptr, table.len, probe_entry, PROBE_ENTRY_BYTES);
	if (at == NULL)
		return false;
	at += PROBE_ENTRY_BYTES;
	return read_bytes((struct slice){at, (size_t)(table.ptr + table.len - at)}, out);
}

bool probe_read(const struct message *m, struct probe *out)
{
	return read_bytes(m->body, out) ||
	       ((m->present & MESSAGE_HEADERS) != 0 && read_header(m->headers, out));
}

/* The time that PerfTest puts into a header when the body is not its own. */
static bool read_timestamp(const struct message *m, uint64_t *time)
{
	if ((m->present & MESSAGE_HEADERS) == 0 || m->headers.len == 0)
		return false;
	const char *end = m->headers.ptr + m->headers.len;
	const char *at = memmem(m->headers.ptr, m->headers.len, time_entry, TIME_ENTRY_BYTES);
	if (at == NULL || (size_t)(end - at) < PROBE_PERFTEST_HEADER_BYTES)
		return false;
	*time = get64(at + TIME_ENTRY_BYTES);
	return true;
}

bool probe_read_perftest(const struct message *m, enum probe_clock clock, struct probe *out)
{
	uint64_t time = 0;
	uint32_t sequence = 0;
	if (!read_timestamp(m, &time)) {
		if (m->body.len < PROBE_PERFTEST_BYTES)
			return false;
		sequence = get32(m->body.ptr);
		time = get64(m->body.ptr + 4);
	}
	uint64_t sent_ns = clock == PROBE_WALL ? time * 1000000 : time;
	*out = (struct probe){
	    .clock = clock, .sequence = sequence, .due_ns = sent_ns, .sent_ns = sent_ns};
	return true;
}
