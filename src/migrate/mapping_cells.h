/* What the files of the mapping share: making and reading cells. Threads: functions are reentrant. */
#ifndef SETTLE_MIGRATE_MAPPING_CELLS_H
#define SETTLE_MIGRATE_MAPPING_CELLS_H

#include "migrate/mapping.h"
#include "sql/tables.h"

struct sql_row cells_new(int columns, struct arena *a);
/* The tamed string, or SQL NULL for anything but a string. */
struct slice cell_text(const struct json *v, struct arena *a);
/* JSON text of a value that is tame already. */
struct slice cell_json(const struct json *v, struct arena *a);
/* The tamed value's JSON text. */
struct slice cell_json_tamed(const struct json *v, struct arena *a);
/* Canonical date-time, or SQL NULL when the text is no date. */
struct slice cell_time(struct slice text, struct arena *a);
static inline struct slice cell_bool(int truth)
{
	return truth ? SLICE("t") : SLICE("f");
}
/* Decimal of an integral JSON number in the range of bigint, else SQL NULL. */
struct slice cell_int(const struct json *v, struct arena *a);
struct slice cell_decimal(long long n, struct arena *a);
/* Reads a JSON cell; ERR_SYNTAX names the column. */
MUST_CHECK int cell_read(struct slice cell, const char *what, struct arena *a, struct json *out, struct err *err);
/* Does v (a string) equal the cell? 0 for SQL NULL and for anything but a string. */
int cell_holds(struct slice cell, const struct json *v);

/* Rows of a processed form's case blocks. */
MUST_CHECK int mapping_form_transactions(const struct mapping_doc *d, struct arena *a, struct sql_rows *out,
					 struct err *err);
/* A name that stands in a key beside ids (attachment, index): at most MAPPING_KEY_MAX bytes; may be empty, must be
 * tamed. */
MUST_CHECK int mapping_name_check(struct slice name, const char *what, struct err *err);
/*
 * A row of `attachments` without its key: content_type, content_length or length, digest, key or id go to columns, the
 * rest to extra (tamed).
 */
struct sql_row mapping_attachment_row(const struct json *blob, struct arena *a);

/* Indices as rows can hold them: tamed, in order of identifier, of those whose identifiers become the same only the
 * first. */
struct json mapping_tame_indices(const struct json *indices, struct arena *a);

/*
 * A case between rows and documents. Every part is JSON, so odd values are in it as they are; `raw` holds the parts
 * when cells cannot.
 */
struct case_parts {
	struct json fields;     /* SQL-side name -> string in its column; absent = null. Plus "closed", a boolean */
	struct json properties; /* dynamic properties */
	struct json
	    extra; /* other top-level fields of the SQL-side JSON; of a field with a column only while that is null */
	struct json indices; /* array of {identifier, referenced_type, referenced_id, relationship}, by identifier */
	struct json attachments; /* name -> {content_type?, content_length?, digest?, key?, ...} */
};

struct case_field {
	const char *name;  /* in the SQL-side JSON */
	const char *couch; /* in the Couch document */
	int column;
	enum { CASE_FIELD_TEXT, CASE_FIELD_TIME } cls;
	const char *unset; /* what the SQL-side JSON says when the column is null: text, or NULL for null */
};
extern const struct case_field mapping_case_fields[]; /* ended by name == NULL */
const struct case_field *mapping_case_field(struct slice name);

#endif
