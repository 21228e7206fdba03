#include "app/locate.h"

#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of that name is none: settings/chat holds what settings/chat.yaml sends. */
static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_path(const char *source)
{
	return strchr(source, '/') != NULL || strcmp(source, "-") == 0 || is_file(source);
}

/* The installed lessons: share/warren beside the bin/ that this program lies in, wherever that is.
 */
char *locate_installed(void)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	if (len < 0)
		return mem_strdup("/usr/local/share/warren/settings");
	program[len] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(program, '/');
		if (slash != NULL)
			*slash = '\0';
	}
	return mem_printf("%s/share/warren/settings", program);
}

/* The file of that name in a folder, with or without its ending; NULL when there is none. */
static char *find_in(const char *folder, const char *name)
{
	static const char *const endings[] = {"", ".yaml", ".yml"};
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		char *path = mem_printf("%s/%s%s", folder, name, endings[i]);
		if (is_file(path))
			return path;
		free(path);
	}
	return NULL;
}

char *locate_settings(const char *source, struct error *err)
{
	if (is_path(source))
		return mem_strdup(source);
	char *installed = locate_installed();
	char *path = find_in("settings", source);
	if (path == NULL)
		path = find_in(installed, source);
	if (path == NULL) {
		char *shown = text_quote(slice_str(source)),
		     *where = text_quote(slice_str(installed));
		error_set(err, ERROR_NO_INPUT,
		    "no settings '%s': neither a file nor a name in settings/ or %s", shown, where);
		free(shown);
		free(where);
	}
	free(installed);
	return path;
}

char *locate_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? mem_strdup(".") : mem_strndup(path, (size_t)(slash - path) + 1);
}

char *locate_below(const char *directory, const char *name)
{
	size_t len = strlen(directory);
	if (name[0] == '/' || strcmp(directory, ".") == 0)
		return mem_strdup(name);
	return mem_printf(
	    "%s%s%s", directory, len > 0 && directory[len - 1] != '/' ? "/" : "", name);
}
