/* forms: `migrate --forms`: documents by their ids, and those that are missing, brought over like any other. */
#include "migrate/find.h"
#include "migrate/rows.h"
#include "migrate/sql_only.h"

#include <stdlib.h>

#define PAGE 500

struct ids {
	struct slice *v;
	size_t n, cap;
};

struct forms {
	struct run *r;
	struct arena arena;
	struct ids ids;
	char *found; /* of each id: enum find_result */
	struct sql_only sql_only;
	struct migrate_counters counters;
};

static void want(struct forms *f, struct slice id)
{
	if (id.ptr && id.len)
		ARENA_PUSH(&f->arena, &f->ids, arena_slice(&f->arena, id));
}

/* ---- which ---- */

static int want_missing(struct forms *f, struct err *err)
{
	struct slice after = SLICE_NONE;
	struct state_id_list page;

	do {
		if (state_ids(f->r->state, STATE_IDS_MISSING, after, PAGE, &f->arena, &page, err))
			return err->code;
		for (size_t i = 0; i < page.n; i++)
			want(f, page.v[i]);
		after = page.n ? page.v[page.n - 1] : after;
	} while (page.n == PAGE);
	return 0;
}

/* "a,b": ids only in Couch, as a set_mismatch holds them. */
static void want_words(struct forms *f, struct slice words)
{
	while (words.len) {
		const char *comma = memchr(words.ptr, ',', words.len);
		size_t n = comma ? (size_t)(comma - words.ptr) : words.len;

		want(f, (struct slice){words.ptr, n});
		n += comma != NULL;
		words = (struct slice){words.ptr + n, words.len - n};
	}
}

/* Of a case that only SQL has: what it and its forms are in Couch now decides what becomes of it. */
static int want_sql_case(struct forms *f, struct slice case_id, struct err *err)
{
	size_t n = f->sql_only.forms.n;

	if (sql_only_add(f->r, case_id, &f->arena, &f->sql_only, err))
		return err->code;
	want(f, case_id);
	for (; n < f->sql_only.forms.n; n++)
		want(f, f->sql_only.forms.v[n]);
	return 0;
}

static int want_from_diff(struct forms *f, const struct diff *d, struct slice id, struct err *err)
{
	struct slice first = d->npath && !d->path[0].is_position ? d->path[0].key : SLICE_NONE;

	if (d->type == DIFF_MISSING_FORMS && json_is(d->old_value, JSON_OBJECT))
		for (uint32_t i = 0; i < d->old_value->count; i++)
			want(f, d->old_value->members[i].key);
	if (d->type == DIFF_SET_MISMATCH && slice_is(first, "xform_ids"))
		want_words(f, json_text(d->old_value));
	if (d->type == DIFF_MISSING && slice_is(first, "*") && !d->old_value)
		return want_sql_case(f, id, err);
	return 0;
}

static int want_from_item(struct forms *f, const struct state_item *item, struct arena *a, struct err *err)
{
	struct diff_list list = {0};
	struct json v;

	if (json_read(item->json, a, 0, &v, NULL, err) || diff_list_from_json(&v, a, &list, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(item->id));
	}
	for (size_t i = 0; i < list.n; i++)
		if (want_from_diff(f, &list.v[i], item->id, err))
			return err->code;
	return 0;
}

/* Forms that stored differences (or changes) of cases name. */
static int want_named(struct forms *f, enum state_list which, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items page;
	int rc;

	do {
		arena_reset(&a);
		rc = state_list(f->r->state, which, kind, id, PAGE, &a, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++)
			rc = want_from_item(f, &page.v[i], &a, err);
		if (rc == 0 && page.n) {
			arena_reset(&last);
			kind = arena_slice(&last, page.v[page.n - 1].kind);
			id = arena_slice(&last, page.v[page.n - 1].id);
		}
	} while (rc == 0 && page.n == PAGE);
	arena_release(&a);
	arena_release(&last);
	return rc;
}

static int by_id(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void sort_and_merge(struct ids *ids)
{
	size_t n = 0;

	if (ids->n)
		qsort(ids->v, ids->n, sizeof(*ids->v), by_id);
	for (size_t i = 0; i < ids->n; i++)
		if (n == 0 || !slice_eq(ids->v[n - 1], ids->v[i]))
			ids->v[n++] = ids->v[i];
	ids->n = n;
}

static int collect(struct forms *f, struct err *err)
{
	for (size_t i = 0; i < f->r->options.n_forms; i++)
		want(f, f->r->options.forms[i]);
	if (f->r->options.forms_missing &&
	    (want_missing(f, err) || want_named(f, STATE_DIFFS, err) || want_named(f, STATE_CHANGES, err)))
		return err->code;
	sort_and_merge(&f->ids);
	return 0;
}

/* ---- bringing them over ---- */

/* Of documents asked for by id. */
static void tell_unchanged(const struct forms *f, const struct batch *b)
{
	for (size_t i = 0; i < b->docs.n && !f->r->options.forms_missing; i++) {
		const struct batch_doc *d = &b->docs.v[i];

		if ((d->fate == FATE_EVENT || d->fate == FATE_DOCUMENT) && d->outcome == SQL_SAME)
			log_at(f->r->env->log, LOG_INFO, "already migrated: %.*s", SLICE_ARG(d->id));
	}
}

static int store(void *ctx, struct batch *b, struct err *err)
{
	struct forms *f = ctx;

	run_prepare(f->r, b);
	for (size_t i = 0; i < b->docs.n; i++)
		if (b->docs.v[i].fate == FATE_SKIP)
			log_at(f->r->env->log, LOG_WARN,
			       "the document belongs to another domain, it is not brought over id=%.*s",
			       SLICE_ARG(b->docs.v[i].id));
	if (run_store_alone(f->r, b, err))
		return err->code;
	tell_unchanged(f, b);
	f->counters.read += b->counters.read;
	f->counters.written += b->counters.written;
	f->counters.unchanged += b->counters.unchanged;
	f->counters.rejected += b->counters.rejected;
	return 0;
}

/* Those that the source does not have are missing no more; of those asked for by id that is news. */
static int settle_absent(struct forms *f, int64_t *absent, struct err *err)
{
	for (size_t i = 0; i < f->ids.n; i++) {
		if (f->found[i] != FIND_ABSENT)
			continue;
		if (!f->r->options.forms_missing) {
			++*absent;
			log_at(f->r->env->log, LOG_WARN, "the source does not have this document id=%.*s",
			       SLICE_ARG(f->ids.v[i]));
		}
		if (state_missing_del(f->r->state, f->ids.v[i], err))
			return err->code;
	}
	return 0;
}

static int is_absent(const void *ctx, struct slice id)
{
	const struct forms *f = ctx;
	const struct slice *at = bsearch(&id, f->ids.v, f->ids.n, sizeof(*f->ids.v), by_id);

	return at && f->found[at - f->ids.v] == FIND_ABSENT;
}

static void report(const struct forms *f)
{
	const struct migrate_counters *c = &f->counters;

	log_at(f->r->env->log, LOG_INFO,
	       "asked for %zu documents: %lld there, %lld written, %lld unchanged, %lld rejected", f->ids.n,
	       (long long)c->read, (long long)c->written, (long long)c->unchanged, (long long)c->rejected);
}

int run_forms(struct run *r, int64_t *absent, struct err *err)
{
	struct forms f = {.r = r};
	int rc = collect(&f, err);

	f.found = arena_zalloc(&f.arena, f.ids.n + 1, 1);
	if (rc == 0)
		rc = find_documents(r, f.ids.v, f.ids.n, f.found, store, &f, err);
	if (rc == 0)
		rc = settle_absent(&f, absent, err);
	if (rc == 0)
		rc = sql_only_settle(r, &f.sql_only, is_absent, &f, err);
	if (rc == 0)
		rc = run_cases(r, err);
	if (rc == 0)
		report(&f);
	r->by_id = f.counters;
	r->asked_by_id = (int64_t)f.ids.n;
	arena_release(&f.arena);
	return rc;
}
