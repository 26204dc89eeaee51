/* Folded and copied cases -> rows of `cases`, `case_indices`, `attachments`. */
#include "migrate/mapping_cells.h"

#include "base/utf8.h"

#include <stdlib.h>

const struct case_field mapping_case_fields[] = {
    {"type", "type", CASE_TYPE, CASE_FIELD_TEXT, ""},
    {"name", "name", CASE_NAME, CASE_FIELD_TEXT, NULL},
    {"external_id", "external_id", CASE_EXTERNAL_ID, CASE_FIELD_TEXT, NULL},
    {"owner_id", "owner_id", CASE_OWNER_ID, CASE_FIELD_TEXT, ""},
    {"modified_by", "user_id", CASE_MODIFIED_BY, CASE_FIELD_TEXT, ""},
    {"opened_on", "opened_on", CASE_OPENED_ON, CASE_FIELD_TIME, NULL},
    {"opened_by", "opened_by", CASE_OPENED_BY, CASE_FIELD_TEXT, ""},
    {"closed_on", "closed_on", CASE_CLOSED_ON, CASE_FIELD_TIME, NULL},
    {"closed_by", "closed_by", CASE_CLOSED_BY, CASE_FIELD_TEXT, NULL},
    {"modified_on", "modified_on", CASE_MODIFIED_ON, CASE_FIELD_TIME, NULL},
    {"server_modified_on", "server_modified_on", CASE_SERVER_MODIFIED_ON, CASE_FIELD_TIME, NULL},
    {"location_id", "location_id", CASE_LOCATION_ID, CASE_FIELD_TEXT, NULL},
    {"deleted_on", "-deletion_date", CASE_DELETED_ON, CASE_FIELD_TIME, NULL},
    {"deletion_id", "-deletion_id", CASE_DELETION_ID, CASE_FIELD_TEXT, NULL},
    {NULL, NULL, 0, CASE_FIELD_TEXT, NULL},
};

const struct case_field *mapping_case_field(struct slice name)
{
	for (const struct case_field *f = mapping_case_fields; f->name; f++)
		if (slice_is(name, f->name))
			return f;
	return NULL;
}

static const struct case_field *couch_field(struct slice name)
{
	for (const struct case_field *f = mapping_case_fields; f->name; f++)
		if (slice_is(name, f->couch))
			return f;
	return NULL;
}

/* ---- parts ---- */

static struct case_parts parts_new(void)
{
	return (struct case_parts){json_object(), json_object(), json_object(), json_array(), json_object()};
}

/* The column's value where it can take it; 0 when it cannot. A date is canonical from here on. */
static int parts_put(struct case_parts *p, const struct case_field *f, struct slice text, struct arena *a)
{
	if (f->cls == CASE_FIELD_TIME)
		text = cell_time(text, a);
	if (!text.ptr)
		return 0;
	json_sets(a, &p->fields, f->name, json_string(text));
	return 1;
}

/* A folded value: text that is no date stays beside the column. */
static void put_folded(struct case_parts *p, const char *name, struct slice text, struct arena *a)
{
	if (text.ptr && !parts_put(p, mapping_case_field(slice_of(name)), text, a))
		json_sets(a, &p->extra, name, json_string(text));
}

static int index_order(const void *a, const void *b)
{
	return slice_cmp(json_get_text(a, "identifier"), json_get_text(b, "identifier"));
}

static struct json sorted_indices(const struct json *indices, struct arena *a)
{
	struct json sorted = json_clone(a, indices);
	if (sorted.count > 1)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), index_order);
	return sorted;
}

static void parts_of_fold(const struct replay_case *c, struct arena *a, struct case_parts *p)
{
	const struct {
		const char *name;
		struct slice text;
	} values[] = {
	    {"type", c->type},
	    {"name", c->name},
	    {"external_id", c->external_id},
	    {"owner_id", c->owner_id},
	    {"modified_by", c->user_id},
	    {"opened_on", c->opened_on},
	    {"opened_by", c->opened_by},
	    {"closed_on", c->closed_on},
	    {"closed_by", c->closed_by},
	    {"modified_on", c->modified_on},
	    {"server_modified_on", c->server_modified_on},
	    {"location_id", c->location_id},
	};
	*p = parts_new();
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		put_folded(p, values[i].name, values[i].text, a);
	json_sets(a, &p->fields, "closed", json_bool(c->closed));
	p->properties = c->properties;
	p->indices = sorted_indices(&c->indices, a);
	p->attachments = c->attachments;
}

/* ---- a Couch case as it is ---- */

/* {identifier, referenced_type, referenced_id, relationship} of a Couch index; 0 when a row could not hold all of it.
 */
static int copied_index(const struct json *couch, struct arena *a, struct json *out)
{
	static const char *const names[] = {"identifier", "referenced_type", "referenced_id", "relationship"};
	uint32_t held = slice_is(json_get_text(couch, "doc_type"), "CommCareCaseIndex");
	*out = json_object();
	for (int i = 0; i < 4; i++) {
		struct slice text = json_get_text(couch, names[i]);
		int defaulted = i == 3 && !json_gets(couch, names[i]);
		if (!text.ptr && !defaulted)
			return 0;
		held += !defaulted;
		json_sets(a, out, names[i], json_string(defaulted ? SLICE("child") : text));
	}
	return json_is(couch, JSON_OBJECT) && held == couch->count;
}

/* As rows where every index fits and identifiers differ; whole in extra otherwise. */
static void copy_indices(const struct json *couch, struct arena *a, struct case_parts *p)
{
	struct json list = json_array(), index;
	int fits = json_is(couch, JSON_ARRAY);
	for (uint32_t i = 0; fits && i < couch->count; i++) {
		fits = copied_index(&couch->items[i], a, &index);
		json_push(a, &list, index);
	}
	list = sorted_indices(&list, a);
	for (uint32_t i = 1; fits && i < list.count; i++)
		fits = index_order(&list.items[i - 1], &list.items[i]) != 0;
	if (fits)
		p->indices = list;
	else
		json_sets(a, &p->extra, "indices", *couch);
}

static void copy_value(struct arena *a, struct json *to, const char *name, const struct json *v)
{
	if (v && !json_is(v, JSON_NULL))
		json_sets(a, to, name, *v);
}

static void copy_attachments(const struct json *doc, const struct json *couch, struct arena *a, struct case_parts *p)
{
	const struct json *blobs = json_gets(doc, "external_blobs");
	if (!json_is(couch, JSON_OBJECT)) {
		json_sets(a, &p->extra, "case_attachments", *couch);
		return;
	}
	for (uint32_t i = 0; i < couch->count; i++) {
		const struct json_member *m = &couch->members[i];
		const struct json *blob = json_get(blobs, m->key), *key = json_gets(blob, "key");
		struct json attachment = json_object();
		copy_value(a, &attachment, "content_type", json_gets(&m->value, "server_mime"));
		copy_value(a, &attachment, "content_length", json_gets(&m->value, "attachment_size"));
		copy_value(a, &attachment, "key", key ? key : json_gets(blob, "id"));
		json_sets(a, &attachment, "couch", m->value);
		json_set(a, &p->attachments, m->key, attachment);
	}
}

static int is_copied_property(const struct json_member *m)
{
	return json_is(&m->value, JSON_STRING) && replay_is_property(&replay_dialect_sql, m->key) &&
	       !slice_is(m->key, "version") && !slice_is(m->key, "computed_modified_on_");
}

static void copy_member(const struct json *doc, const struct json_member *m, struct arena *a, struct case_parts *p)
{
	const struct case_field *f = couch_field(m->key);
	if (slice_is(m->key, "_id") || slice_is(m->key, "_rev") || slice_is(m->key, "domain") ||
	    slice_is(m->key, "doc_type"))
		return;
	if (f && parts_put(p, f, json_text(&m->value), a))
		return;
	if (slice_is(m->key, "closed") && (json_is(&m->value, JSON_TRUE) || json_is(&m->value, JSON_FALSE)))
		json_sets(a, &p->fields, "closed", m->value);
	else if (slice_is(m->key, "indices"))
		copy_indices(&m->value, a, p);
	else if (slice_is(m->key, "case_attachments"))
		copy_attachments(doc, &m->value, a, p);
	else if (is_copied_property(m))
		json_set(a, &p->properties, m->key, m->value);
	else
		json_set(a, &p->extra, m->key, m->value);
}

static void parts_of_couch(const struct json *doc, struct arena *a, struct case_parts *p)
{
	*p = parts_new();
	json_sets(a, &p->fields, "closed", json_false);
	for (uint32_t i = 0; json_is(doc, JSON_OBJECT) && i < doc->count; i++)
		copy_member(doc, &doc->members[i], a, p);
}

/* ---- parts -> rows ---- */

static struct json parts_as_json(const struct case_parts *p, struct arena *a)
{
	struct json all = json_object();
	json_sets(a, &all, "fields", p->fields);
	json_sets(a, &all, "properties", p->properties);
	json_sets(a, &all, "extra", p->extra);
	json_sets(a, &all, "indices", p->indices);
	json_sets(a, &all, "attachments", p->attachments);
	return all;
}

static void put_fields(const struct case_parts *p, struct sql_row *row, struct arena *a)
{
	for (const struct case_field *f = mapping_case_fields; f->name; f++)
		row->cells[f->column] = cell_text(json_gets(&p->fields, f->name), a);
	row->cells[CASE_CLOSED] = cell_bool(json_is(json_gets(&p->fields, "closed"), JSON_TRUE));
	row->cells[CASE_PROPERTIES] = cell_json_tamed(&p->properties, a);
	row->cells[CASE_EXTRA] = cell_json_tamed(&p->extra, a);
}

struct json mapping_tame_indices(const struct json *indices, struct arena *a)
{
	struct json tame = json_tame(a, indices), out = json_array();
	tame = sorted_indices(&tame, a);
	for (uint32_t i = 0; i < tame.count; i++)
		if (i == 0 || index_order(&tame.items[i - 1], &tame.items[i]) != 0)
			json_push(a, &out, tame.items[i]);
	return out;
}

static int put_indices(const struct case_parts *p, const struct sql_row *row, struct sql_rows *out, struct arena *a,
		       struct err *err)
{
	struct json tame = mapping_tame_indices(&p->indices, a);
	for (uint32_t i = 0; i < tame.count; i++) {
		const struct json *index = &tame.items[i];
		struct sql_row r = cells_new(INDEX_COLUMNS, a);
		r.cells[INDEX_DOMAIN] = row->cells[CASE_DOMAIN];
		r.cells[INDEX_CASE_ID] = row->cells[CASE_ID];
		r.cells[INDEX_IDENTIFIER] = json_get_text(index, "identifier");
		r.cells[INDEX_REFERENCED_TYPE] = json_get_text(index, "referenced_type");
		r.cells[INDEX_REFERENCED_ID] = json_get_text(index, "referenced_id");
		r.cells[INDEX_RELATIONSHIP] = json_get_text(index, "relationship");
		int rc = mapping_name_check(r.cells[INDEX_IDENTIFIER], "an index's name", err);
		if (rc)
			return rc;
		ARENA_PUSH(a, out, r);
	}
	return 0;
}

static int put_attachments(const struct case_parts *p, const struct sql_row *row, struct sql_rows *out, struct arena *a,
			   struct err *err)
{
	struct json tame = json_tame(a, &p->attachments);
	for (uint32_t i = 0; i < tame.count; i++) {
		struct sql_row r = mapping_attachment_row(&tame.members[i].value, a);
		r.cells[ATT_DOMAIN] = row->cells[CASE_DOMAIN];
		r.cells[ATT_OWNER_KIND] = SLICE("case");
		r.cells[ATT_OWNER_ID] = row->cells[CASE_ID];
		r.cells[ATT_NAME] = tame.members[i].key;
		int rc = mapping_name_check(r.cells[ATT_NAME], "a case attachment's name", err);
		if (rc)
			return rc;
		ARENA_PUSH(a, out, r);
	}
	return 0;
}

static int rows_of_parts(const struct case_parts *p, struct arena *a, struct mapping_case *out, struct err *err)
{
	struct json all = parts_as_json(p, a);
	int rc;
	put_fields(p, &out->row, a);
	if (json_odd(&all))
		out->row.cells[CASE_RAW] = cell_json(&all, a);
	if ((rc = put_indices(p, &out->row, &out->indices, a, err)) != 0)
		return rc;
	return put_attachments(p, &out->row, &out->attachments, a, err);
}

/* ---- the two ways ---- */

static int is_deleted_kind(struct slice kind)
{
	static const char suffix[] = "-Deleted";
	size_t n = sizeof(suffix) - 1;
	return kind.len > n && memcmp(kind.ptr + kind.len - n, suffix, n) == 0;
}

static int put_case_keys(struct slice domain, struct slice case_id, const struct mapping_case_source *src, int deleted,
			 struct arena *a, struct mapping_case *out, struct err *err)
{
	int rc;
	struct json kind = json_string(src->kind.len ? src->kind : SLICE("CommCareCase"));
	struct json rev = json_string(src->couch_rev);
	memset(out, 0, sizeof(*out));
	if ((rc = mapping_key_check(domain, "the domain", err)) != 0 ||
	    (rc = mapping_key_check(case_id, "the case id", err)) != 0)
		return rc;
	out->row = cells_new(CASE_COLUMNS, a);
	out->row.cells[CASE_DOMAIN] = domain;
	out->row.cells[CASE_ID] = case_id;
	out->row.cells[CASE_DOC_TYPE] = cell_text(&kind, a);
	out->row.cells[CASE_COUCH_REV] = src->couch_rev.ptr ? cell_text(&rev, a) : SLICE_NONE;
	out->row.cells[CASE_DELETED] = cell_bool(deleted || src->tombstone);
	return 0;
}

/* When and by what it was deleted, as the Couch document says. */
static void put_deletion(const struct json *couch, struct arena *a, struct case_parts *p)
{
	put_folded(p, "deleted_on", json_get_text(couch, "-deletion_date"), a);
	put_folded(p, "deletion_id", json_get_text(couch, "-deletion_id"), a);
}

int mapping_case(struct slice domain, const struct replay_case *folded, const struct mapping_case_source *src,
		 struct arena *a, struct mapping_case *out, struct err *err)
{
	struct case_parts parts;
	int deleted_kind = is_deleted_kind(src->kind);
	struct slice case_id = folded->case_id.ptr ? folded->case_id : json_get_text(src->couch, "_id");
	int rc = put_case_keys(domain, case_id, src, deleted_kind || folded->n_forms == 0, a, out, err);
	if (rc)
		return rc;
	parts_of_fold(folded, a, &parts);
	if (deleted_kind)
		put_deletion(src->couch, a, &parts);
	return rows_of_parts(&parts, a, out, err);
}

int mapping_case_copy(struct slice domain, const struct mapping_case_source *src, struct arena *a,
		      struct mapping_case *out, struct err *err)
{
	struct case_parts parts;
	int rc = put_case_keys(domain, json_get_text(src->couch, "_id"), src, is_deleted_kind(src->kind), a, out, err);
	if (rc)
		return rc;
	parts_of_couch(src->couch, a, &parts);
	return rows_of_parts(&parts, a, out, err);
}
