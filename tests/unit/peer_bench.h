/* peer_bench.h - a broker for the tests of connections: a child process that logs a client in, or
 * does something else. */
#ifndef TESTS_UNIT_PEER_BENCH_H
#define TESTS_UNIT_PEER_BENCH_H

#include "base/mem.h"
#include "broker/frames.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void peer_fn(int fd);

static pid_t peer_pid;
static int peer_listener; /* in the child: for one that takes a further connection */

/* Listens on a free port, serves one connection in a child, and returns the address. */
static inline char *start_peer(peer_fn *serve)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	peer_pid = fork();
	if (peer_pid == 0) {
		signal(SIGALRM, SIG_DFL); /* Check's own kills all of us */
		alarm(20);
		peer_listener = fd;
		serve(accept(fd, NULL, NULL));
		_exit(0);
	}
	close(fd);
	return mem_printf("amqp://guest:s3cr3t@127.0.0.1:%u", ntohs(a.sin_port));
}

static inline void stop_peer(void)
{
	kill(peer_pid, SIGKILL);
	waitpid(peer_pid, NULL, 0);
}

static inline void read_some(int fd)
{
	char bytes[4096];
	if (read(fd, bytes, sizeof bytes) <= 0)
		_exit(0);
}

static inline void send_method(int fd, uint16_t channel, uint32_t id, void *method)
{
	struct buf out = {0};
	struct error err = {0};
	if (!frames_put_method(&out, channel, id, method, 4096, &err) ||
	    write(fd, out.ptr, out.len) != (ssize_t)out.len)
		_exit(1);
	buf_release(&out);
}

static inline void greet(int fd)
{
	amqp_connection_start_t start = {
	    0, 9, {0}, amqp_cstring_bytes("PLAIN AMQPLAIN"), amqp_cstring_bytes("en_US")};
	read_some(fd);
	send_method(fd, 0, AMQP_CONNECTION_START_METHOD, &start);
	read_some(fd);
}

static inline void log_in(int fd)
{
	amqp_connection_tune_t tune = {2047, 131072, 60};
	amqp_connection_open_ok_t open_ok = {{0, NULL}};
	greet(fd);
	send_method(fd, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
	read_some(fd);
	send_method(fd, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &open_ok);
}

#endif
