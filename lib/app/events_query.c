/* One SQL question over the view `events`. */
#include "app/events_private.h"

#include "base/sheet.h"
#include "store/question.h"

/* A signal ends it as it ends any program that only reads: there is nothing to put in order. */
static bool write_answer(struct question *q, enum sheet_format format, struct error *err)
{
	struct sheet *sheet = sheet_create(format, question_names(q), question_width(q));
	const struct sheet_cell *row;
	bool good = true;
	while (good && (row = question_next(q, err)) != NULL)
		good = sheet_add(sheet, row, err);
	good = good && err->kind == ERROR_NONE && sheet_end(sheet, err);
	sheet_free(sheet);
	return good;
}

bool events_query(
    struct tool *tool, const struct events_options *o, char **operands, struct error *err)
{
	if (!events_operands(operands, "query", "SQL, such as 'SELECT count(*) FROM events'", err))
		return false;
	struct store *store = events_open_store(tool, o, STORE_READ, err);
	struct question *q = store != NULL ? question_open(store, operands[0], err) : NULL;
	bool good = q != NULL && write_answer(q, (enum sheet_format)o->format, err);
	question_close(q);
	store_close(store);
	return good;
}
