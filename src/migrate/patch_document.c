/* patch_document: planning the patches of plain documents. */
#include "migrate/patch_document.h"

#include "migrate/find.h"
#include "migrate/prepare.h"
#include "sql/tables.h"

#include <stdlib.h>

struct wanted { /* a plain document of the page */
	struct patch_case *c;
	const struct sql_row *row;
	struct mapping_doc source; /* as the source tells it; kind NULL: it does not */
	struct slice why;          /* it does, but not as a plain document of the domain */
};

struct planning {
	struct run *r;
	struct arena *a;
	struct wanted *v; /* in order of id */
	size_t n;
};

int patch_sets_kind(const struct run *r, struct slice kind)
{
	const struct profile_kind *k = profile_kind(r->profile, kind);

	return r->profile->patch_documents && (!k || (k->cls == PROFILE_DOCUMENT && !k->deleted));
}

/* ---- what SQL holds ---- */

static int read_rows(struct planning *p, struct err *err)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct sql_row *keys = ARENA_ARRAY(p->a, p->n, struct sql_row);
	struct sql_rows rows = {0};

	for (size_t i = 0; i < p->n; i++)
		keys[i] = row_pair(p->a, p->r->env->domain, p->v[i].c->id);
	if (sql_select(p->r->lister, &sql_documents, by_id, 2, keys, p->n, p->a, &rows, err))
		return err->code;
	for (size_t i = 0, k = 0; i < p->n; i++) {
		while (k < rows.n && slice_cmp(rows.v[k].cells[DOC_ID], p->v[i].c->id) < 0)
			k++;
		if (k < rows.n && slice_eq(rows.v[k].cells[DOC_ID], p->v[i].c->id))
			p->v[i].row = &rows.v[k];
	}
	return 0;
}

/* ---- what the source tells ---- */

static int by_wanted_id(const void *key, const void *item)
{
	return slice_cmp(*(const struct slice *)key, ((const struct wanted *)item)->c->id);
}

static void take_document(struct planning *p, const struct batch_doc *d)
{
	struct wanted *w = d->id.ptr ? bsearch(&d->id, p->v, p->n, sizeof(*p->v), by_wanted_id) : NULL;
	struct profile_kind *kind;
	struct json *doc;

	if (!w)
		return;
	w->why = d->fate == FATE_DOCUMENT ? SLICE_NONE
					  : SLICE("the source holds it, but not as a plain document of this domain");
	kind = ARENA_NEW(p->a, struct profile_kind);
	*kind = *d->mapped.kind;
	kind->name = arena_slice(p->a, kind->name);
	doc = ARENA_NEW(p->a, struct json);
	*doc = json_copy(p->a, &d->doc);
	w->source = (struct mapping_doc){
	    .domain = p->r->env->domain,
	    .id = w->c->id,
	    .rev = arena_keep(p->a, d->mapped.rev),
	    .kind = kind,
	    .doc_type = kind->name,
	    .doc = doc,
	    .bytes = arena_slice(p->a, d->mapped.bytes),
	    .odd = d->mapped.odd,
	};
}

static int take_batch(void *ctx, struct batch *b, struct err *err)
{
	struct planning *p = ctx;

	(void)err;
	prepare_batch(p->r->profile, p->r->env->domain, b);
	for (size_t i = 0; i < b->docs.n; i++)
		if (b->docs.v[i].mapped.kind)
			take_document(p, &b->docs.v[i]);
	return 0;
}

static int read_source(struct planning *p, struct err *err)
{
	struct slice *ids = ARENA_ARRAY(p->a, p->n, struct slice);

	if (!p->r->env->source) {
		err_set(err, ERR_USAGE, "plain documents are patched from the source, and there is none");
		return err_hint(err, "give --source URL, or select cases only");
	}
	for (size_t i = 0; i < p->n; i++)
		ids[i] = p->v[i].c->id;
	return find_documents(p->r, ids, p->n, NULL, take_batch, p, err);
}

/* ---- one document ---- */

static int is_plannable(const struct wanted *w)
{
	struct patch_case *c = w->c;

	if (!w->source.kind)
		c->refused = SLICE("the source has no such document");
	else if (w->why.ptr)
		c->refused = w->why;
	else if (w->row && !slice_eq(w->row->cells[DOC_COUCH_REV], w->source.rev))
		c->refused = SLICE("the source holds another revision than SQL: `settle migrate` brings it");
	return !c->refused.ptr;
}

static int read_before(struct wanted *w, struct arena *a)
{
	struct err err = ERR_INIT;

	w->c->before = json_null;
	if (!w->row || mapping_document_document(w->row, a, &w->c->before, &err) == 0)
		return 1;
	w->c->refused = arena_printf(a, "what SQL holds cannot be told, so it could not be undone: %s", err.msg);
	return 0;
}

static void find_diffs(struct wanted *w, struct arena *a)
{
	struct patch_case *c = w->c;
	struct diff_step *path;
	struct json *star;

	c->diffs = (struct diff_list){0};
	if (w->row) {
		diff_json(w->source.doc, &c->before, a, &c->diffs);
	} else {
		path = ARENA_NEW(a, struct diff_step);
		star = ARENA_NEW(a, struct json);
		*path = (struct diff_step){.key = SLICE("*")};
		*star = json_str("*");
		ARENA_PUSH(a, &c->diffs,
			   ((struct diff){.type = DIFF_MISSING, .path = path, .npath = 1, .old_value = star}));
	}
	for (size_t i = 0; i < c->diffs.n; i++)
		c->diffs.v[i].reason = SLICE(COPY_CHECK_REASON);
	if (c->diffs.n == 0)
		c->refused = SLICE("SQL holds what the source tells; `settle diff forms` compares it again");
}

/* The row as it will be must give back the document. */
static int check_row(struct wanted *w, struct arena *a)
{
	struct err err = ERR_INIT;
	struct sql_row row;
	struct json back;

	if (mapping_document(&w->source, a, &row, &err) == 0 && mapping_document_document(&row, a, &back, &err) == 0 &&
	    json_eq(&back, w->source.doc))
		return 1;
	w->c->refused = err.code ? arena_slice(a, slice_of(err.msg)) : SLICE("SQL cannot hold it");
	return 0;
}

static int write_form(struct planning *p, struct wanted *w, struct err *err)
{
	struct patch_case *c = w->c;
	struct patch_document document = {
	    .id = c->id, .rev = w->source.rev, .kind = w->source.kind->name, .text = w->source.bytes};
	struct patch_stamp stamp = {.form_id = c->form_id, .received_on = c->received_on};
	int rc;

	c->plan.block = patch_document_block(c->id, &c->diffs, p->a);
	patch_block_set_before(&c->plan.block, w->row ? &c->before : NULL, &c->after, p->a);
	struct json body = patch_document_body(&document, &c->plan.block, &stamp, p->a);
	rc = patch_case_write(p->r, c, &body, p->a, err);
	return rc ? patch_case_refuse(c, p->a, err) : 0;
}

static int plan_document(struct planning *p, struct wanted *w, int64_t now, struct err *err)
{
	struct patch_case *c = w->c;

	if (!is_plannable(w) || !read_before(w, p->a) || !check_row(w, p->a))
		return 0;
	find_diffs(w, p->a);
	if (c->refused.ptr)
		return 0;
	c->kind = w->source.kind->name;
	c->after = *w->source.doc;
	c->plan.actions = w->row ? PATCH_UPDATE : PATCH_CREATE;
	c->plan.properties = c->plan.indices = json_object();
	patch_case_stamp(c, now, p->a);
	return write_form(p, w, err);
}

int patch_documents_plan(struct run *r, struct patch_cases *page, int64_t now, struct err *err)
{
	struct planning p = {.r = r, .a = &page->arena};

	p.v = ARENA_ARRAY(p.a, page->list.n, struct wanted);
	for (size_t i = 0; i < page->list.n; i++)
		if (patch_sets_kind(r, page->list.v[i].kind))
			p.v[p.n++] = (struct wanted){.c = &page->list.v[i]};
	if (p.n == 0)
		return 0;
	if (read_source(&p, err) || read_rows(&p, err))
		return err->code;
	for (size_t i = 0; i < p.n; i++)
		if (plan_document(&p, &p.v[i], now, err))
			return err_prefix(err, "document %.*s", SLICE_ARG(p.v[i].c->id));
	return 0;
}
