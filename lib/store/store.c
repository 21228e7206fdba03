#include "store/store_private.h"

#include "base/chrono.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/topic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_NS (30 * CHRONO_S)

/* ---- failures ---- */

static enum error_kind kind_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERROR_UNAVAILABLE;
	case SQLITE_ERROR: /* our SQL is right, so the tables are not */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return ERROR_DATA;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_TOOBIG:
		return ERROR_IO;
	default:
		return ERROR_INTERNAL;
	}
}

bool store_fail(struct store *store, struct error *err)
{
	int cause = errno; /* sqlite3_system_errno tells only why a file was not opened */
	int code = sqlite3_extended_errcode(store->db);
	char *said = text_quote(slice_str(sqlite3_errmsg(store->db)));
	if ((code & 0xff) == SQLITE_BUSY)
		error_set(err, ERROR_UNAVAILABLE,
		    "store '%s': another process writes to it all the time", store->shown);
	else if ((code & 0xff) == SQLITE_IOERR && cause != 0)
		error_set(
		    err, kind_of(code), "store '%s': %s: %s", store->shown, said, strerror(cause));
	else
		error_set(err, kind_of(code), "store '%s': %s", store->shown, said);
	free(said);
	return false;
}

/* ---- statements ---- */

sqlite3_stmt *store_prepare(struct store *store, const char *sql, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	errno = 0;
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
	    SQLITE_OK)
		store_fail(store, err);
	return statement;
}

bool store_exec(struct store *store, const char *sql, struct error *err)
{
	errno = 0;
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       store_fail(store, err);
}

bool store_step(struct store *store, sqlite3_stmt *statement, bool *row, struct error *err)
{
	errno = 0;
	int code = sqlite3_step(statement);
	*row = code == SQLITE_ROW;
	if (*row)
		return true;
	bool good = code == SQLITE_DONE || store_fail(store, err);
	sqlite3_reset(statement);
	return good;
}

bool store_run(struct store *store, sqlite3_stmt *statement, struct error *err)
{
	bool row = true;
	while (row)
		if (!store_step(store, statement, &row, err))
			return false;
	return true;
}

bool store_read_number(struct store *store, const char *sql, int64_t *out, struct error *err)
{
	bool row = false;
	sqlite3_stmt *statement = store_prepare(store, sql, err);
	bool good = statement != NULL && store_step(store, statement, &row, err);
	*out = row ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return good;
}

bool store_begin(struct store *store, struct error *err)
{
	return store_exec(store, "BEGIN IMMEDIATE", err);
}

bool store_end(struct store *store, bool good, struct error *err)
{
	struct error ignored = {
	    0}; /* the first failure is the cause; some have undone it already */
	if (good && store_exec(store, "COMMIT", err))
		return true;
	IGNORE_RESULT(
	    sqlite3_get_autocommit(store->db) != 0 || store_exec(store, "ROLLBACK", &ignored));
	return false;
}

void store_bind_text(sqlite3_stmt *statement, int index, struct slice text)
{
	if (text.ptr == NULL)
		sqlite3_bind_null(statement, index);
	else
		sqlite3_bind_text64(
		    statement, index, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void store_bind_blob(sqlite3_stmt *statement, int index, struct slice bytes)
{
	if (bytes.ptr == NULL)
		sqlite3_bind_zeroblob(statement, index, 0);
	else
		sqlite3_bind_blob64(statement, index, bytes.ptr, bytes.len, SQLITE_STATIC);
}

void store_bind_u64(sqlite3_stmt *statement, int index, uint64_t number)
{
	sqlite3_bind_int64(statement, index, (sqlite3_int64)number);
}

struct slice store_column(sqlite3_stmt *statement, int index)
{
	if (sqlite3_column_type(statement, index) == SQLITE_NULL)
		return (struct slice){0};
	const char *bytes = sqlite3_column_blob(statement, index);
	size_t len = (size_t)sqlite3_column_bytes(statement, index);
	return (struct slice){bytes != NULL ? bytes : "", len};
}

uint64_t store_column_u64(sqlite3_stmt *statement, int index)
{
	return (uint64_t)sqlite3_column_int64(statement, index);
}

/* ---- opening ---- */

/* topic_matches(PATTERN, KEY), for the filters and for whoever asks in SQL. */
static void topic_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	const char *pattern = (const char *)sqlite3_value_text(values[0]);
	const char *key = (const char *)sqlite3_value_text(values[1]);
	if (pattern != NULL && key != NULL)
		sqlite3_result_int(context, topic_matches(pattern, key));
}

int64_t store_hash(const struct store *store, struct slice id)
{
	return (int64_t)siphash_128(store->key, id).low;
}

static void hash_function(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	const struct store *store = sqlite3_user_data(context);
	const char *id = (const char *)sqlite3_value_text(values[0]);
	struct slice text = {id, (size_t)sqlite3_value_bytes(values[0])};
	if (id != NULL)
		sqlite3_result_int64(context, store_hash(store, text));
}

/* SQLite would make it with the rights that umask leaves, and through a link. */
static bool make_file(const struct store *store, struct error *err)
{
	int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	else if (errno != EEXIST)
		return error_set(err, ERROR_CANNOT_CREATE, "cannot make store '%s': %s",
		    store->shown, strerror(errno));
	return true;
}

static bool check_file(struct store *store, struct error *err)
{
	struct stat file;
	if (stat(store->path, &file) != 0)
		return error_set(err, ERROR_NO_INPUT, "cannot open store '%s': %s", store->shown,
		    strerror(errno));
	if (!S_ISREG(file.st_mode))
		return error_set(
		    err, ERROR_NO_INPUT, "store '%s' is not a regular file", store->shown);
	store->device = file.st_dev;
	store->inode = file.st_ino;
	int access_mode = store->mode == STORE_READ ? R_OK : R_OK | W_OK;
	if (access(store->path, access_mode) != 0)
		return error_set(err, ERROR_NO_INPUT, "cannot open store '%s': %s", store->shown,
		    strerror(errno));
	return true;
}

/* `name` of SQLite: "" is a temporary file. */
static bool open_named(struct store *store, const char *name, struct error *err)
{
	int flags = store->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int code = sqlite3_open_v2(
	    name, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		return store_fail(store, err);
	store_set_patience(store, PATIENCE_NS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_create_function_v2(store->db, "topic_matches", 2,
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, topic_function, NULL, NULL,
	    NULL);
	sqlite3_create_function_v2(store->db, "id_hash", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
	    store, hash_function, NULL, NULL, NULL);
	return store_exec(store,
	    store->mode == STORE_READ
		? "PRAGMA query_only = 1; PRAGMA cell_size_check = 1; PRAGMA cache_size = -65536"
		: "PRAGMA synchronous = FULL; PRAGMA cell_size_check = 1;"
		  "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8192",
	    err);
}

static bool open_database(struct store *store, struct error *err)
{
	/* neither a URI nor ":memory:" */
	char *name =
	    store->path[0] == '/' ? mem_strdup(store->path) : mem_printf("./%s", store->path);
	bool good = open_named(store, name, err);
	free(name);
	return good;
}

static bool prepare(struct store *store, struct error *err)
{
	return (store->mode != STORE_CREATE || make_file(store, err)) && check_file(store, err) &&
	       open_database(store, err) && store_lay_out(store, err);
}

static struct store *create(const char *path, enum store_mode mode)
{
	/* a mutex an allocation; the first call counts */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	struct store *store = mem_alloc(1, sizeof *store);
	store->path = mem_strdup(path);
	store->shown = text_quote(slice_str(path));
	store->mode = mode;
	return store;
}

static struct store *close_unless(struct store *store, bool good)
{
	if (good)
		return store;
	store_close(store);
	return NULL;
}

struct store *store_open(const char *path, enum store_mode mode, struct error *err)
{
	struct store *store = create(path, mode);
	return close_unless(store, prepare(store, err));
}

struct store *store_open_temporary(const char *name, struct error *err)
{
	struct store *store = create(name, STORE_CREATE);
	return close_unless(store, open_named(store, "", err) &&
				       store_exec(store, "PRAGMA synchronous = OFF", err) &&
				       store_lay_out(store, err));
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	sqlite3_close_v2(store->db);
	free(store->path);
	free(store->shown);
	free(store);
}

bool store_is_there(struct store *store, struct error *err)
{
	struct stat file;
	if (store->inode == 0)
		return true;
	bool is_same = stat(store->path, &file) == 0 && file.st_dev == store->device &&
		       file.st_ino == store->inode;
	return is_same || error_set(err, ERROR_IO,
			      "store '%s' was removed or replaced while it was open", store->shown);
}

const char *store_path(const struct store *store)
{
	return store->shown;
}

void store_set_patience(struct store *store, uint64_t ns)
{
	uint64_t ms = ns / CHRONO_MS;
	sqlite3_busy_timeout(store->db, ms < INT_MAX ? (int)ms : INT_MAX);
}

bool store_changes(struct store *store, uint64_t *out, struct error *err)
{
	int64_t version;
	if (!store_read_number(store, "PRAGMA data_version", &version, err))
		return false;
	*out = (uint64_t)version;
	return true;
}

bool store_head(struct store *store, uint64_t *position, unsigned char *hash, struct error *err)
{
	static const char sql[] = "SELECT position, hash FROM event ORDER BY position DESC LIMIT 1";
	bool row = false;
	sqlite3_stmt *statement = store_prepare(store, sql, err);
	bool good = statement != NULL && store_step(store, statement, &row, err);
	*position = row ? store_column_u64(statement, 0) : 0;
	memset(hash, 0, STORE_HASH_BYTES);
	struct slice found = row ? store_column(statement, 1) : (struct slice){0};
	if (found.len == STORE_HASH_BYTES)
		memcpy(hash, found.ptr, STORE_HASH_BYTES);
	if (row && (*position == 0 || *position > STORE_MAX_POSITION))
		good = error_set(err, ERROR_DATA,
		    "store '%s' is damaged: its last event stands at position %lld, where none can",
		    store->shown, (long long)*position);
	sqlite3_finalize(statement);
	return good;
}
