#include "lab/scratch.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "WARREN_STORE"

char *scratch_make(struct error *err)
{
	const char *above = getenv("TMPDIR");
	char *folder = mem_printf(
	    "%s/warren-lesson-XXXXXX", above != NULL && above[0] == '/' ? above : "/tmp");
	if (mkdtemp(folder) == NULL) {
		error_set(err, ERROR_CANNOT_CREATE, "cannot make a folder for the lesson: %s",
		    strerror(errno));
		free(folder);
		return NULL;
	}
	char *store = mem_printf("%s/events.db", folder);
	setenv(VARIABLE, store, 1);
	free(store);
	return folder;
}

void scratch_remove(char *folder)
{
	if (folder == NULL)
		return;
	unsetenv(VARIABLE);
	DIR *dir = opendir(folder);
	for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL;
	     entry = readdir(dir))
		unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." stay */
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
	free(folder);
}
