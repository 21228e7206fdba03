#include "lab/certificates.h"

#include "base/mem.h"
#include "lab/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SAID_BYTES 300

/* Of our own, so that the system's openssl.cnf does not matter. */
static const char config[] = "[req]\n"
			     "distinguished_name = name\n"
			     "[name]\n"
			     "[ca]\n"
			     "basicConstraints = critical, CA:true\n"
			     "keyUsage = critical, keyCertSign, cRLSign\n"
			     "[server]\n"
			     "basicConstraints = CA:false\n"
			     "extendedKeyUsage = serverAuth\n"
			     "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1\n"
			     "[client]\n"
			     "basicConstraints = CA:false\n"
			     "extendedKeyUsage = clientAuth\n";

static bool write_config(const char *folder, struct error *err)
{
	char *path = mem_printf("%s/openssl.cnf", folder);
	FILE *file = mkdir(folder, 0700) == 0 ? fopen(path, "wxe") : NULL;
	bool good = file != NULL && fputs(config, file) >= 0;
	if (file != NULL && fclose(file) != 0)
		good = false;
	free(path);
	return good || error_set(err, ERROR_CANNOT_CREATE,
			   "cannot create the folder of the certificates: %s", strerror(errno));
}

static bool run(const struct child_spec *spec, struct error *err)
{
	pid_t pid;
	int status = 0;
	if (!child_start(spec, &pid, err))
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (child_exit_status(status) == 0)
		return true;
	struct buf said = {0};
	child_log_tail(spec->log, SAID_BYTES, &said);
	error_set(err, ERROR_CANNOT_CREATE, "cannot make certificates: %s",
	    said.ptr != NULL ? said.ptr : "openssl said nothing");
	buf_release(&said);
	return false;
}

/* Makes NAME.key and NAME.pem, which the authority signs, or itself when that is what is made. */
static bool make(const char *folder, const char *name, const char *subject, struct error *err)
{
	char *key = mem_printf("%s.key", name), *cert = mem_printf("%s.pem", name);
	char *log = mem_printf("%s/openssl.log", folder);
	const char *words[] = {"openssl", "req", "-x509", "-config", "openssl.cnf", "-extensions",
	    name, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
	    "-out", cert, "-days", "30", "-subj", subject, "-CA", "ca.pem", "-CAkey", "ca.key",
	    NULL};
	struct child_words argv = {0};
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], "-CA") == 0 && strcmp(name, "ca") == 0)
			break;
		child_words_take(&argv, mem_strdup(words[i]));
	}
	const struct child_spec spec = {.argv = argv.items,
	    .folder = folder,
	    .log = log,
	    .death_signal = SIGKILL,
	    .own_group = true};
	bool good = run(&spec, err);
	child_words_release(&argv);
	free(key);
	free(cert);
	free(log);
	return good;
}

bool certificates_make(const char *dir, struct error *err)
{
	char *folder = mem_printf("%s/" CERTIFICATES_FOLDER, dir);
	bool good = write_config(folder, err) && make(folder, "ca", "/CN=warren lab", err) &&
		    make(folder, "server", "/CN=localhost", err) &&
		    make(folder, "client", "/CN=guest", err);
	free(folder);
	return good;
}
