#include "lab/attend.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/child.h"
#include "lab/session.h"
#include "lab/wait.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS (10 * CHRONO_S) /* for a command that was told to stop */

/* A tethered lab and the signals of this process, which come through a descriptor. */
struct attendance {
	struct session session;
	int signals;
	sigset_t before;
	struct state state;
	int interrupted_by; /* the signal that came before the lab was ready; 0 for none */
};

static bool take_signals(struct attendance *a, struct error *err)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	sigset_t wanted;
	sigemptyset(&wanted);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		sigaddset(&wanted, taken[i]);
	sigprocmask(SIG_BLOCK, &wanted, &a->before);
	a->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals >= 0 ||
	       error_set(err, ERROR_UNAVAILABLE, "cannot watch signals: %s", strerror(errno));
}

/* The next signal that came, within the deadline; false when there is none. */
static bool next_signal(struct attendance *a, uint64_t deadline_ns, struct signalfd_siginfo *out)
{
	return wait_one(a->signals, POLLIN, deadline_ns) &&
	       read(a->signals, out, sizeof *out) == (ssize_t)sizeof *out;
}

/* Waits for the lab, or for a signal that asks us to end. */
static bool await_ready(struct attendance *a, uint64_t deadline_ns, struct error *err)
{
	for (;;) {
		enum session_answer answer;
		struct signalfd_siginfo info;
		if (!session_await(&a->session, deadline_ns, a->signals, &answer, err))
			return false;
		if (answer == SESSION_TAKEN)
			return error_set(err, ERROR_UNAVAILABLE,
			    "a lab runs already in this folder; take it down first, or name "
			    "another one with --dir");
		if (answer == SESSION_READY)
			return true;
		if (next_signal(a, 0, &info) && info.ssi_signo != SIGCHLD) {
			a->interrupted_by = (int)info.ssi_signo;
			return true;
		}
	}
}

static bool begin(
    struct attendance *a, const struct lab_options *options, bool in_sight, struct error *err)
{
	uint64_t limit_ns = chrono_after(options->wait_ns, 2 * GRACE_NS);
	struct session_plan plan;
	if (!lab_plan(options, &plan, err) || !take_signals(a, err))
		return false;
	plan.tethered = true;
	plan.in_sight = in_sight;
	return session_open(&plan, &a->session, err) &&
	       await_ready(a, chrono_after(chrono_now_ns(), limit_ns), err) &&
	       (a->interrupted_by != 0 || state_read(options->dir, &a->state, err));
}

static void end(struct attendance *a)
{
	session_close(&a->session);
	if (a->signals < 0)
		return;
	close(a->signals);
	sigprocmask(SIG_SETMASK, &a->before, NULL);
}

/* True when the supervisor has ended by itself. */
static bool lab_has_ended(struct attendance *a)
{
	struct pollfd polled = {.fd = a->session.lifeline, .events = POLLIN};
	return wait_any(&polled, 1, 0);
}

bool attend_person(
    const struct lab_options *options, attend_ready_fn *ready, void *ctx, struct error *err)
{
	struct attendance a = {.signals = -1};
	struct signalfd_siginfo info;
	bool good = begin(&a, options, true, err);
	if (good && a.interrupted_by == 0) {
		ready(ctx, &a.state);
		while (next_signal(&a, CHRONO_NEVER, &info) && info.ssi_signo == SIGCHLD)
			if (lab_has_ended(&a))
				break;
		if (lab_has_ended(&a))
			good = error_set(err, ERROR_UNAVAILABLE, "the lab has ended");
	}
	end(&a);
	return good;
}

static void set_variables(const struct state *state, const char *dir)
{
	struct state_variable variables[STATE_VARIABLE_COUNT];
	state_variables(state, dir, variables);
	for (size_t i = 0; i < STATE_VARIABLE_COUNT; i++)
		if (variables[i].value != NULL)
			setenv(variables[i].name, variables[i].value, 1);
	state_variables_release(variables);
}

/* Passes signals on until the command has ended, at the latest some time after the first of them.
 */
static int attend(struct attendance *a, pid_t command)
{
	uint64_t deadline_ns = CHRONO_NEVER;
	int wait_status;
	while (waitpid(command, &wait_status, WNOHANG) == 0) {
		struct signalfd_siginfo info;
		if (!next_signal(a, deadline_ns, &info)) {
			kill(command, SIGKILL);
			deadline_ns = CHRONO_NEVER;
			continue;
		}
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_code != SI_KERNEL) /* the terminal tells the command itself */
			kill(command, (int)info.ssi_signo);
		if (deadline_ns == CHRONO_NEVER)
			deadline_ns = chrono_after(chrono_now_ns(), GRACE_NS);
	}
	return child_exit_status(wait_status);
}

static bool run(struct attendance *a, char *const command[], int *out_status, struct error *err)
{
	pid_t pid;
	const struct child_spec spec = {.argv = command, .death_signal = SIGTERM};
	if (!child_start(&spec, &pid, err)) {
		*out_status = errno == ENOENT ? 127 : 126;
		return false;
	}
	*out_status = attend(a, pid);
	return true;
}

static bool run_in(
    const struct lab_options *options, char *const command[], int *out_status, struct error *err)
{
	struct attendance a = {.signals = -1};
	bool good = begin(&a, options, false, err);
	if (good && a.interrupted_by != 0)
		*out_status = 128 + a.interrupted_by;
	else if (good) {
		set_variables(&a.state, options->dir);
		good = run(&a, command, out_status, err);
	}
	end(&a);
	return good;
}

/* A private folder, to be released with free(); NULL when it cannot be made. */
static char *make_temporary(struct error *err)
{
	const char *base = getenv("TMPDIR");
	char *dir = mem_printf("%s/warren-lab-XXXXXX", base && base[0] == '/' ? base : "/tmp");
	if (mkdtemp(dir) != NULL)
		return dir;
	int cause = errno;
	char *shown = text_quote(slice_str(dir));
	error_set(err, ERROR_CANNOT_CREATE, "cannot create '%s': %s", shown, strerror(cause));
	free(shown);
	free(dir);
	return NULL;
}

bool attend_command(
    const struct lab_options *options, char *const command[], int *out_status, struct error *err)
{
	if (options->dir != NULL)
		return run_in(options, command, out_status, err);
	char *dir = make_temporary(err);
	if (dir == NULL)
		return false;
	struct lab_options temporary = *options;
	temporary.dir = dir;
	bool good = run_in(&temporary, command, out_status, err), was_running;
	struct error ignored = {0}; /* the first failure counts */
	good = lab_down(dir, &was_running, good ? err : &ignored) && good;
	(void)rmdir(dir); /* there only when the lab never began */
	free(dir);
	return good;
}
