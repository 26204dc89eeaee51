/* refilter: stored differences after the rules were edited. */
#include "migrate/again_internal.h"

#include "migrate/rows.h"
#include "migrate/rules_used.h"
#include "migrate/session.h"
#include "migrate/trail.h"

#define PAGE 500

/* ---- what stored differences tell by themselves ---- */

struct refilter {
	struct run *r;
	struct state *state; /* read from */
	struct again_result *result;
	int (*changed)(void *ctx, const struct refilter_change *c, struct err *err);
	void *ctx;
};

static int is_copy_check(const struct diff_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_is(list->v[i].reason, COPY_CHECK_REASON))
			return 1;
	return 0;
}

/* Adds the counts of `more` to those of `known`, both JSON objects rule -> count. */
static int add_tallies(struct slice known, struct slice more, struct arena *a, struct slice *out, struct err *err)
{
	struct json sum = json_object(), added;

	if (known.len && json_read(known, a, 0, &sum, NULL, err))
		return err->code;
	if (more.len && json_read(more, a, 0, &added, NULL, err))
		return err->code;
	for (uint32_t i = 0; more.len && i < added.count; i++) {
		struct slice key = added.members[i].key;
		const struct json *had = json_get(&sum, key);
		long long n = row_to_int(added.members[i].value.text) + (had ? row_to_int(had->text) : 0);

		json_set(a, &sum, key, json_int(a, n));
	}
	*out = sum.count ? json_to_text(&sum, JSON_CANONICAL, a) : SLICE_NONE;
	return 0;
}

static int put_filtered(struct refilter *f, const struct state_item *item, const struct migrate_comparison *cmp,
			struct arena *a, struct err *err)
{
	struct state_doc doc;
	struct slice more;

	if (state_doc_get(f->r->state, item->id, a, &doc, err))
		return err->code;
	comparison_texts(cmp, a, &doc.diffs, &more);
	if (add_tallies(doc.ignored, more, a, &doc.ignored, err))
		return err->code;
	return state_doc_put(f->r->state, &doc, err);
}

/* Both sides are absent for the rules: only those that drop differences as they stand there can hold. */
static int filter_item(struct refilter *f, const struct state_item *item, struct arena *a, struct err *err)
{
	struct rule_context ctx = {.kind = item->kind};
	struct migrate_comparison cmp = {0};
	struct diff_list stored = {0};
	struct refilter_change c = {.kind = item->kind, .id = item->id};
	struct json v;

	if (json_read(item->json, a, 0, &v, NULL, err) || diff_list_from_json(&v, a, &stored, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(item->id));
	}
	if (is_copy_check(&stored))
		cmp.diffs = stored;
	else
		rules_filter(&f->r->profile->rules, &ctx, &stored, a, &cmp.diffs, &cmp.ignored);
	f->result->compared++;
	f->result->diffs += cmp.diffs.n > 0;
	if (cmp.diffs.n == stored.n)
		return 0;
	c.diffs_before = stored.n;
	c.diffs_after = cmp.diffs.n;
	if (f->changed && f->changed(f->ctx, &c, err))
		return err->code;
	return f->r->state ? put_filtered(f, item, &cmp, a, err) : 0;
}

static int filter_page(struct refilter *f, const struct state_items *page, struct arena *a, struct err *err)
{
	const struct selection *s = f->r->again->selection;
	int rc = f->r->state ? state_begin(f->r->state, err) : 0;

	for (size_t i = 0; i < page->n && rc == 0; i++)
		if (!selection_is_case(s, page->v[i].kind) && selection_has(s, page->v[i].kind, page->v[i].id))
			rc = filter_item(f, &page->v[i], a, err);
	if (rc == 0 && f->r->state)
		rc = state_commit(f->r->state, err);
	if (rc && f->r->state)
		state_rollback(f->r->state);
	return rc;
}

static int filter_forms(struct refilter *f, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items page = {0};
	int rc = 0;

	do {
		arena_reset(&a);
		page = (struct state_items){0};
		rc = state_list(f->state, STATE_DIFFS, kind, id, PAGE, &a, &page, err);
		if (rc == 0 && page.n) {
			arena_reset(&last);
			kind = arena_slice(&last, page.v[page.n - 1].kind);
			id = arena_slice(&last, page.v[page.n - 1].id);
			rc = filter_page(f, &page, &a, err);
		}
		if (rc == 0 && run_stopped(f->r))
			rc = err_set(err, ERR_STOPPED, "stopped before the end");
	} while (rc == 0 && page.n == PAGE);
	arena_release(&a);
	arena_release(&last);
	return rc;
}

/* ---- what has to be done ---- */

struct plan {
	struct rules_judgement cases, forms;
	int with_cases, with_forms; /* the selection names some */
};

static int make_plan(const struct migrate_env *env, const struct selection *s, enum refilter_flags flags,
		     struct arena *a, struct plan *out, struct err *err)
{
	struct run r;
	struct status status;
	enum life_status to;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, RUN_LOOK, err);

	out->with_cases = selection_meets_class(s, 1);
	out->with_forms = selection_meets_class(s, 0) && !(flags & REFILTER_CHANGES);
	if (rc == 0)
		rc = status_read(r.lister, env->domain, &r.arena, &status, err);
	if (rc == 0)
		rc = life_check(status.life, status.was_live, LIFE_REPAIR, &to, err);
	if (rc == 0)
		rc = rules_used_judge(r.lister_state, env->profile, AGAIN_CASES, a, &out->cases, err);
	if (rc == 0)
		rc = rules_used_judge(r.lister_state, env->profile, AGAIN_FORMS, a, &out->forms, err);
	run_release(&r);
	if (rc || !out->with_forms || out->forms.verdict != RULES_OTHER || env->source)
		return rc;
	err_set(err, ERR_STATE, "stored differences of forms do not tell what %.*s changes",
		SLICE_ARG(out->forms.rule));
	return err_hint(err, "give --source, and they are compared again; or `settle diff filter %.*s --select cases`",
			SLICE_ARG(env->domain));
}

static int filter_stored_forms(const struct migrate_env *env, struct again *again, enum refilter_flags flags,
			       struct err *err)
{
	int look = (flags & REFILTER_DRY_RUN) != 0;
	struct run r;
	struct status s;
	enum life_status to;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, look ? RUN_LOOK : 0, err);
	struct refilter f = {.r = &r, .result = again->result, .changed = again->changed, .ctx = again->changed_ctx};

	r.again = again;
	f.state = look ? r.lister_state : r.state;
	if (rc == 0 && !look)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = filter_forms(&f, err);
	if (rc == 0 && !look)
		rc = again_settle_cases(&r, err);
	if (rc == 0 && !look && again->selection->what == SELECT_ALL)
		rc = rules_used_only(r.state, env->profile, AGAIN_FORMS, err);
	else if (rc == 0 && !look)
		rc = rules_used_add(r.state, env->profile, AGAIN_FORMS, err);
	run_release(&r);
	return rc;
}

/* Cases whose outcome can be another: with rules only added, those with differences or changes. */
static int filter_cases(const struct migrate_env *env, struct again *again, const struct plan *plan,
			enum refilter_flags flags, struct err *err)
{
	struct selection all_changes = *again->selection;
	struct again mine = *again;

	mine.narrowed = plan->cases.verdict == RULES_ADDED;
	if (flags & REFILTER_CHANGES && all_changes.what == SELECT_ALL) {
		all_changes.what = SELECT_CHANGES;
		mine.selection = &all_changes;
	}
	return again_run(env, AGAIN_CASES, &mine, (flags & REFILTER_DRY_RUN) != 0, LIFE_REPAIR, err);
}

/* ---- the audit trail ---- */

struct telling { /* counts what is told to the caller */
	int (*changed)(void *ctx, const struct refilter_change *c, struct err *err);
	void *ctx;
	int64_t n;
};

static int count_change(void *ctx, const struct refilter_change *c, struct err *err)
{
	struct telling *t = ctx;

	t->n++;
	return t->changed ? t->changed(t->ctx, c, err) : 0;
}

static int write_event(struct run *r, const struct again_result *result, int64_t changed, struct err *err)
{
	struct audit_trailer trailers[] = {{"Compared", arena_printf(&r->arena, "%lld", (long long)result->compared)},
					   {"Changed", arena_printf(&r->arena, "%lld", (long long)changed)}};
	struct trail_note note = {
	    .event = "filter",
	    .subject = arena_printf(&r->arena,
				    "edited rules applied: %lld documents compared, of %lld the differences are others",
				    (long long)result->compared, (long long)changed),
	    .text = SLICE("What was edited is seen in profile.json."),
	    .trailers = trailers,
	    .n_trailers = 2,
	    .flags = TRAIL_IF_CHANGED,
	};

	return trail_event(r, &note, err);
}

/* result NULL: could it be told? Asked before anything is recorded. */
static int tell_trail(const struct migrate_env *env, const struct again_result *result, int64_t changed,
		      struct err *err)
{
	struct run r;
	struct status s;
	enum life_status to;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, 0, err);

	if (rc == 0)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = result ? write_event(&r, result, changed, err) : trail_check(&r, err);
	run_release(&r);
	return rc;
}

static int refilter(const struct migrate_env *env, struct again *again, const struct plan *plan,
		    enum refilter_flags flags, struct err *err)
{
	int rc = 0;

	if (plan->with_cases && plan->cases.verdict != RULES_SAME)
		rc = filter_cases(env, again, plan, flags, err);
	if (rc == 0 && plan->with_forms && plan->forms.verdict == RULES_ADDED)
		rc = filter_stored_forms(env, again, flags, err);
	if (rc == 0 && plan->with_forms && plan->forms.verdict == RULES_OTHER)
		rc = again_run(env, AGAIN_FORMS, again, (flags & REFILTER_DRY_RUN) != 0, LIFE_REPAIR, err);
	return rc;
}

static int has_work(const struct plan *plan)
{
	return (plan->with_cases && plan->cases.verdict != RULES_SAME) ||
	       (plan->with_forms && plan->forms.verdict != RULES_SAME);
}

/* Killed before its event it leaves rules, or numbers, that the trail does not know: the end of the next run tells. */
int migrate_refilter(const struct migrate_env *env, const struct selection *selection, enum refilter_flags flags,
		     int (*changed)(void *ctx, const struct refilter_change *c, struct err *err), void *ctx,
		     struct again_result *out, struct err *err)
{
	struct telling telling = {changed, ctx, 0};
	struct again again = {.selection = selection, .changed = count_change, .changed_ctx = &telling, .result = out};
	struct arena a = ARENA_INIT;
	struct plan plan = {0};
	int rc, told;

	*out = (struct again_result){0};
	rc = make_plan(env, selection, flags, &a, &plan, err);
	told = has_work(&plan) && !(flags & REFILTER_DRY_RUN);
	if (rc == 0 && told)
		rc = tell_trail(env, NULL, 0, err);
	if (rc == 0)
		rc = refilter(env, &again, &plan, flags, err);
	if (rc == 0 && told)
		rc = tell_trail(env, out, telling.n, err);
	arena_release(&a);
	return rc;
}
