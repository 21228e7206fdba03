/*
 * measure - runs a command and tells what it took.
 *
 *   measure FILE SECONDS COMMAND...
 *
 * Writes "pid=N" to FILE when it has begun, and at its end "status=S ms=M kib=K" behind: the exit
 * status (128 + the number of a signal; "late" when it was killed after SECONDS), wall time, and
 * the most memory it had.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char *argv[])
{
	if (argc < 4) {
		fprintf(stderr, "measure FILE SECONDS COMMAND...\n");
		return 64;
	}
	FILE *out = fopen(argv[1], "we");
	if (out == NULL) {
		perror(argv[1]);
		return 73;
	}
	long long begun_ms = now_ms();
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	fprintf(out, "pid=%d", (int)pid);
	fflush(out);
	struct pollfd end = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
	int late = end.fd < 0 || poll(&end, 1, (int)strtol(argv[2], NULL, 10) * 1000) <= 0;
	struct rusage usage = {0};
	int status = 0;
	if (late)
		kill(pid, SIGKILL);
	wait4(pid, &status, 0, &usage);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(out, late ? " status=late" : " status=%d", code);
	fprintf(out, " ms=%lld kib=%ld\n", now_ms() - begun_ms, usage.ru_maxrss);
	fclose(out);
	return code;
}
