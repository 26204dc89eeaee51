/* page_compare: the verdict on each case of a page, from what the target holds. */
#include "migrate/page.h"
#include "migrate/sql_only.h"

static void tell_watcher(struct run *r, const struct page_case *c, const struct explain_verdict *v)
{
	struct migrate_comparison cmp = {.diffs = v->diffs, .ignored = v->ignored};

	if (r->watch && v->wants.n == 0)
		r->watch(r->watch_ctx, c->kind, c->id, &cmp);
}

static void keep_verdict(struct run *r, struct page *page, struct page_case *c, const struct explain_verdict *v,
			 struct arena *scratch)
{
	c->diffs = arena_keep(&page->arena, differences_text(&v->diffs, scratch));
	c->changes = arena_keep(&page->arena, differences_text(&v->changes, scratch));
	c->ignored = arena_keep(&page->arena, ignored_text(&v->ignored, scratch));
	tell_watcher(r, c, v);
	for (size_t i = 0; i < v->wants.n; i++)
		ARENA_PUSH(&page->arena, &c->wants, v->wants.v[i]);
}

/* Both sides, or Couch alone. */
static int judge_couch_case(struct run *r, struct page *page, struct page_case *c, struct arena *scratch,
			    struct err *err)
{
	struct explain_case question = page_question(r, c);
	struct explain_verdict verdict;
	struct json sql;

	question.forms = c->forms;
	question.n_forms = c->wants.n;
	if (c->back) {
		if (mapping_case_sql_json(c->back, &c->indices, &c->attachments, c->txns, c->n_txns, scratch, &sql,
					  err))
			return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
		question.sql = &sql;
	}
	c->missing = !c->back;
	page_check_foreseen(c, question.sql, scratch);
	if (page_is_patched(r, c, question.sql, scratch, &verdict)) {
		keep_verdict(r, page, c, &verdict, scratch);
		return 0;
	}
	explain(&question, scratch, &verdict);
	keep_verdict(r, page, c, &verdict, scratch);
	return 0;
}

/* SQL alone (BEHAVIOUR section 7, decision 19): forms made it, and the source has no case of that id in this domain. */
static void judge_sql_case(struct run *r, struct page *page, struct page_case *c, struct arena *scratch)
{
	struct explain_verdict verdict = {0};
	struct json old_value = json_string(c->other_domain), new_value = json_str("present");
	struct diff_step path = {.key = SLICE("*")};
	struct diff d = {.type = DIFF_MISSING, .path = &path, .npath = 1, .new_value = &new_value};

	if (c->other_domain.ptr) {
		path.key = SLICE("domain");
		new_value = json_string(r->env->domain);
		d.type = DIFF_DIFF;
		d.old_value = c->other_domain.len ? &old_value : NULL;
	}
	ARENA_PUSH(scratch, &verdict.diffs, d);
	keep_verdict(r, page, c, &verdict, scratch);
}

static int judge(struct run *r, struct page *page, struct page_case *c, struct arena *scratch, struct err *err)
{
	arena_reset(scratch);
	page_check_foreseen(c, NULL, scratch); /* a patch is foreseen for a case that both sides have */
	if (c->has_couch && c->spooled.deleted && !sql_only_is_mark(r, &c->spooled))
		return 0;
	if (c->has_couch && !c->spooled.deleted)
		return judge_couch_case(r, page, c, scratch, err);
	if (c->back)
		judge_sql_case(r, page, c, scratch);
	return 0;
}

static int judge_all(struct run *r, struct page *page, struct arena *scratch, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++)
		if (judge(r, page, &page->cases.v[i], scratch, err))
			return err->code;
	return 0;
}

/* Those that wanted to know of forms, again, now that these were found. */
static int judge_wanting(struct run *r, struct page *page, struct arena *scratch, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++)
		if (page->cases.v[i].wants.n && judge(r, page, &page->cases.v[i], scratch, err))
			return err->code;
	return 0;
}

int page_compare(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	int rc = judge_all(r, page, &scratch, err);

	if (rc == 0)
		rc = page_find_forms(r, t, page, err);
	if (rc == 0)
		rc = judge_wanting(r, page, &scratch, err);
	arena_release(&scratch);
	return rc;
}
