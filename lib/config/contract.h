/*
 * contract.h - what the bodies of messages have to look like: a JSON Schema out of a file, together
 * with the files that it refers to.
 *
 * A relative $ref is the name of a file, seen from the one that it stands in (or from its $id, as
 * if that were where the file is), in the same folder or below. Such files are read when the
 * contract is; nothing else is, and nothing is fetched. `format` is asserted.
 */
#ifndef CONFIG_CONTRACT_H
#define CONFIG_CONTRACT_H

#include "base/slice.h"
#include "schema/schema.h"

#define CONTRACT_MAX_BYTES (4u << 20) /* of one file */
#define CONTRACT_MAX_FILES 100

struct contract;

/* ERROR_NO_INPUT when the file cannot be read; ERROR_SETTINGS when it is no JSON, no good schema,
 * or when a $ref of it leads nowhere. NULL on failure. */
struct contract *contract_load(const char *path, struct error *err);
void contract_free(struct contract *c);

/* Its $id, or the name of the file without folders; borrowed. */
const char *contract_name(const struct contract *c);

/* A copy of the schema that has the files it refers to under its $defs, and no $id of theirs, so
 * that references stay within it; those to anchors in other files do not. To json_decref. */
json_t *contract_bundle(const struct contract *c);

/* A JSON text as the contract reads it, of any type: integers beyond 64 bits become reals, a key
 * that stands twice is a mistake. NULL with ERROR_DATA and why. */
json_t *contract_parse(struct slice text, struct error *err);

/*
 * Judges a body. What is not JSON is one finding at "", with an empty schema pointer and keyword.
 * True when there is no finding; false without one when it cannot be judged (as schema_validate),
 * with the cause in err.
 */
bool contract_judge(const struct contract *c, struct slice body, schema_report_fn *report,
    void *ctx, struct error *err) MUST_CHECK;

#endif
