/* verify_cases: the patched cases of a job, against what their transactions add up to; blocks undone from SQL. */
#include "migrate/verify_forms.h"

#include "migrate/page.h"

#include <stdlib.h>

struct patched { /* a patch form and its case */
	struct slice case_id;
	const struct verify_item *item;
};

struct cases {                   /* of the job, in key order */
	struct patched *patched; /* by case */
	size_t n_patched;
	struct sql_row *keys;
	size_t n;
	struct sql_rows rows, txns, indices, attachments;
};

/* ---- reading ---- */

static int by_case_id(const void *left, const void *right)
{
	return slice_cmp(((const struct patched *)left)->case_id, ((const struct patched *)right)->case_id);
}

static void list_cases(struct verify_job *j, struct cases *c)
{
	c->patched = ARENA_ARRAY(&j->arena, j->items.n, struct patched);
	for (size_t i = 0; i < j->items.n; i++) {
		const struct verify_item *item = &j->items.v[i];
		const struct sql_rows *txns = &item->rows.form.transactions;

		if (txns->n)
			c->patched[c->n_patched++] = (struct patched){txns->v[0].cells[TXN_CASE_ID], item};
	}
	if (c->n_patched)
		qsort(c->patched, c->n_patched, sizeof(*c->patched), by_case_id);
	c->keys = ARENA_ARRAY(&j->arena, c->n_patched, struct sql_row);
	for (size_t i = 0; i < c->n_patched; i++)
		if (i == 0 || by_case_id(&c->patched[i - 1], &c->patched[i]))
			c->keys[c->n++] = row_pair(&j->arena, j->v->env->domain, c->patched[i].case_id);
}

static int read_cases(struct verify_job *j, struct cases *c, struct err *err)
{
	static const int by_case[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct arena *a = &j->arena;
	struct sql_row *owners = ARENA_ARRAY(a, c->n, struct sql_row);

	for (size_t i = 0; i < c->n; i++) {
		owners[i] = row_new(a, 3);
		owners[i].cells[0] = j->v->env->domain;
		owners[i].cells[1] = SLICE("case");
		owners[i].cells[2] = c->keys[i].cells[1];
	}
	if (sql_select(j->target, &sql_cases, by_case, 2, c->keys, c->n, a, &c->rows, err) ||
	    sql_select(j->target, &sql_case_transactions, by_case, 2, c->keys, c->n, a, &c->txns, err) ||
	    sql_select(j->target, &sql_case_indices, by_case, 2, c->keys, c->n, a, &c->indices, err) ||
	    sql_select(j->target, &sql_attachments, by_owner, 3, owners, c->n, a, &c->attachments, err))
		return err->code;
	return 0;
}

/* ---- what transactions add up to ---- */

/* What the fold cannot know: it comes from the Couch document. */
static void take_couch_cells(const struct sql_row *held, struct sql_row *folded)
{
	static const int columns[] = {CASE_DOC_TYPE, CASE_COUCH_REV, CASE_DELETED, CASE_DELETED_ON, CASE_DELETION_ID};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		folded->cells[columns[i]] = held->cells[columns[i]];
}

static int fold_case(struct verify_job *j, const struct sql_row *row, const struct replay_txn *txns, size_t n,
		     struct mapping_case *out, struct err *err)
{
	struct mapping_case_source src = {.kind = row->cells[CASE_DOC_TYPE]};
	struct replay_case folded;
	int rc;

	replay_fold(&replay_dialect_sql, txns, n, &j->arena, &folded);
	rc = mapping_case(j->v->env->domain, &folded, &src, &j->arena, out, err);
	if (rc == 0)
		take_couch_cells(row, &out->row);
	return rc;
}

static void check_rows(struct verify_job *j, struct slice id, const struct sql_table *t, const struct sql_rows *wanted,
		       const struct sql_rows *held)
{
	const char *column = wanted->n == held->n ? NULL : "number of rows";

	for (size_t i = 0; i < wanted->n && i < held->n && !column; i++)
		column = verify_differing_column(t, &wanted->v[i], &held->v[i], &j->arena);
	if (column)
		verify_job_found(j, "%s: %s of patched case %.*s is not what its transactions add up to", t->name,
				 column, SLICE_ARG(id));
}

/* ---- blocks undone from SQL, where the trail keeps digests ---- */

static const char *undo(struct verify_job *j, const struct verify_item *item, const struct sql_row *row,
			const struct replay_txn *txns, size_t n)
{
	struct err err = ERR_INIT;
	struct mapping_case folded;
	struct json after;
	size_t k = 0, findings = j->findings.n;

	while (k < n && !slice_eq(txns[k].form_id, item->form_id))
		k++;
	if (k == n)
		return "the case has no transaction of it";
	if (fold_case(j, row, txns, k + 1, &folded, &err) ||
	    mapping_case_sql_json(&folded.row, &folded.indices, &folded.attachments, txns, k + 1, &j->arena, &after,
				  &err))
		return arena_str(&j->arena, slice_of(err.msg));
	if (!verify_is_after(j, item, &after))
		return "its case has changed before it since, and the trail keeps digests only";
	verify_block(j, item, &after);
	j->from_sql += j->findings.n == findings;
	return NULL;
}

static void undo_all(struct verify_job *j, const struct patched *patched, size_t n_patched, const struct sql_row *row,
		     const struct replay_txn *txns, size_t n)
{
	for (size_t i = 0; i < n_patched; i++) {
		const struct verify_item *item = patched[i].item;
		const char *why;

		if (json_gets(&item->entry, "after"))
			continue;
		why = undo(j, item, row, txns, n);
		if (why)
			j->untold[item - j->items.v] = slice_of(why);
	}
}

/* ---- a case ---- */

struct one { /* case */
	struct slice id;
	const struct patched *patched;
	size_t n_patched;
	struct sql_rows row, txns, indices, attachments;
};

static int check_case(struct verify_job *j, const struct one *c, struct err *err)
{
	struct replay_txn *txns;
	struct mapping_case folded;
	struct sql_rows wanted = {.v = &folded.row, .n = 1};
	int rc = mapping_transactions(c->txns.v, c->txns.n, &j->arena, &txns, err);

	if (rc == 0)
		rc = fold_case(j, &c->row.v[0], txns, c->txns.n, &folded, err);
	if (rc)
		return rc;
	check_rows(j, c->id, &sql_cases, &wanted, &c->row);
	check_rows(j, c->id, &sql_case_indices, &folded.indices, &c->indices);
	check_rows(j, c->id, &sql_attachments, &folded.attachments, &c->attachments);
	undo_all(j, c->patched, c->n_patched, &c->row.v[0], txns, c->txns.n);
	return 0;
}

int verify_cases(struct verify_job *j, struct err *err)
{
	struct cases c = {0};
	size_t at[4] = {0}, next = 0;

	list_cases(j, &c);
	if (read_cases(j, &c, err))
		return err->code;
	for (size_t i = 0; i < c.n; i++) {
		struct slice id = c.keys[i].cells[1];
		struct one one = {
		    .id = id,
		    .patched = c.patched + next,
		    .row = page_rows_of(&c.rows, CASE_ID, id, &at[0]),
		    .txns = page_rows_of(&c.txns, TXN_CASE_ID, id, &at[1]),
		    .indices = page_rows_of(&c.indices, INDEX_CASE_ID, id, &at[2]),
		    .attachments = page_rows_of(&c.attachments, ATT_OWNER_ID, id, &at[3]),
		};

		for (; next < c.n_patched && slice_eq(c.patched[next].case_id, id); next++)
			one.n_patched++;
		if (one.row.n == 0) {
			verify_job_found(j, "cases: patched case %.*s is not there", SLICE_ARG(id));
		} else if (check_case(j, &one, err)) {
			verify_job_found(j, "case_transactions: patched case %.*s: %s", SLICE_ARG(id), err->msg);
			*err = (struct err)ERR_INIT;
		}
	}
	return 0;
}
