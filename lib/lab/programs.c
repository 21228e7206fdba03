#include "lab/programs.h"

#include "base/mem.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "warren-"

char *programs_beside(const char *tool)
{
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length < 0)
		return mem_strdup(tool); /* who starts it looks in PATH */
	program[length] = '\0';
	char *name = strrchr(program, '/') + 1;
	bool has_prefix = strncmp(name, PREFIX, strlen(PREFIX)) == 0;
	return mem_printf(
	    "%.*s%s%s", (int)(name - program), program, has_prefix ? PREFIX : "", tool);
}

/* A variable such as WARREN_COUNT would change what the tools of the lesson do. */
void programs_lead_to(const char *url)
{
	extern char **environ;
	for (char **variable = environ; *variable != NULL;) {
		size_t length = strcspn(*variable, "=");
		if (strncmp(*variable, "WARREN_", 7) != 0) {
			variable++;
			continue;
		}
		char *name = mem_strndup(*variable, length);
		unsetenv(name); /* closes the gap */
		free(name);
	}
	setenv("AMQP_URL", url, 1);
	setenv("WARREN_URL", url, 1); /* comes before what the settings say */
}
