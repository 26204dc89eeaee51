/* Rows that belong to a document: attachments and case transactions. */
#include "migrate/mapping_cells.h"

#include <stdlib.h>

/* ---- attachments ---- */

static int has_name(const struct sql_rows *rows, size_t from, struct slice name)
{
	for (size_t i = from; i < rows->n; i++)
		if (slice_eq(rows->v[i].cells[ATT_NAME], name))
			return 1;
	return 0;
}

static const struct json *first_of(const struct json *object, const char *one, const char *other)
{
	const struct json *v = json_gets(object, one);
	return v ? v : json_gets(object, other);
}

/* What no column of the row holds. */
static struct slice attachment_extra(const struct json *blob, const struct sql_row *row, struct arena *a)
{
	static const struct {
		const char *field;
		int column;
	} held[] = {{"content_type", ATT_CONTENT_TYPE},
		    {"content_length", ATT_LENGTH},
		    {"length", ATT_LENGTH},
		    {"digest", ATT_DIGEST},
		    {"key", ATT_REFERENCE},
		    {"id", ATT_REFERENCE}};
	struct json extra = json_clone(a, blob);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		const struct json *v = json_gets(blob, held[i].field);
		struct slice cell = row->cells[held[i].column];
		if (cell_holds(cell, v) || (cell.ptr && json_is(v, JSON_NUMBER) && slice_eq(cell, cell_int(v, a))))
			json_del(&extra, slice_of(held[i].field));
	}
	return cell_json_tamed(&extra, a);
}

struct sql_row mapping_attachment_row(const struct json *blob, struct arena *a)
{
	struct sql_row row = cells_new(ATT_COLUMNS, a);
	row.cells[ATT_CONTENT_TYPE] = cell_text(json_gets(blob, "content_type"), a);
	row.cells[ATT_LENGTH] = cell_int(first_of(blob, "content_length", "length"), a);
	row.cells[ATT_DIGEST] = cell_text(json_gets(blob, "digest"), a);
	row.cells[ATT_REFERENCE] = cell_text(first_of(blob, "key", "id"), a);
	row.cells[ATT_EXTRA] = attachment_extra(blob, &row, a);
	return row;
}

int mapping_attachments(struct slice domain, const char *owner_kind, struct slice owner_id, const struct json *doc,
			struct arena *a, struct sql_rows *out, struct err *err)
{
	const struct json *lists[] = {json_gets(doc, "external_blobs"), json_gets(doc, "_attachments")};
	size_t from = out->n;
	for (int l = 0; l < 2; l++) {
		for (uint32_t i = 0; json_is(lists[l], JSON_OBJECT) && i < lists[l]->count; i++) {
			struct json name_text = json_string(lists[l]->members[i].key);
			const struct json *blob = &lists[l]->members[i].value;
			struct slice name = cell_text(&name_text, a);
			int rc = mapping_name_check(name, "an attachment's name", err);
			if (rc)
				return rc;
			if (!json_is(blob, JSON_OBJECT) || has_name(out, from, name))
				continue;
			struct sql_row row = mapping_attachment_row(blob, a);
			row.cells[ATT_DOMAIN] = domain;
			row.cells[ATT_OWNER_KIND] = slice_of(owner_kind);
			row.cells[ATT_OWNER_ID] = owner_id;
			row.cells[ATT_NAME] = name;
			ARENA_PUSH(a, out, row);
		}
	}
	return 0;
}

/* ---- transactions ---- */

static const char *const kind_names[] = {[REPLAY_FORM] = "form", [REPLAY_TOUCH] = "touch", [REPLAY_PATCH] = "patch"};

/* The form's own list of blobs and what only _attachments has, as one object. */
static struct json blobs_of(const struct json *doc, struct arena *a)
{
	const struct json *blobs = json_gets(doc, "external_blobs"), *old = json_gets(doc, "_attachments");
	struct json all = json_is(blobs, JSON_OBJECT) ? *blobs : json_object();
	if (!json_is(old, JSON_OBJECT) || old->count == 0)
		return all;
	all = json_clone(a, &all);
	for (uint32_t i = 0; i < old->count; i++)
		if (!json_get(&all, old->members[i].key))
			json_set(a, &all, old->members[i].key, old->members[i].value);
	return all;
}

static int check_identifiers(const struct replay_txn *txn, struct err *err)
{
	for (uint32_t i = 1; i < txn->actions.count; i++) {
		const struct json *indices = json_gets(&txn->actions.items[i], "indices");
		const struct json *attachments = json_gets(&txn->actions.items[i], "attachments");
		int rc = 0;
		for (uint32_t j = 0; rc == 0 && indices && j < indices->count; j++)
			rc =
			    mapping_name_check(json_get_text(&indices->items[j], "identifier"), "an index's name", err);
		for (uint32_t j = 0; rc == 0 && attachments && j < attachments->count; j++)
			rc = mapping_name_check(attachments->members[j].key, "a case attachment's name", err);
		if (rc)
			return rc;
	}
	return 0;
}

static struct sql_row transaction_row(const struct mapping_doc *d, const struct replay_txn *txn, struct arena *a)
{
	struct sql_row row = cells_new(TXN_COLUMNS, a);
	row.cells[TXN_DOMAIN] = d->domain;
	row.cells[TXN_CASE_ID] = txn->case_id;
	row.cells[TXN_FORM_ID] = txn->form_id;
	row.cells[TXN_POSITION] = cell_decimal(txn->position, a);
	row.cells[TXN_SERVER_DATE] = cell_time(txn->server_date, a);
	row.cells[TXN_KIND] = slice_of(kind_names[txn->kind]);
	if (d->odd && json_odd(&txn->actions)) {
		row.cells[TXN_ACTIONS] = cell_json_tamed(&txn->actions, a);
		row.cells[TXN_RAW] = cell_json(&txn->actions, a);
	} else {
		row.cells[TXN_ACTIONS] = cell_json(&txn->actions, a);
	}
	return row;
}

int mapping_form_transactions(const struct mapping_doc *d, struct arena *a, struct sql_rows *out, struct err *err)
{
	struct json blobs = blobs_of(d->doc, a);
	struct replay_form form = {
	    .form_id = d->id,
	    .received_on = json_get_text(d->doc, "received_on"),
	    .body = json_gets(d->doc, "form"),
	    .attachments = &blobs,
	    .sync_token = json_get_text(d->doc, "last_sync_token"),
	};
	struct replay_txn_list txns = {0};
	int rc = replay_form_blocks(&form, a, &txns, err);
	for (size_t i = 0; rc == 0 && i < txns.n; i++) {
		if ((rc = mapping_key_check(txns.v[i].case_id, "a block's case id", err)) != 0 ||
		    (rc = check_identifiers(&txns.v[i], err)) != 0)
			break;
		struct sql_row row = transaction_row(d, &txns.v[i], a);
		ARENA_PUSH(a, out, row);
	}
	return rc;
}

static int read_kind(struct slice text, enum replay_kind *kind, struct err *err)
{
	for (int k = REPLAY_FORM; k <= REPLAY_PATCH; k++)
		if (slice_is(text, kind_names[k])) {
			*kind = (enum replay_kind)k;
			return 0;
		}
	return err_set(err, ERR_SYNTAX, "column case_transactions.kind: unknown kind %.*s", SLICE_ARG(text));
}

/* raw while the actions are what taming makes of it; a changed cell is seen. */
static int read_actions(const struct sql_row *row, struct arena *a, struct json *out, struct err *err)
{
	struct json exact;
	int rc = cell_read(row->cells[TXN_ACTIONS], "case_transactions.actions", a, out, err);
	if (rc || !row->cells[TXN_RAW].ptr)
		return rc;
	if ((rc = cell_read(row->cells[TXN_RAW], "case_transactions.raw", a, &exact, err)) != 0)
		return rc;
	struct json tame = json_tame(a, &exact);
	if (json_eq(out, &tame))
		*out = exact;
	return 0;
}

#define NO_DATE "9999-12-31T23:59:59.999999Z"

void mapping_put_dates(struct sql_row *row, struct slice applied, struct slice original)
{
	int changed = !slice_eq(applied, original);
	row->cells[TXN_SERVER_DATE] = applied;
	row->cells[TXN_ORIGINAL_SERVER_DATE] = !changed ? SLICE_NONE : original.ptr ? original : SLICE(NO_DATE);
}

static struct slice applied_date(const struct sql_row *row)
{
	return row->cells[TXN_SERVER_DATE];
}

struct slice mapping_original_date(const struct sql_row *row)
{
	struct slice original = row->cells[TXN_ORIGINAL_SERVER_DATE];
	if (slice_is(original, NO_DATE))
		return SLICE_NONE;
	return original.ptr ? original : row->cells[TXN_SERVER_DATE];
}

static int read_transaction(const struct sql_row *row, struct slice date, struct arena *a, struct replay_txn *txn,
			    struct err *err)
{
	uint32_t position = 0;
	struct slice digits = row->cells[TXN_POSITION];
	for (size_t i = 0; i < digits.len; i++)
		position = position * 10 + (uint32_t)(digits.ptr[i] - '0');
	*txn = (struct replay_txn){
	    .case_id = row->cells[TXN_CASE_ID],
	    .form_id = row->cells[TXN_FORM_ID],
	    .position = position,
	    .server_date = date,
	};
	if (!replay_instant(txn->server_date, &txn->at))
		txn->at = REPLAY_AT_UNREADABLE;
	int rc = read_kind(row->cells[TXN_KIND], &txn->kind, err);
	return rc ? rc : read_actions(row, a, &txn->actions, err);
}

static int read_transactions(const struct sql_row *rows, size_t n, struct slice (*date_of)(const struct sql_row *),
			     struct arena *a, struct replay_txn **out, struct err *err)
{
	int rc = 0;
	*out = ARENA_ARRAY(a, n, struct replay_txn);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_transaction(&rows[i], date_of(&rows[i]), a, &(*out)[i], err);
	if (rc == 0 && n > 1)
		qsort(*out, n, sizeof(**out), replay_txn_order);
	return rc;
}

int mapping_transactions(const struct sql_row *rows, size_t n, struct arena *a, struct replay_txn **out,
			 struct err *err)
{
	return read_transactions(rows, n, applied_date, a, out, err);
}

int mapping_original_transactions(const struct sql_row *rows, size_t n, struct arena *a, struct replay_txn **out,
				  struct err *err)
{
	return read_transactions(rows, n, mapping_original_date, a, out, err);
}
