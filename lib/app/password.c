#include "app/password.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define MAX_BYTES 4096
#define OTHERS 077 /* of a file's mode */
/* Where containers have their secrets, for everybody inside to read: there are no others. */
#define CONTAINER_SECRETS "/run/secrets/"

void password_free(char *password)
{
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
}

/* ---- a file ---- */

static void warn_exposed(const char *path, const char *what, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || (st->st_mode & OTHERS) == 0 ||
	    strncmp(path, CONTAINER_SECRETS, strlen(CONTAINER_SECRETS)) == 0)
		return;
	char *name = text_quote(slice_str(path));
	log_write(LOG_WARNING, "the %s '%s' is open to others (mode %03o); chmod 600 closes it",
	    what, name, (unsigned)(st->st_mode & 0777));
	free(name);
}

void password_warn_exposed(const char *path, const char *what)
{
	struct stat st;
	if (stat(path, &st) == 0)
		warn_exposed(path, what, &st);
}

/* Up to the end of the first line; returns what was read, or -1 with errno. */
static ssize_t read_line(int fd, char *line, size_t size)
{
	size_t got = 0;
	while (got < size && (got == 0 || memchr(line, '\n', got) == NULL)) {
		ssize_t n = read(fd, line + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Cuts the line out of what was read; NULL when that is none that can be a password. */
static const char *cut_line(char *text, size_t len)
{
	char *end = memchr(text, '\n', len);
	if (end == NULL && len == MAX_BYTES)
		return "its first line is too long";
	if (end == NULL)
		end = text + len;
	if (end > text && end[-1] == '\r')
		end--;
	*end = '\0';
	if (end == text)
		return "its first line is empty";
	return strlen(text) == (size_t)(end - text) ? NULL : "a NUL byte in its first line";
}

/* Why it cannot be used. A secret of a container has the owner and the mode that it has outside,
 * where nobody expects another user to read it. */
static void explain(
    const char *path, const char *what, const char *fault, bool denied, struct error *err)
{
	char *name = text_quote(slice_str(path)), *owner = NULL;
	struct stat st;
	if (denied && stat(path, &st) == 0)
		owner = mem_printf("; it is user %u's, mode %03o, and we are user %u",
		    (unsigned)st.st_uid, (unsigned)(st.st_mode & 0777), (unsigned)geteuid());
	error_set(err, ERROR_NO_INPUT, "cannot use the %s '%s': %s%s", what, name, fault,
	    owner != NULL ? owner : "");
	free(owner);
	free(name);
}

char *password_from_file(const char *path, const char *what, struct error *err)
{
	char *line = mem_alloc(MAX_BYTES + 1, 1);
	const char *fault = NULL;
	struct stat st = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 && fstat(fd, &st) == 0 ? read_line(fd, line, MAX_BYTES) : -1;
	bool denied = len < 0 && errno == EACCES;
	if (len < 0)
		fault = strerror(errno);
	else
		fault = cut_line(line, (size_t)len);
	if (fault == NULL) {
		warn_exposed(path, what, &st);
	} else {
		explain(path, what, fault, denied, err);
		explicit_bzero(line, MAX_BYTES);
		free(line);
		line = NULL;
	}
	if (fd >= 0)
		close(fd);
	return line;
}

/* ---- the terminal ---- */

/* Ends the wait for an answer; it is raised again once the terminal is as it was. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU};

struct terminal {
	int fd;
	int signal_fd;
	sigset_t before;
	struct termios mode;
};

static bool open_terminal(struct terminal *t, struct error *err)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0 || tcgetattr(t->fd, &t->mode) != 0)
		return error_set(err, ERROR_NO_INPUT,
		    "cannot ask for the password: no terminal (%s); --password-file reads it from "
		    "a file",
		    strerror(errno));
	t->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signal_fd < 0)
		return error_set(err, ERROR_IO, "cannot wait for signals: %s", strerror(errno));
	sigprocmask(SIG_BLOCK, &set, &t->before);
	return true;
}

static void close_terminal(const struct terminal *t)
{
	if (t->signal_fd >= 0) {
		sigprocmask(SIG_SETMASK, &t->before, NULL);
		close(t->signal_fd);
	}
	if (t->fd >= 0)
		close(t->fd);
}

/* The number of the signal that came, or 0 when there is an answer to read. */
static int wait_answer(const struct terminal *t)
{
	struct pollfd polled[] = {
	    {.fd = t->signal_fd, .events = POLLIN}, {.fd = t->fd, .events = POLLIN}};
	struct signalfd_siginfo info;
	while (poll(polled, ARRAY_LEN(polled), -1) < 0 && errno == EINTR)
		;
	return read(t->signal_fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo
									      : 0;
}

static void show(const struct terminal *t, const char *text)
{
	ssize_t ignored = write(t->fd, text, strlen(text));
	(void)ignored; /* a terminal that is gone gives no answer either */
}

/* One try: the length of the answer, or -1 with errno; *signal_number is 0 unless one came. */
static ssize_t ask_once(
    const struct terminal *t, const char *prompt, char *line, int *signal_number)
{
	struct termios silent = t->mode;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON | ISIG;
	ssize_t len = -1;
	if (tcsetattr(t->fd, TCSAFLUSH, &silent) != 0)
		return -1;
	show(t, prompt);
	*signal_number = wait_answer(t);
	if (*signal_number == 0)
		len = read_line(t->fd, line, MAX_BYTES);
	int cause = errno;
	tcsetattr(t->fd, TCSAFLUSH, &t->mode);
	show(t, "\n");
	errno = cause;
	return len;
}

/* Lets the signal do what it does; true when we go on behind it. */
static bool pass_on(int number)
{
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

char *password_ask(const char *prompt, struct error *err)
{
	struct terminal t = {.fd = -1, .signal_fd = -1};
	char *line = mem_alloc(MAX_BYTES + 1, 1);
	const char *fault = NULL;
	bool interrupted = false;
	bool good = open_terminal(&t, err);
	for (bool again = good; again;) {
		int number = 0;
		ssize_t len = ask_once(&t, prompt, line, &number);
		again = number != 0 && pass_on(number);
		interrupted = number != 0;
		if (number == 0 && len < 0)
			fault = strerror(errno);
		else if (number == 0)
			fault = len == 0 ? "no answer" : cut_line(line, (size_t)len);
	}
	close_terminal(&t);
	if (good && !interrupted && fault == NULL)
		return line;
	explicit_bzero(line, MAX_BYTES);
	free(line);
	if (good && interrupted)
		error_set(err, ERROR_UNAVAILABLE, "interrupted before the password was given");
	else if (good)
		error_set(err, ERROR_NO_INPUT, "cannot ask for the password: %s", fault);
	return NULL;
}
