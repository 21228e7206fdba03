/* The tables of a store, and which layout of them a file has. */
#include "base/chrono.h"
#include "store/store_private.h"

#include <string.h>
#include <time.h>

#define TURN_PATIENCE_NS (30 * CHRONO_S)
#define TURN_STEP_NS (5 * CHRONO_MS)
#define APPLICATION_ID 0x57724576 /* "WrEv", in bytes 68 to 71 of the file */
#define VERSION 3

#define STRING(number) #number
#define DECIMAL(number) STRING(number)

/* Marks: handled.h. Layout 1 had none. */
#define HANDLED_TABLE                                                                      \
	"CREATE TABLE handled (scope TEXT, number INTEGER, mark BLOB NOT NULL, at INTEGER" \
	" NOT NULL, PRIMARY KEY (scope, number)) STRICT, WITHOUT ROWID;"
/* Answers: answers.h. Layouts 1 and 2 had none. */
#define ANSWER_TABLE                                                                           \
	"CREATE TABLE answer (scope TEXT NOT NULL, number INTEGER NOT NULL, upto INTEGER NOT " \
	"NULL,"                                                                                \
	" size INTEGER NOT NULL, content_type TEXT, content_encoding TEXT, type TEXT,"         \
	" headers BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (scope, number)) STRICT;"
#define SET_VERSION "PRAGMA user_version = " DECIMAL(VERSION) ";"

/*
 * Only the view is for others. An event is never changed; whoever tries, in whatever tool, is told.
 * body is a text when it is UTF-8 without NUL, so that SQL can look into it, and a blob otherwise.
 * verify compares these very words: other ones are another VERSION.
 */
static const char schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, what TEXT NOT NULL, done INTEGER NOT NULL,"
    " sent_to INTEGER NOT NULL, holder INTEGER NOT NULL) STRICT, WITHOUT ROWID;" /* cursors.h */
    "CREATE TABLE event ("
    " position INTEGER PRIMARY KEY,"
    " received INTEGER NOT NULL," /* microseconds since 1970 */
    " redelivered INTEGER NOT NULL,"
    " queue TEXT,"
    " stream_offset INTEGER,"
    " exchange TEXT NOT NULL,"
    " routing_key TEXT NOT NULL,"
    " id TEXT, type TEXT, source TEXT, subject TEXT, version INTEGER, time TEXT,"
    " properties TEXT NOT NULL,"
    " body ANY NOT NULL,"
    " data TEXT," /* of a structured CloudEvent */
    " hash BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE ids (hash INTEGER, position INTEGER, PRIMARY KEY (hash, position))"
    " STRICT, WITHOUT ROWID;" /* these two: see tail.h */
    "CREATE TABLE streams (subject TEXT, version INTEGER, position INTEGER NOT NULL,"
    " PRIMARY KEY (subject, version)) STRICT, WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('key', randomblob(16)), ('indexed', 0);"
    "CREATE UNIQUE INDEX event_offset ON event (queue, stream_offset)"
    " WHERE stream_offset IS NOT NULL;"
    "CREATE TABLE snapshot (" /* snapshots.h */
    " reducer BLOB NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL,"
    " version INTEGER NOT NULL, hash BLOB NOT NULL, state TEXT NOT NULL, seal BLOB NOT NULL,"
    " owner TEXT,"
    " PRIMARY KEY (reducer, stream, position)) STRICT;"
    "CREATE TABLE projection (" /* projection.h */
    " name TEXT PRIMARY KEY, reducer BLOB NOT NULL, position INTEGER NOT NULL,"
    " hash BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER event_update BEFORE UPDATE ON event"
    " BEGIN SELECT raise(ABORT, 'an event is never changed'); END;"
    "CREATE TRIGGER event_delete BEFORE DELETE ON event"
    " BEGIN SELECT raise(ABORT, 'an event is never deleted'); END;"
    "CREATE VIEW events AS SELECT position,"
    " strftime('%Y-%m-%dT%H:%M:%S', received / 1000000, 'unixepoch')"
    " || printf('.%06dZ', received % 1000000) AS received,"
    " redelivered, queue, stream_offset, exchange, routing_key,"
    " id, type, source, subject, version, time,"
    " properties, json_extract(properties, '$.headers') AS headers, body,"
    " CASE WHEN data IS NOT NULL THEN data"
    " WHEN typeof(body) = 'text' AND json_valid(body) THEN body END AS data,"
    " lower(hex(hash)) AS hash FROM event;" HANDLED_TABLE ANSWER_TABLE
    "PRAGMA application_id = " DECIMAL(APPLICATION_ID) ";" SET_VERSION;

enum file_kind { FILE_EMPTY, FILE_OURS };

static bool look_at_file(struct store *store, enum file_kind *kind, struct error *err)
{
	int64_t application = 0, version = 0, tables = 0;
	/* all of one moment: another process may be making it, and the table comes first, for
	 * pragmas alone begin nothing */
	bool good = store_exec(store, "SAVEPOINT look", err) &&
		    store_read_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err) &&
		    store_read_number(store, "PRAGMA application_id", &application, err) &&
		    store_read_number(store, "PRAGMA user_version", &version, err);
	struct error ignored = {0}; /* without one there is none to end */
	IGNORE_RESULT(store_exec(store, "RELEASE look", good ? err : &ignored));
	if (!good)
		return false;
	*kind = application == APPLICATION_ID ? FILE_OURS : FILE_EMPTY;
	if (*kind == FILE_EMPTY && (application != 0 || version != 0 || tables != 0))
		return error_set(err, ERROR_DATA,
		    "'%s' is a database of something else, not an event store", store->shown);
	if (*kind == FILE_OURS && (version < 1 || version > VERSION))
		return error_set(err, ERROR_DATA,
		    "store '%s' has layout %lld; this warren knows " DECIMAL(VERSION), store->shown,
		    (long long)version);
	store->layout = version;
	return true;
}

static bool read_key(struct store *store, struct error *err)
{
	bool row = false;
	sqlite3_stmt *statement =
	    store_prepare(store, "SELECT value FROM meta WHERE name = 'key'", err);
	bool good = statement != NULL && store_step(store, statement, &row, err);
	struct slice key = row ? store_column(statement, 0) : (struct slice){0};
	if (key.len == sizeof store->key)
		memcpy(store->key, key.ptr, sizeof store->key);
	else if (good)
		good = error_set(
		    err, ERROR_DATA, "store '%s' is damaged: its key is missing", store->shown);
	sqlite3_finalize(statement);
	return good;
}

/* Large pages: an event is a few hundred bytes, and each page costs two writes to the log. The log
 * is there also when another tool has taken it away: readers and writers would wait for each other.
 */
static bool use_log(struct store *store, struct error *err)
{
	const uint64_t end_ns = chrono_after(chrono_now_ns(), TURN_PATIENCE_NS);
	if (store->mode == STORE_READ)
		return true;
	/* SQLite does not wait for its turn here: two that change the mode of a new file would wait
	 * for each other */
	while (!store_exec(store, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL", err)) {
		if (err->kind != ERROR_UNAVAILABLE || chrono_now_ns() > end_ns)
			return false;
		error_clear(err);
		(void)nanosleep(&(struct timespec){.tv_nsec = TURN_STEP_NS}, NULL);
	}
	return true;
}

/* Two may come at the same time: the second finds it done. */
static bool make_schema(struct store *store, struct error *err)
{
	enum file_kind kind;
	if (!use_log(store, err) || !store_begin(store, err))
		return false;
	bool good = look_at_file(store, &kind, err) &&
		    (kind == FILE_OURS || store_exec(store, schema, err));
	return store_end(store, good, err);
}

/* One of an earlier layout is read as it is, and gets what it lacks when it is opened for writing.
 */
static bool bring_up(struct store *store, struct error *err)
{
	enum file_kind kind;
	if (store->mode == STORE_READ || store->layout == VERSION)
		return true;
	if (!store_begin(store, err))
		return false;
	bool good = look_at_file(store, &kind, err) &&
		    (store->layout >= 2 || store_exec(store, HANDLED_TABLE, err)) &&
		    (store->layout >= 3 || store_exec(store, ANSWER_TABLE SET_VERSION, err));
	good = store_end(store, good, err);
	store->layout = good ? VERSION : store->layout;
	return good;
}

bool store_lay_out(struct store *store, struct error *err)
{
	enum file_kind kind;
	if (!look_at_file(store, &kind, err))
		return false;
	if (kind == FILE_OURS)
		return use_log(store, err) && bring_up(store, err) && read_key(store, err);
	if (store->mode == STORE_CREATE)
		return make_schema(store, err) && read_key(store, err);
	return error_set(err, ERROR_DATA, "'%s' is empty, not an event store", store->shown);
}
