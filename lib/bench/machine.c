#include "bench/machine.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* "model name : AMD ..." of /proc/cpuinfo; "" where it says nothing. To free(). */
static char *cpu_name(void)
{
	char line[512], *name = NULL;
	FILE *file = fopen("/proc/cpuinfo", "re");
	while (file != NULL && name == NULL && fgets(line, sizeof line, file) != NULL) {
		char *colon = strchr(line, ':');
		if (colon == NULL || strncmp(line, "model name", 10) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		name = mem_strdup(colon + 1 + strspn(colon + 1, " "));
	}
	if (file != NULL)
		(void)fclose(file); /* was only read */
	return name != NULL ? name : mem_strdup("");
}

json_t *machine_describe(void)
{
	struct utsname system;
	char *cpu = cpu_name();
	json_int_t memory = (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	if (uname(&system) != 0)
		memset(&system, 0, sizeof system);
	char *name = mem_printf("%s %s %s", system.sysname, system.release, system.machine);
	json_t *machine = json_pack("{s:s, s:i, s:s, s:I}", "system", name, "cpus",
	    (int)sysconf(_SC_NPROCESSORS_ONLN), "cpu", cpu, "memory_bytes", memory);
	free(name);
	free(cpu);
	return machine;
}
