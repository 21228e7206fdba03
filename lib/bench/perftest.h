/* perftest.h - reads a command line of RabbitMQ's PerfTest and writes our settings for its load. */
#ifndef BENCH_PERFTEST_H
#define BENCH_PERFTEST_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Appends YAML with a section `bench` (and `broker` when an address is given): what the command
 * line says, and where PerfTest's own defaults are others than ours, those. What has no counterpart
 * becomes a comment at the end, and so does the equivalent command line of bench. Passwords stand
 * in `broker` alone, *** elsewhere.
 *
 * The line is split by the quoting of a POSIX shell, nothing is expanded; the words that start
 * PerfTest (java -jar perf-test.jar, docker run ... pivotalrabbitmq/perf-test) are stepped over.
 * Options are read as PerfTest does: -x1, -x 1, -x=1, --producers 1, --producers=1, -producers 1,
 * unique beginnings, letters in one word, and of an option given twice the first.
 *
 * ERROR_USAGE, and nothing appended, for what PerfTest would not run, naming the word and its
 * number from 1: unknown options, missing or malformed values, combinations that it refuses.
 */
bool perftest_translate(const char *command_line, struct buf *yaml, struct error *err) MUST_CHECK;

#endif
