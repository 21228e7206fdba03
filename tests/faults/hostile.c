/*
 * hostile - a fake AMQP broker that does one thing wrong.
 *
 *   hostile SCENARIO      plays it to one tool after another
 *   hostile fuzz SEED     good sessions whose bytes are damaged; by SEED, SEED + 1, ...
 *   hostile --list        the scenarios
 *
 * Prints "PORT\n", serves 127.0.0.1 until it is killed, and prints a line when it comes to its
 * deed, so that a test need not guess.
 */
#include "deeds.h"
#include "mutate.h"

#include "base/mem.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct scenario *const tables[] = {deeds_of_session, deeds_of_content};

static bool at_moment(struct peer *p, enum moment moment)
{
	const struct scenario *s = p->ctx;
	if (moment != s->moment)
		return false;
	printf("%s\n", s->name);
	fflush(stdout);
	return s->deed(p);
}

static int start_listening(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
		perror("listen");
		exit(1);
	}
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

static void serve(int listener, const struct scenario *scenario, uint64_t seed)
{
	struct mutate mutate;
	for (;; seed++) {
		int on = 1;
		struct peer p = {.fd = accept(listener, NULL, NULL), .ctx = (void *)scenario};
		if (p.fd < 0)
			continue;
		setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (scenario != NULL)
			p.at = at_moment;
		else
			mutate_session(&mutate, &p, seed);
		peer_serve(&p);
		close(p.fd);
	}
}

static const struct scenario *find(const char *name)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct scenario *s = tables[t]; s->name != NULL; s++)
			if (strcmp(name, s->name) == 0)
				return s;
	return NULL;
}

static void list(void)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct scenario *s = tables[t]; s->name != NULL; s++)
			printf("%s\n", s->name);
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	uint64_t seed = 0;
	const struct scenario *scenario = argc > 1 ? find(argv[1]) : NULL;
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	bool fuzz = argc == 3 && strcmp(argv[1], "fuzz") == 0 &&
		    num_parse_u64(slice_str(argv[2]), 0, UINT64_MAX, &seed, &err);
	if (scenario == NULL && !fuzz) {
		fprintf(stderr, "hostile SCENARIO | fuzz SEED | --list\n");
		return 64;
	}
	serve(start_listening(), scenario, seed);
}
