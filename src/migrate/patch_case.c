/* patch_case: rows and Couch documents -> plans, forms and the cases they will lead to. */
#include "migrate/patch_case.h"

#include "base/clock.h"
#include "base/datetime.h"
#include "base/hex.h"
#include "migrate/mapping_cells.h"
#include "migrate/page.h"
#include "migrate/patch_document.h"

#include <stdlib.h>

/* ---- reading ---- */

struct held { /* of the whole page, each in key order */
	struct sql_rows cases, txns, indices, attachments;
};

static int read_held(struct run *r, struct patch_cases *page, struct held *out, struct err *err)
{
	static const int by_id[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct arena *a = &page->arena;
	size_t n = page->list.n;
	struct sql_row *keys = ARENA_ARRAY(a, n, struct sql_row), *owners = ARENA_ARRAY(a, n, struct sql_row);

	for (size_t i = 0; i < n; i++) {
		keys[i] = row_pair(a, r->env->domain, page->list.v[i].id);
		owners[i] = row_new(a, 3);
		owners[i].cells[0] = r->env->domain;
		owners[i].cells[1] = SLICE("case");
		owners[i].cells[2] = page->list.v[i].id;
	}
	*out = (struct held){0};
	if (sql_select(r->lister, &sql_cases, by_id, 2, keys, n, a, &out->cases, err) ||
	    sql_select(r->lister, &sql_case_transactions, by_id, 2, keys, n, a, &out->txns, err) ||
	    sql_select(r->lister, &sql_case_indices, by_id, 2, keys, n, a, &out->indices, err) ||
	    sql_select(r->lister, &sql_attachments, by_owner, 3, owners, n, a, &out->attachments, err))
		return err->code;
	return 0;
}

static int read_couch(struct run *r, struct patch_case *c, struct arena *a, struct err *err)
{
	struct state_case spooled;
	int rc = state_case_get(r->lister_state, c->id, a, &spooled, err);

	if (rc == ERR_NOTFOUND || (rc == 0 && spooled.deleted))
		return 0;
	if (rc)
		return rc;
	c->couch_rev = spooled.rev;
	c->couch_doc = &c->couch;
	if (json_read(spooled.body, a, 0, &c->couch, NULL, err))
		return err_prefix(err, "spooled case %.*s", SLICE_ARG(c->id));
	return 0;
}

int patch_sql_json(const struct sql_row *row, const struct sql_rows *txns, const struct sql_rows *indices,
		   const struct sql_rows *attachments, struct arena *a, struct json *out, struct err *err)
{
	struct replay_txn *list;

	*out = json_null;
	if (!row)
		return 0;
	if (mapping_transactions(txns->v, txns->n, a, &list, err))
		return err->code;
	return mapping_case_sql_json(row, indices, attachments, list, txns->n, a, out, err);
}

static int read_page(struct run *r, struct patch_cases *page, struct err *err)
{
	struct held held;
	size_t at[4] = {0};

	if (read_held(r, page, &held, err))
		return err->code;
	for (size_t i = 0; i < page->list.n; i++) {
		struct patch_case *c = &page->list.v[i];
		struct sql_rows row = page_rows_of(&held.cases, CASE_ID, c->id, &at[0]);

		c->row = row.n ? &row.v[0] : NULL;
		c->txns = page_rows_of(&held.txns, TXN_CASE_ID, c->id, &at[1]);
		c->indices = page_rows_of(&held.indices, INDEX_CASE_ID, c->id, &at[2]);
		c->attachments = page_rows_of(&held.attachments, ATT_OWNER_ID, c->id, &at[3]);
		if (read_couch(r, c, &page->arena, err) ||
		    patch_sql_json(c->row, &c->txns, &c->indices, &c->attachments, &page->arena, &c->before, err))
			return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
	}
	return 0;
}

/* ---- the form's rows ---- */

static const struct profile_kind form_kind = {
    .name = {"XFormInstance", 13}, .stored_as = {"XFormInstance", 13}, .processed = 1, .compared = 1};

static int rows_of_body(struct slice domain, const struct json *body, struct slice xml, struct arena *a,
			struct mapping_form *out, struct err *err)
{
	struct json *doc = ARENA_NEW(a, struct json);
	struct mapping_doc d = {.domain = domain, .kind = &form_kind, .doc_type = form_kind.name, .doc = doc};

	*doc = patch_form_document(body, domain, xml, a);
	d.id = json_get_text(doc, "_id");
	d.odd = json_odd(doc);
	d.bytes = json_to_text(doc, JSON_PLAIN, a);
	return mapping_form(&d, a, out, err);
}

static void keep_xml(struct slice xml, struct sql_rows *attachments)
{
	for (size_t i = 0; i < attachments->n; i++)
		if (slice_is(attachments->v[i].cells[ATT_NAME], PATCH_XML_NAME))
			attachments->v[i].cells[ATT_BYTES] = xml;
}

/* The row that the form of a plain document sets; nothing for the form of a case. */
static int row_of_document(struct slice domain, struct arena *a, struct patch_rows *out, struct err *err)
{
	struct profile_kind kind = {.cls = PROFILE_DOCUMENT};
	struct mapping_doc d = {.domain = domain, .kind = &kind, .doc = &out->doc};
	struct json_info info;
	int rc = patch_document_of(&out->body, &out->document, err);

	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc || json_read(out->document.text, a, 0, &out->doc, &info, err))
		return rc ? rc : err_prefix(err, "the form's document");
	out->is_document = 1;
	d.id = out->document.id;
	d.rev = out->document.rev;
	d.doc_type = kind.name = out->document.kind;
	d.bytes = out->document.text;
	d.odd = info.odd;
	return mapping_document(&d, a, &out->row, err);
}

int patch_rows_of(struct slice domain, struct slice xml, struct arena *a, struct patch_rows *out, struct err *err)
{
	int rc;

	*out = (struct patch_rows){0};
	if ((rc = patch_xml_read(xml, a, &out->body, err)) != 0 ||
	    (rc = patch_block_of(&out->body, a, &out->block, err)) != 0 ||
	    (rc = row_of_document(domain, a, out, err)) != 0 ||
	    (rc = rows_of_body(domain, &out->body, xml, a, &out->form, err)) != 0)
		return rc;
	keep_xml(xml, &out->form.attachments);
	return 0;
}

/* ---- the case after ---- */

static int predict(struct run *r, struct patch_case *c, const struct sql_rows *added, struct arena *a,
		   struct page_case *out, struct err *err)
{
	struct mapping_case_source src = {.kind = c->kind, .couch_rev = c->couch_rev, .couch = c->couch_doc};
	struct sql_rows all = {0};
	struct replay_case folded;
	int rc;

	*out = (struct page_case){.id = c->id};
	for (size_t i = 0; i < c->txns.n; i++)
		ARENA_PUSH(a, &all, c->txns.v[i]);
	for (size_t i = 0; i < added->n; i++)
		ARENA_PUSH(a, &all, added->v[i]);
	out->n_txns = all.n;
	if ((rc = mapping_transactions(all.v, all.n, a, &out->txns, err)) != 0)
		return rc;
	replay_fold(&replay_dialect_sql, out->txns, out->n_txns, a, &folded);
	if ((rc = mapping_case(r->env->domain, &folded, &src, a, &out->mapped, err)) != 0)
		return rc;
	return mapping_case_sql_json(&out->mapped.row, &out->mapped.indices, &out->mapped.attachments, out->txns,
				     out->n_txns, a, &c->after, err);
}

/* ---- when ---- */

/* After everything that has happened to the case: max(now, its last transaction + 1 microsecond). */
static struct slice time_of(const struct patch_case *c, int64_t now, struct arena *a)
{
	char text[DATETIME_TEXT_SIZE];

	for (size_t i = 0; i < c->txns.n; i++) {
		int64_t at;

		if (replay_instant(c->txns.v[i].cells[TXN_SERVER_DATE], &at) && at >= now)
			now = at + 1;
	}
	if (!datetime_format(now, text))
		return SLICE_NONE;
	return arena_slice(a, slice_of(text));
}

#define PREFIX 8
#define RANDOM_ID 32 /* digits: a UUID, with or without hyphens */

/*
 * Random; but where the case's id is random hexadecimal too it begins with the same digits: a pass goes by case ids, so
 * that its forms come into the indexes in their order, and the rows of a page lie together. Otherwise each row is a
 * page of SQLite's to write.
 */
static struct slice new_form_id(struct slice case_id, struct arena *a)
{
	char prefix[PREFIX + 1] = "";

	if (case_id.len >= RANDOM_ID)
		memcpy(prefix, case_id.ptr, PREFIX);
	if (strspn(prefix, "0123456789abcdef") != PREFIX)
		return hex_random(PATCH_ID_BYTES, a);
	return arena_printf(a, "%s%.*s", prefix, SLICE_ARG(hex_random(PATCH_ID_BYTES - PREFIX / 2, a)));
}

/* ---- planning ---- */

static void refuse(struct patch_case *c, struct slice why)
{
	c->refused = why;
}

/* Ids of forms that SQL alone has: the patch form is among them. */
static int is_form_of_sql(const struct diff *d)
{
	return d->type == DIFF_SET_MISMATCH && d->npath && slice_is(d->path[0].key, "xform_ids") &&
	       json_text(d->old_value).len == 0;
}

/* A form cannot help that some fields follow from it: they are recorded too. */
static void record_unpatchable(const struct patch_policy *policy, struct patch_case *c, const struct diff_list *left,
			       struct arena *a)
{
	const struct json *before = c->before.type == JSON_OBJECT ? &c->before : NULL;

	for (size_t i = 0; i < left->n; i++)
		if (!is_form_of_sql(&left->v[i]) && patch_is_unpatchable(policy, &left->v[i]) &&
		    !patch_block_records(policy, &c->plan.block, &left->v[i]))
			patch_plan_record(policy, &left->v[i], before, a, &c->plan);
}

/* The first difference that would be left all the same. */
static void refuse_useless(const struct patch_policy *policy, struct patch_case *c, const struct diff_list *left,
			   struct arena *a)
{
	for (size_t i = 0; i < left->n; i++) {
		struct json v;

		if (patch_is_unpatchable(policy, &left->v[i]) ||
		    (patch_is_blanked(&left->v[i]) && patch_block_records(policy, &c->plan.block, &left->v[i])))
			continue;
		v = diff_to_json(&left->v[i], a);
		v = *json_gets(&v, "path");
		refuse(c, arena_printf(a, "%.*s: a form cannot make this difference go",
				       SLICE_ARG(json_to_text(&v, JSON_PLAIN, a))));
		return;
	}
	refuse(c, SLICE("the case would still differ after the patch"));
}

static void check_prediction(struct run *r, struct patch_case *c, const struct page_case *after, struct arena *a)
{
	const struct patch_policy *policy = &r->profile->patch;
	struct migrate_comparison cmp = {0};
	struct explain_ids touching = explain_touching_forms(after->txns, after->n_txns, a);

	migrate_compare(r->profile, c->kind, c->couch_doc, &c->after, touching.v, touching.n, 0, a, &cmp);
	record_unpatchable(policy, c, &cmp.diffs, a);
	if (!patch_is_patched(policy, &cmp.diffs, &c->plan.block, c->form_id, a))
		refuse_useless(policy, c, &cmp.diffs, a);
}

int patch_case_write(struct run *r, struct patch_case *c, const struct json *body, struct arena *a, struct err *err)
{
	struct buf xml = BUF_INIT(r->options.max_doc);
	int rc = patch_xml_write(body, &xml, err);

	if (rc == 0)
		c->xml = arena_slice(a, buf_slice(&xml));
	buf_release(&xml);
	return rc;
}

int patch_case_refuse(struct patch_case *c, struct arena *a, struct err *err)
{
	if (err->code != ERR_SYNTAX && err->code != ERR_LIMIT)
		return err->code;
	refuse(c, arena_slice(a, slice_of(err->msg)));
	*err = (struct err)ERR_INIT;
	return 0;
}

void patch_case_stamp(struct patch_case *c, int64_t now, struct arena *a)
{
	c->form_id = new_form_id(c->id, a);
	c->received_on = time_of(c, now, a);
	if (!c->received_on.ptr)
		refuse(c, SLICE("no time comes after its last form"));
}

/* The form of the plan as it is; refused when something would be left. */
static int try_form(struct run *r, struct patch_case *c, const struct patch_stamp *stamp, struct arena *a,
		    struct err *err)
{
	struct json body = patch_form_body(&c->plan, stamp, a);
	struct mapping_form rows;
	struct page_case after;

	if (rows_of_body(r->env->domain, &body, SLICE(""), a, &rows, err) ||
	    predict(r, c, &rows.transactions, a, &after, err))
		return patch_case_refuse(c, a, err);
	check_prediction(r, c, &after, a);
	return 0;
}

/*
 * An update says more of the Couch case than a plan needs (its user, its location): where nothing asked for one and
 * something would be left, it may make that go too.
 */
static int try_update(struct run *r, struct patch_case *c, const struct patch_stamp *stamp, struct json block,
		      struct arena *a, struct err *err)
{
	struct slice refused = c->refused;

	c->plan.actions |= PATCH_UPDATE;
	c->plan.block = block;
	refuse(c, SLICE_NONE);
	if (try_form(r, c, stamp, a, err))
		return err->code;
	if (c->refused.ptr)
		refuse(c, refused);
	return 0;
}

static int make_form(struct run *r, struct patch_case *c, struct arena *a, struct err *err)
{
	struct patch_stamp stamp = {.form_id = c->form_id,
				    .received_on = c->received_on,
				    .modified_on = json_get_text(&c->before, "modified_on")};
	struct json block = json_clone(a, &c->plan.block), body;

	if (try_form(r, c, &stamp, a, err) ||
	    (c->refused.ptr && !(c->plan.actions & PATCH_UPDATE) && try_update(r, c, &stamp, block, a, err)))
		return err->code;
	if (c->refused.ptr)
		return 0;
	patch_block_set_before(&c->plan.block, c->before.type == JSON_OBJECT ? &c->before : NULL, &c->after, a);
	body = patch_form_body(&c->plan, &stamp, a);
	return patch_case_write(r, c, &body, a, err) ? patch_case_refuse(c, a, err) : 0;
}

static int can_patch(const struct run *r, const struct patch_case *c)
{
	const struct profile_kind *kind = profile_kind(r->profile, c->kind);

	return r->profile->has_patch && kind && kind->cls == PROFILE_STATE && !kind->deleted;
}

static int plan_case(struct run *r, struct patch_case *c, int64_t now, struct arena *a, struct err *err)
{
	if (patch_sets_kind(r, c->kind))
		return 0;
	if (!can_patch(r, c)) {
		refuse(c, SLICE("documents of this kind are not patched"));
		return 0;
	}
	patch_plan(&r->profile->patch, c->couch_doc, &c->diffs, a, &c->plan);
	refuse(c, c->plan.refused);
	if (c->refused.ptr)
		return 0;
	patch_case_stamp(c, now, a);
	return c->refused.ptr ? 0 : make_form(r, c, a, err);
}

int patch_cases_read(struct run *r, struct patch_cases *page, struct err *err)
{
	page->now = clock_utc_us();
	if (read_page(r, page, err) || patch_documents_plan(r, page, page->now, err))
		return err->code;
	return 0;
}

int patch_cases_make(struct run *r, struct patch_cases *page, struct err *err)
{
	for (size_t i = 0; i < page->list.n; i++)
		if (plan_case(r, &page->list.v[i], page->now, &page->arena, err))
			return err_prefix(err, "case %.*s", SLICE_ARG(page->list.v[i].id));
	return 0;
}

int patch_cases_plan(struct run *r, struct patch_cases *page, struct err *err)
{
	int rc = patch_cases_read(r, page, err);

	return rc ? rc : patch_cases_make(r, page, err);
}

/* ---- what the trail keeps ---- */

struct json patch_entry(const struct patch_case *c, struct arena *a)
{
	struct json v = json_object();

	json_sets(a, &v, "form_id", json_string(c->form_id));
	json_sets(a, &v, "kind", json_string(c->kind));
	json_sets(a, &v, "id", json_string(c->id));
	json_sets(a, &v, "received_on", json_string(c->received_on));
	json_sets(a, &v, "xml_sha256", json_string(hex_sha256(c->xml, a)));
	json_sets(a, &v, "before_sha256", json_string(patch_digest(&c->before, a)));
	json_sets(a, &v, "after_sha256", json_string(patch_digest(&c->after, a)));
	json_sets(a, &v, "block", c->plan.block);
	json_sets(a, &v, "after", c->after);
	return v;
}
