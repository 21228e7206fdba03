/*
 * collector.c - test instrument: a collector of OTLP/HTTP spans.
 *
 *   collector FOLDER SCHEMA ANSWER...
 *
 * Prints its port, then takes connections until it is killed. Request after request gets the next
 * ANSWER, the last one for ever: 200, 400, 503, 503:2 (Retry-After), 200+100 (after 100 ms), hang
 * (nothing), partial:3 (200, but three spans were rejected). In FOLDER: `taken`, the bodies that
 * got 200, a line each; `asked`, the head of each request; `faults`, what the schema has against a
 * body.
 */
#include "base/buf.h"
#include "schema/schema.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct collector {
	const char *folder;
	struct schema *schema;
	char **answers;
	int answer_count;
	_Atomic int *asked; /* shared by all that serve */
};

/* One write, so that several may do so at a time. */
static void add_line(const struct collector *c, const char *file, struct slice text)
{
	char path[4096];
	struct buf line = {0};
	snprintf(path, sizeof path, "%s/%s", c->folder, file);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	buf_append(&line, text);
	buf_append_char(&line, '\n');
	if (fd < 0 || write(fd, line.ptr, line.len) != (ssize_t)line.len)
		_exit(EXIT_FAILURE);
	close(fd);
	buf_release(&line);
}

static void add_finding(void *ctx, const struct schema_finding *f)
{
	struct buf text = {0};
	buf_printf(&text, "%s: %s (%s)", f->instance, f->text, f->schema);
	add_line(ctx, "faults", buf_slice(&text));
	buf_release(&text);
}

static void judge(struct collector *c, struct slice body)
{
	json_error_t where;
	struct error err = {0};
	json_t *root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &where);
	if (root == NULL)
		add_line(c, "faults", slice_str(where.text));
	else if (!schema_validate(c->schema, root, add_finding, c, &err) && err.kind != ERROR_NONE)
		add_line(c, "faults", slice_str(err.text));
	json_decref(root);
}

/* False at the end of the connection. */
static bool read_more(int fd, struct buf *in)
{
	ssize_t got = read(fd, buf_reserve(in, 65536), 65536);
	if (got <= 0)
		return false;
	buf_truncate(in, in->len + (size_t)got);
	return true;
}

/* Where the body begins, and its length; false at the end of the connection. */
static bool read_request(int fd, struct buf *in, size_t *head, size_t *body)
{
	const char *end;
	while (in->len == 0 || (end = strstr(in->ptr, "\r\n\r\n")) == NULL)
		if (!read_more(fd, in))
			return false;
	const char *length = strcasestr(in->ptr, "\r\nContent-Length:");
	*head = (size_t)(end - in->ptr) + 4;
	*body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
	while (in->len < *head + *body)
		if (!read_more(fd, in))
			return false;
	return true;
}

static void answer(int fd, const char *how)
{
	char body[128] = "{}", extra[64] = "", text[512];
	char *rest;
	int status = (int)strtol(how, &rest, 10);
	if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	if (strncmp(how, "partial:", 8) == 0) {
		status = 200;
		snprintf(body, sizeof body,
		    "{\"partialSuccess\":{\"rejectedSpans\":\"%s\",\"errorMessage\":\"no\"}}",
		    how + 8);
	} else if (*rest == '+') {
		poll(NULL, 0, (int)strtol(rest + 1, NULL, 10));
	} else if (*rest == ':') {
		snprintf(extra, sizeof extra, "Retry-After: %s\r\n", rest + 1);
	}
	int len = snprintf(text, sizeof text,
	    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
	    status, extra, strlen(body), body);
	if (write(fd, text, (size_t)len) != len)
		_exit(EXIT_FAILURE);
}

static void serve(struct collector *c, int fd)
{
	struct buf in = {0};
	size_t head, body;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* one that hangs would stay behind */
	while (read_request(fd, &in, &head, &body)) {
		int number = (*c->asked)++;
		const char *how =
		    c->answers[number < c->answer_count ? number : c->answer_count - 1];
		add_line(c, "asked", (struct slice){in.ptr, head - 4});
		judge(c, (struct slice){in.ptr + head, body});
		if (strncmp(how, "200", 3) == 0 || strncmp(how, "partial", 7) == 0)
			add_line(c, "taken", (struct slice){in.ptr + head, body});
		answer(fd, how);
		buf_consume(&in, head + body);
	}
	_exit(EXIT_SUCCESS);
}

int main(int argc, char *argv[])
{
	struct error err = {0};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	json_t *schema = argc > 3 ? json_load_file(argv[2], 0, NULL) : NULL;
	struct collector c = {.folder = argv[1], .answers = argv + 3, .answer_count = argc - 3};
	c.asked =
	    mmap(NULL, sizeof *c.asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (schema == NULL || (c.schema = schema_create(schema, 0, &err)) == NULL ||
	    c.asked == MAP_FAILED || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		fprintf(stderr, "collector FOLDER SCHEMA ANSWER... %s\n", err.text);
		return EXIT_FAILURE;
	}
	signal(SIGCHLD, SIG_IGN);
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (client >= 0 && fork() == 0)
			serve(&c, client);
		if (client >= 0)
			close(client);
	}
}
