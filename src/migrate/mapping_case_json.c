/* Rows of a case -> its SQL-side JSON (DESIGN.md decision 11, DOCUMENTS.md section 2). */
#include "migrate/mapping_cells.h"

/* ---- rows -> parts ---- */

static struct json attachment_of(const struct sql_row *row, const struct json *extra, struct arena *a)
{
	struct json attachment = json_clone(a, extra);
	json_sets_text(a, &attachment, "content_type", row->cells[ATT_CONTENT_TYPE]);
	if (row->cells[ATT_LENGTH].ptr)
		json_sets(a, &attachment, "content_length", json_number(row->cells[ATT_LENGTH]));
	json_sets_text(a, &attachment, "digest", row->cells[ATT_DIGEST]);
	json_sets_text(a, &attachment, "key", row->cells[ATT_REFERENCE]);
	return attachment;
}

static int attachments_of(const struct sql_rows *rows, struct arena *a, struct json *out, struct err *err)
{
	struct json extra;
	*out = json_object();
	for (size_t i = 0; rows && i < rows->n; i++) {
		struct slice cell = rows->v[i].cells[ATT_EXTRA];
		int rc = cell_read(cell.ptr ? cell : SLICE("{}"), "attachments.extra", a, &extra, err);
		if (rc)
			return rc;
		json_set(a, out, rows->v[i].cells[ATT_NAME], attachment_of(&rows->v[i], &extra, a));
	}
	return 0;
}

static struct json indices_of(const struct sql_rows *rows, struct arena *a)
{
	struct json list = json_array();
	for (size_t i = 0; rows && i < rows->n; i++) {
		struct json index = json_object();
		json_sets_text(a, &index, "identifier", rows->v[i].cells[INDEX_IDENTIFIER]);
		json_sets_text(a, &index, "referenced_type", rows->v[i].cells[INDEX_REFERENCED_TYPE]);
		json_sets_text(a, &index, "referenced_id", rows->v[i].cells[INDEX_REFERENCED_ID]);
		json_sets_text(a, &index, "relationship", rows->v[i].cells[INDEX_RELATIONSHIP]);
		json_push(a, &list, index);
	}
	return list;
}

static int parts_of_cells(const struct sql_row *row, const struct sql_rows *indices, const struct sql_rows *attachments,
			  struct arena *a, struct case_parts *p, struct err *err)
{
	int rc;
	p->fields = json_object();
	for (const struct case_field *f = mapping_case_fields; f->name; f++)
		json_sets_text(a, &p->fields, f->name, row->cells[f->column]);
	json_sets(a, &p->fields, "closed", json_bool(slice_is(row->cells[CASE_CLOSED], "t")));
	p->indices = indices_of(indices, a);
	if ((rc = cell_read(row->cells[CASE_PROPERTIES], "cases.properties", a, &p->properties, err)) != 0 ||
	    (rc = cell_read(row->cells[CASE_EXTRA], "cases.extra", a, &p->extra, err)) != 0)
		return rc;
	return attachments_of(attachments, a, &p->attachments, err);
}

static int part_is(const struct json *all, const char *name, const struct json *cells)
{
	const struct json *v = json_gets(all, name);
	return v && json_eq(v, cells);
}

/* Names that taming makes equal have one row. */
static int indices_are(const struct json *all, const struct json *cells, struct arena *a)
{
	const struct json *v = json_gets(all, "indices");
	struct json tame;
	if (!json_is(v, JSON_ARRAY))
		return 0;
	tame = mapping_tame_indices(v, a);
	return json_eq(&tame, cells);
}

/* raw in place of the cells, while the cells are what taming makes of it: a changed cell is seen. */
static int prefer_raw(const struct sql_row *row, struct arena *a, struct case_parts *p, struct err *err)
{
	struct json exact;
	int rc = row->cells[CASE_RAW].ptr ? cell_read(row->cells[CASE_RAW], "cases.raw", a, &exact, err) : 0;
	if (rc || !row->cells[CASE_RAW].ptr)
		return rc;
	struct json tame = json_tame(a, &exact);
	if (part_is(&tame, "fields", &p->fields) && part_is(&tame, "properties", &p->properties) &&
	    part_is(&tame, "extra", &p->extra) && indices_are(&exact, &p->indices, a) &&
	    part_is(&tame, "attachments", &p->attachments)) {
		p->fields = *json_gets(&exact, "fields");
		p->properties = *json_gets(&exact, "properties");
		p->extra = *json_gets(&exact, "extra");
		p->indices = *json_gets(&exact, "indices");
		p->attachments = *json_gets(&exact, "attachments");
	}
	return 0;
}

/* ---- parts -> JSON ---- */

static void set_cell(struct arena *a, struct json *out, const char *key, struct slice cell)
{
	json_sets(a, out, key, cell.ptr ? json_string(cell) : json_null);
}

static void set_fields(const struct sql_row *row, const struct case_parts *p, struct arena *a, struct json *out)
{
	int deleted = slice_is(row->cells[CASE_DELETED], "t");
	set_cell(a, out, "_id", row->cells[CASE_ID]);
	set_cell(a, out, "id", row->cells[CASE_ID]);
	set_cell(a, out, "doc_type", row->cells[CASE_DOC_TYPE]);
	set_cell(a, out, "domain", row->cells[CASE_DOMAIN]);
	for (const struct case_field *f = mapping_case_fields; f->name; f++) {
		const struct json *v = json_gets(&p->fields, f->name);
		struct json unset = f->unset ? json_str(f->unset) : json_null;
		if (deleted || (f->column != CASE_DELETED_ON && f->column != CASE_DELETION_ID))
			json_sets(a, out, f->name, v ? *v : unset);
	}
	json_sets(a, out, "user_id", *json_gets(out, "modified_by"));
	json_sets(a, out, "closed", *json_gets(&p->fields, "closed"));
	json_sets(a, out, "deleted", json_bool(deleted));
	json_sets(a, out, "backend_id", json_str("sql"));
}

static void set_indices(const struct sql_row *row, const struct case_parts *p, struct arena *a, struct json *out)
{
	struct json list = json_array();
	for (uint32_t i = 0; i < p->indices.count; i++) {
		struct json index = json_object();
		set_cell(a, &index, "case_id", row->cells[CASE_ID]);
		for (uint32_t j = 0; j < p->indices.items[i].count; j++)
			json_set(a, &index, p->indices.items[i].members[j].key, p->indices.items[i].members[j].value);
		json_push(a, &list, index);
	}
	json_sets(a, out, "indices", list);
}

static struct json value_or_null(const struct json *object, const char *key)
{
	const struct json *v = json_gets(object, key);
	return v ? *v : json_null;
}

static void set_attachments(const struct case_parts *p, struct arena *a, struct json *out)
{
	struct json all = json_object();
	for (uint32_t i = 0; i < p->attachments.count; i++) {
		const struct json_member *m = &p->attachments.members[i];
		struct json attachment = json_object();
		json_sets(a, &attachment, "name", json_string(m->key));
		json_sets(a, &attachment, "content_length", value_or_null(&m->value, "content_length"));
		json_sets(a, &attachment, "content_type", value_or_null(&m->value, "content_type"));
		json_set(a, &all, m->key, attachment);
	}
	json_sets(a, out, "case_attachments", all);
}

static struct json text_or_null(struct slice text)
{
	return text.ptr ? json_string(text) : json_null;
}

static void set_transactions(const struct replay_txn *txns, size_t n, struct arena *a, struct json *out)
{
	struct json ids = json_array(), actions = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct json *head = txns[i].actions.count ? &txns[i].actions.items[0] : NULL;
		struct json action = json_object();
		if (i == 0 || !slice_eq(txns[i - 1].form_id, txns[i].form_id))
			json_push(a, &ids, json_string(txns[i].form_id));
		json_sets(a, &action, "xform_id", json_string(txns[i].form_id));
		json_sets(a, &action, "server_date", text_or_null(txns[i].server_date));
		json_sets(a, &action, "date", text_or_null(json_get_text(head, "date")));
		json_sets(a, &action, "sync_log_id", text_or_null(json_get_text(head, "sync_log_id")));
		json_push(a, &actions, action);
	}
	json_sets(a, out, "xform_ids", ids);
	json_sets(a, out, "actions", actions);
}

static int has_cell(const struct sql_row *row, struct slice name)
{
	if (slice_is(name, "user_id"))
		name = SLICE("modified_by");
	const struct case_field *f = mapping_case_field(name);
	return f && row->cells[f->column].ptr;
}

/* Properties, then what is kept beside the columns. */
static void set_others(const struct sql_row *row, const struct case_parts *p, size_t n_txns, struct arena *a,
		       struct json *out)
{
	for (uint32_t i = 0; json_is(&p->properties, JSON_OBJECT) && i < p->properties.count; i++)
		json_set(a, out, p->properties.members[i].key, p->properties.members[i].value);
	for (uint32_t i = 0; json_is(&p->extra, JSON_OBJECT) && i < p->extra.count; i++) {
		const struct json_member *m = &p->extra.members[i];
		int of_transactions = slice_is(m->key, "xform_ids") || slice_is(m->key, "actions");
		if (!has_cell(row, m->key) && !(n_txns && of_transactions))
			json_set(a, out, m->key, m->value);
	}
}

int mapping_case_sql_json(const struct sql_row *row, const struct sql_rows *indices, const struct sql_rows *attachments,
			  const struct replay_txn *txns, size_t n_txns, struct arena *a, struct json *out,
			  struct err *err)
{
	struct case_parts parts;
	int rc;
	if ((rc = parts_of_cells(row, indices, attachments, a, &parts, err)) != 0 ||
	    (rc = prefer_raw(row, a, &parts, err)) != 0)
		return rc;
	*out = json_object();
	set_fields(row, &parts, a, out);
	set_indices(row, &parts, a, out);
	set_attachments(&parts, a, out);
	set_transactions(txns, n_txns, a, out);
	set_others(row, &parts, n_txns, a, out);
	return 0;
}
