/* Forms <-> rows of `forms`. */
#include "migrate/mapping_cells.h"

enum field_class {
	FIELD_KEY,          /* known before the document is looked at: id, domain, doc type, revision */
	FIELD_TEXT,         /* a string */
	FIELD_TIME,         /* a date-time text */
	FIELD_BODY,         /* an object */
	FIELD_DELETED_TEXT, /* as TEXT and TIME, in kinds that are deleted */
	FIELD_DELETED_TIME,
};

struct form_field {
	struct slice name;
	int column;
	enum field_class cls;
};

static const struct form_field form_fields[] = {
    {{"_id", 3}, FORM_ID, FIELD_KEY},
    {{"_rev", 4}, FORM_COUCH_REV, FIELD_KEY},
    {{"doc_type", 8}, FORM_DOC_TYPE, FIELD_KEY},
    {{"domain", 6}, FORM_DOMAIN, FIELD_KEY},
    {{"xmlns", 5}, FORM_XMLNS, FIELD_TEXT},
    {{"app_id", 6}, FORM_APP_ID, FIELD_TEXT},
    {{"received_on", 11}, FORM_RECEIVED_ON, FIELD_TIME},
    {{"server_modified_on", 18}, FORM_SERVER_MODIFIED_ON, FIELD_TIME},
    {{"form", 4}, FORM_BODY, FIELD_BODY},
    {{"-deletion_id", 12}, FORM_DELETION_ID, FIELD_DELETED_TEXT},
    {{"-deletion_date", 14}, FORM_DELETED_ON, FIELD_DELETED_TIME},
};
#define FORM_FIELDS (sizeof(form_fields) / sizeof(form_fields[0]))

static const struct form_field *form_field(struct slice name)
{
	for (size_t i = 0; i < FORM_FIELDS; i++)
		if (slice_eq(name, form_fields[i].name))
			return &form_fields[i];
	return NULL;
}

/* ---- document -> row ---- */

/* Puts the value into its cell as far as it goes; returns whether the cell can give back an equal value. */
static int put_field(const struct form_field *f, const struct json *v, int deleted, struct sql_row *row,
		     struct arena *a)
{
	struct slice *cell = &row->cells[f->column];
	switch (f->cls) {
	case FIELD_KEY:
		return cell_holds(*cell, v);
	case FIELD_DELETED_TEXT:
		if (!deleted)
			return 0;
		/* fall through */
	case FIELD_TEXT:
		*cell = cell_text(v, a);
		return cell_holds(*cell, v);
	case FIELD_DELETED_TIME:
		if (!deleted)
			return 0;
		/* fall through */
	case FIELD_TIME:
		*cell = cell_time(json_text(v), a);
		return cell_holds(*cell, v);
	case FIELD_BODY:
		if (!json_is(v, JSON_OBJECT))
			return 0;
		*cell = cell_json(v, a);
		return 1;
	}
	return 0;
}

static struct slice derived_user_id(const struct json *body, struct arena *a)
{
	return cell_text(json_gets(json_gets(body, "meta"), "userID"), a);
}

/* A key column always has a value; a document without the field cannot be told from the cells alone. */
static int lacks_key_field(const struct json *doc, const struct sql_row *row)
{
	for (size_t i = 0; i < FORM_FIELDS; i++)
		if (form_fields[i].cls == FIELD_KEY && row->cells[form_fields[i].column].ptr &&
		    !json_get(doc, form_fields[i].name))
			return 1;
	return 0;
}

static void put_keys(const struct mapping_doc *d, struct sql_row *row, struct arena *a)
{
	struct json type = json_string(d->kind->stored_as.len ? d->kind->stored_as : d->doc_type);
	struct json rev = json_string(d->rev);
	row->cells[FORM_DOMAIN] = d->domain;
	row->cells[FORM_ID] = d->id;
	row->cells[FORM_DOC_TYPE] = cell_text(&type, a);
	row->cells[FORM_COUCH_REV] = d->rev.ptr ? cell_text(&rev, a) : SLICE_NONE;
	row->cells[FORM_DELETED] = cell_bool(d->kind->deleted);
}

static void put_form(const struct mapping_doc *d, const struct json *tame, struct sql_row *row, struct arena *a)
{
	struct json extra = json_object();
	put_keys(d, row, a);
	for (uint32_t i = 0; i < tame->count; i++) {
		const struct json_member *m = &tame->members[i];
		const struct form_field *f = form_field(m->key);
		if (!f || !put_field(f, &m->value, d->kind->deleted, row, a))
			json_set(a, &extra, m->key, m->value);
	}
	row->cells[FORM_EXTRA] = cell_json(&extra, a);
	row->cells[FORM_USER_ID] = derived_user_id(json_gets(tame, "form"), a);
	if (d->odd || lacks_key_field(d->doc, row))
		row->cells[FORM_RAW] = d->bytes;
}

static int is_processed(const struct mapping_doc *d)
{
	return d->kind->processed && json_get_text(d->doc, "problem").len == 0 &&
	       !json_is(json_gets(d->doc, "initial_processing_complete"), JSON_FALSE);
}

/* The history, also as rows; it stays in extra. */
static void put_operations(const struct mapping_doc *d, struct arena *a, struct sql_rows *out)
{
	const struct json *history = json_gets(d->doc, "history");
	for (uint32_t i = 0; json_is(history, JSON_ARRAY) && i < history->count; i++) {
		const struct json *op = &history->items[i];
		struct sql_row row = cells_new(OP_COLUMNS, a);
		if (!json_is(op, JSON_OBJECT))
			continue;
		row.cells[OP_DOMAIN] = d->domain;
		row.cells[OP_FORM_ID] = d->id;
		row.cells[OP_POSITION] = cell_decimal(i, a);
		row.cells[OP_USER] = cell_text(json_gets(op, "user"), a);
		row.cells[OP_DATE] = cell_time(json_get_text(op, "date"), a);
		row.cells[OP_OPERATION] = cell_text(json_gets(op, "operation"), a);
		ARENA_PUSH(a, out, row);
	}
}

int mapping_form(const struct mapping_doc *d, struct arena *a, struct mapping_form *out, struct err *err)
{
	int rc;
	memset(out, 0, sizeof(*out));
	if ((rc = mapping_key_check(d->domain, "the domain", err)) != 0 ||
	    (rc = mapping_key_check(d->id, "the document's _id", err)) != 0)
		return rc;
	struct json tame = d->odd ? json_tame(a, d->doc) : *d->doc;
	out->form = cells_new(FORM_COLUMNS, a);
	put_form(d, &tame, &out->form, a);
	put_operations(d, a, &out->operations);
	if ((rc = mapping_attachments(d->domain, "form", d->id, d->doc, a, &out->attachments, err)) != 0)
		return rc;
	out->processed = is_processed(d);
	return out->processed ? mapping_form_transactions(d, a, &out->transactions, err) : 0;
}

/* ---- row -> document ---- */

static int add_cell(const struct form_field *f, const struct sql_row *row, struct arena *a, struct json *doc,
		    struct err *err)
{
	struct slice cell = row->cells[f->column];
	struct json body;
	if (f->cls != FIELD_BODY) {
		if (cell.ptr)
			json_set(a, doc, f->name, json_string(cell));
		return 0;
	}
	if (!cell.ptr)
		return 0;
	int rc = cell_read(cell, "forms.body", a, &body, err);
	if (rc == 0)
		json_set(a, doc, f->name, body);
	return rc;
}

/* The field's text in extra, unless the date column says another instant (or none) by now. */
static struct json extra_or_changed(const struct form_field *f, const struct sql_row *row, const struct json *v,
				    struct arena *a)
{
	struct slice cell = row->cells[f->column], follows = cell_time(json_text(v), a);
	if ((f->cls != FIELD_TIME && f->cls != FIELD_DELETED_TIME) || slice_eq(cell, follows))
		return *v;
	if (f->cls == FIELD_DELETED_TIME && !cell.ptr)
		return *v;
	return cell.ptr ? json_string(cell) : json_null;
}

static int add_extra(const struct sql_row *row, struct arena *a, struct json *doc, struct err *err)
{
	struct json extra;
	int rc = cell_read(row->cells[FORM_EXTRA], "forms.extra", a, &extra, err);
	for (uint32_t i = 0; rc == 0 && json_is(&extra, JSON_OBJECT) && i < extra.count; i++) {
		const struct json_member *m = &extra.members[i];
		const struct form_field *f = form_field(m->key);
		json_set(a, doc, m->key, f ? extra_or_changed(f, row, &m->value, a) : m->value);
	}
	return rc;
}

/* The document as the cells other than raw tell it. */
static int document_of_cells(const struct sql_row *row, struct arena *a, struct json *doc, struct err *err)
{
	int rc = 0;
	*doc = json_object();
	for (size_t i = 0; i < FORM_FIELDS && rc == 0; i++)
		rc = add_cell(&form_fields[i], row, a, doc, err);
	if (rc == 0)
		rc = add_extra(row, a, doc, err);
	if (rc)
		return rc;
	struct slice user_id = row->cells[FORM_USER_ID], follows = derived_user_id(json_gets(doc, "form"), a);
	if (user_id.ptr != follows.ptr && (!user_id.ptr || !follows.ptr || !slice_eq(user_id, follows)))
		json_sets(a, doc, "user_id", user_id.ptr ? json_string(user_id) : json_null);
	return 0;
}

/* Key columns have a value where the document may have no field. */
static void drop_key_fields(struct json *doc, const struct json *exact)
{
	for (size_t i = 0; i < FORM_FIELDS; i++)
		if (form_fields[i].cls == FIELD_KEY && !json_get(exact, form_fields[i].name))
			json_del(doc, form_fields[i].name);
}

int mapping_form_document(const struct sql_row *form, struct arena *a, struct json *out, struct err *err)
{
	struct json exact;
	int rc = document_of_cells(form, a, out, err);
	if (rc || !form->cells[FORM_RAW].ptr)
		return rc;
	if ((rc = cell_read(form->cells[FORM_RAW], "forms.raw", a, &exact, err)) != 0)
		return rc;
	mapping_drop_feed_metadata(&exact);
	drop_key_fields(out, &exact);
	struct json tame = json_tame(a, &exact);
	if (json_eq(out, &tame))
		*out = exact;
	return 0;
}

/* ---- row -> SQL-side JSON ---- */

void mapping_form_sql_json_of(const struct sql_row *form, const struct json *document, struct arena *a,
			      struct json *out)
{
	*out = json_clone(a, document);
	json_sets_text(a, out, "doc_type", form->cells[FORM_DOC_TYPE]);
	if (form->cells[FORM_USER_ID].ptr)
		json_sets(a, out, "user_id", json_string(form->cells[FORM_USER_ID]));
	else if (json_gets(out, "user_id"))
		json_sets(a, out, "user_id", json_null);
	if (!slice_is(form->cells[FORM_DELETED], "t"))
		return;
	json_sets_text(a, out, "deletion_id", form->cells[FORM_DELETION_ID]);
	json_sets_text(a, out, "deleted_on", form->cells[FORM_DELETED_ON]);
}

int mapping_form_sql_json(const struct sql_row *form, struct arena *a, struct json *out, struct err *err)
{
	struct json document;
	int rc = mapping_form_document(form, a, &document, err);
	if (rc == 0)
		mapping_form_sql_json_of(form, &document, a, out);
	return rc;
}
