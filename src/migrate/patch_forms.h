/* patch_forms: finding patch forms in SQL. Private to src/migrate. Threads: as the target handle. */
#ifndef SETTLE_MIGRATE_PATCH_FORMS_H
#define SETTLE_MIGRATE_PATCH_FORMS_H

#include "migrate/patching.h"
#include "sql/target.h"

/* Rows of form_operations that say a form is a patch form, in order of form id. */
MUST_CHECK int patch_form_ids(struct sql_target *t, struct slice domain, struct arena *a, struct sql_rows *out,
			      struct err *err);
/* 1 when the row of `forms` is a patch form; *block is {} when its diff block cannot be read. */
int patch_form_of(const struct sql_row *row, struct arena *a, struct json *block, struct migrate_patch_form *out);

#endif
