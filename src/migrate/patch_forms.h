/* patch_forms: finding patch forms in SQL. Private to src/migrate. Threads: as the target handle. */
#ifndef SETTLE_MIGRATE_PATCH_FORMS_H
#define SETTLE_MIGRATE_PATCH_FORMS_H

#include "migrate/patching.h"
#include "sql/target.h"

/* 1 when the row of `forms` is a patch form; *block is {} when its diff block cannot be read. */
int patch_form_of(const struct sql_row *row, struct arena *a, struct json *block, struct migrate_patch_form *out);

#endif
