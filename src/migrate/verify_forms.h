/* verify_forms: what the files of `audit verify` share. Private to src/migrate. Threads: the main thread. */
#ifndef SETTLE_MIGRATE_VERIFY_FORMS_H
#define SETTLE_MIGRATE_VERIFY_FORMS_H

#include "audit/audit.h"
#include "base/pct.h"
#include "migrate/patch_case.h"
#include "migrate/verify.h"
#include "sql/tables.h"

#define VERIFY_CHUNK 500

struct verify_item { /* a patch form of the trail */
	struct slice form_id, path;
	struct json entry;
	struct slice xml;       /* of the trail, or of SQL where the trail keeps digests; SLICE_NONE: none */
	struct patch_rows rows; /* what the XML says SQL must hold */
	int readable;
};

struct verify {
	const struct migrate_env *env;
	verify_fn *fn;
	void *ctx;
	struct verify_result *out;
	struct sql_target *target;
	struct audit *trail;
	int no_trail;
	struct slice no_trail_why;
	struct arena all, chunk; /* for the whole, and for the chunk at hand */
	struct {
		struct slice *v;
		size_t n, cap;
	} ids; /* form ids of the trail */
	struct {
		struct verify_item *v;
		size_t n, cap;
	} items; /* of the chunk */
};

void verify_found(struct verify *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Every patch form of the trail against SQL. */
MUST_CHECK int verify_trail_forms(struct verify *v, struct err *err);
/* Is every patch form of SQL in the trail? */
MUST_CHECK int verify_sql_forms(struct verify *v, struct err *err);
/* Every form of the chunk, row by row, and its case or plain document. */
MUST_CHECK int verify_chunk_rows(struct verify *v, struct err *err);
/* Those of plain documents among them, and the rows they set. */
MUST_CHECK int verify_chunk_documents(struct verify *v, struct err *err);
/* The first column that differs, or NULL. */
const char *verify_differing_column(const struct sql_table *t, const struct sql_row *wanted, const struct sql_row *held,
				    struct arena *a);

#endif
