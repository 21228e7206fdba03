#include "lab/programs.h"

#include "base/mem.h"

#include <limits.h>
#include <stdbool.h>
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
