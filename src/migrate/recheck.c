/* recheck: looks again only for the documents that are marked missing. */
#include "migrate/find.h"
#include "migrate/rows.h"
#include "migrate/scan.h"

#define RECHECK_PAGE 500

struct recheck {
	struct run *r;
	struct arena *a;
	struct state_id_list ids;
	char *missing; /* by place in ids: 0, 1, or 2: SQL has a case row, its comparison tells */
};

static int check_target(struct recheck *c, const struct sql_table *table, char verdict, struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_row *keys = ARENA_ARRAY(c->a, c->ids.n, struct sql_row);
	struct sql_rows held = {0};

	for (size_t i = 0; i < c->ids.n; i++)
		keys[i] = row_pair(c->a, c->r->env->domain, c->ids.v[i]);
	if (sql_select(c->r->lister, table, by_id, 2, keys, c->ids.n, c->a, &held, err))
		return err->code;
	for (size_t i = 0, k = 0; i < held.n; i++) {
		while (k < c->ids.n && !slice_eq(c->ids.v[k], held.v[i].cells[1]))
			k++;
		if (k < c->ids.n)
			c->missing[k] = verdict;
	}
	return 0;
}

static int check_state(struct recheck *c, struct err *err)
{
	struct slice domain;

	for (size_t i = 0; i < c->ids.n; i++) {
		if (state_skipped_get(c->r->state, c->ids.v[i], c->a, &domain, err))
			return err->code;
		if (domain.ptr)
			c->missing[i] = 0;
	}
	return 0;
}

static int ask_source(struct recheck *c, struct err *err)
{
	struct couch_ids *list = NULL;
	struct couch_id id;
	int rc = couch_ids_open_keys(&list, &c->r->couch, c->ids.v, c->ids.n, COUCH_IDS_ONLY, 0, err);

	for (size_t i = 0; rc == 0; i++) {
		rc = couch_ids_next(list, &id, err);
		if (rc || !id.id.ptr)
			break;
		if (!id.found || id.deleted)
			c->missing[i] = 0;
	}
	couch_ids_close(list);
	return rc;
}

static int check_source(struct recheck *c, struct err *err)
{
	int rc, tries = 0;

	if (!run_from_server(c->r))
		return 0;
	do
		rc = ask_source(c, err);
	while (rc && find_again(c->r, &tries, err));
	return rc;
}

static int recheck_page(struct recheck *c, int64_t *cleared, struct err *err)
{
	c->missing = arena_alloc(c->a, c->ids.n + 1);
	memset(c->missing, 1, c->ids.n + 1);
	if (check_target(c, &sql_forms, 0, err) || check_target(c, &sql_cases, 2, err) ||
	    check_target(c, &sql_documents, 0, err) || check_state(c, err) || check_source(c, err) ||
	    state_begin(c->r->state, err))
		return err->code;
	for (size_t i = 0; i < c->ids.n; i++) {
		if (c->missing[i] == 1)
			continue;
		++*cleared;
		if (c->missing[i] ? state_case_touch(c->r->state, c->ids.v[i], err)
				  : state_missing_del(c->r->state, c->ids.v[i], err)) {
			state_rollback(c->r->state);
			return err->code;
		}
	}
	return state_commit(c->r->state, err);
}

int run_recheck(struct run *r, struct err *err)
{
	struct buf after = BUF_INIT(SIZE_MAX / 2);
	struct arena a = ARENA_INIT;
	int64_t ids = 0, cleared = 0;
	int rc = 0;

	for (;;) {
		struct recheck c = {.r = r, .a = &a};

		arena_reset(&a);
		rc = run_stopped(r)
			 ? err_set(err, ERR_STOPPED, "clean break")
			 : state_ids(r->state, STATE_IDS_MISSING, buf_slice(&after), RECHECK_PAGE, &a, &c.ids, err);
		if (rc || c.ids.n == 0)
			break;
		buf_clear(&after);
		buf_adds(&after, c.ids.v[c.ids.n - 1]);
		ids += (int64_t)c.ids.n;
		rc = recheck_page(&c, &cleared, err);
		if (rc)
			break;
	}
	if (rc == 0)
		log_at(r->env->log, LOG_INFO,
		       "looked again at %lld missing documents: %lld are there, or gone from the source",
		       (long long)ids, (long long)cleared);
	buf_release(&after);
	arena_release(&a);
	return rc ? rc : run_cases(r, err);
}
