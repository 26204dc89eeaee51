/*
 * verify_forms: what the files of `audit verify` share. The trail is read by the main thread, a chunk of patch forms at
 * a time; workers check a chunk against SQL, each with a connection of its own, and tell what they found in the order
 * of chunks. Private to src/migrate. Threads: a job belongs to the thread that has it; `out`, `fn` and `ids` to whoever
 * has the turn.
 */
#ifndef SETTLE_MIGRATE_VERIFY_FORMS_H
#define SETTLE_MIGRATE_VERIFY_FORMS_H

#include "audit/audit.h"
#include "base/pct.h"
#include "migrate/patch_case.h"
#include "migrate/pipeline.h"
#include "migrate/verify.h"
#include "sql/tables.h"

#define VERIFY_WORKERS 2
#define VERIFY_CHUNK 200               /* patch forms, */
#define VERIFY_BYTES ((size_t)8 << 20) /* or files of this size together */

struct verify_item { /* a patch form of the trail */
	struct slice form_id, path;
	struct json entry;
	struct slice xml; /* of the trail, or of SQL where the trail keeps digests; SLICE_NONE: none */
	int xml_of_sql;
	struct patch_rows rows; /* what the XML says SQL must hold */
	int readable;
};

struct verify_job {              /* a chunk; everything lives in its arena */
	struct pipeline_job job; /* first: see pipeline.h */
	struct verify *v;
	struct sql_target *target; /* of the worker */
	struct arena arena;
	size_t bytes; /* of the files of its items */
	struct {
		struct verify_item *v;
		size_t n, cap;
	} items;
	struct {
		struct slice *v;
		size_t n, cap;
	} findings;
	struct slice *untold; /* of the items: why it cannot be told, or SLICE_NONE */
	int64_t from_trail, from_sql;
};

struct verify {
	const struct migrate_env *env;
	verify_fn *fn;
	void *ctx;
	struct verify_result *out;
	struct sql_target *targets[VERIFY_WORKERS];
	struct audit *trail;
	int no_trail;
	struct slice no_trail_why;
	struct arena arena;
	struct audit_cursor *files;
	struct audit_file file; /* read, and not yet in a job */
	int has_file;
	struct id_sorter *ids; /* of the forms in the trail */
};

void verify_found(struct verify *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
void verify_job_found(struct verify_job *j, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Every patch form of the trail against SQL. */
MUST_CHECK int verify_trail_forms(struct verify *v, struct err *err);
/* Is every patch form of SQL in the trail? */
MUST_CHECK int verify_sql_forms(struct verify *v, struct err *err);
/* Every form of the job, row by row, and its case or plain document (verify_rows.c). Sorts the items by form id. */
MUST_CHECK int verify_rows(struct verify_job *j, struct err *err);
/* Those of plain documents among them, and the rows they set (verify_documents.c). */
MUST_CHECK int verify_documents(struct verify_job *j, struct err *err);
/* The job's cases, once the forms are read (verify_cases.c). */
MUST_CHECK int verify_cases(struct verify_job *j, struct err *err);
/* The first column in which two rows differ, or NULL. */
const char *verify_differing_column(const struct sql_table *t, const struct sql_row *wanted, const struct sql_row *held,
				    struct arena *a);
/* Does a form of the trail agree with itself? (verify_item.c) xml_of_sql: what SQL holds, or SLICE_NONE. */
void verify_item(struct verify_job *j, struct verify_item *item, struct slice xml_of_sql);
/* Does its diff block give back what was before, when the case after it was this? */
void verify_block(struct verify_job *j, const struct verify_item *item, const struct json *after);
/* Is this the case that the trail says was there after the patch? */
int verify_is_after(struct verify_job *j, const struct verify_item *item, const struct json *after);

#endif
