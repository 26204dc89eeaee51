/* patch_apply: forms, cases and rows of a patch pass into SQL, page by page, as a pipeline: forms are read side by
 * side, pages are stored in order. */
#include "migrate/patch_apply.h"

#include "migrate/moment.h"
#include "migrate/patch_case.h"
#include "migrate/patch_document.h"
#include "migrate/patch_journal.h"
#include "migrate/patch_withdraw.h"
#include "migrate/pipeline.h"
#include "migrate/session.h"
#include "migrate/trail.h"
#include "sql/tables.h"

#include <stdlib.h>

#define PAGE 150

struct applying {
	struct run *r;
	char *head;
	int resumed;
	int64_t after;           /* the last entry of the journal that was read: the producer's */
	pthread_mutex_t reading; /* who reads lister_state */
	/* of whoever has the turn */
	struct migrate_patched *done;
	struct state_patches stale; /* of the page at hand, in its arena */
	int64_t done_entries[PAGE]; /* of the journal: SQL has them, and the state file's next commit takes them away */
	size_t n_done_entries;
};

struct attempt { /* one transaction */
	struct applying *ap;
	const struct state_patches *journal;
	struct page *page; /* the cases; its arena is the attempt's */
	struct patch_rows *forms;
	enum sql_outcome *outcomes;
	struct patch_sets sets; /* the plain documents */
};

struct apply_job {               /* a page of the journal */
	struct pipeline_job job; /* first: see pipeline.h */
	struct arena arena;
	struct state_patches journal;
};

/* ---- forms ---- */

static void append(struct arena *a, struct sql_rows *to, const struct sql_rows *from)
{
	for (size_t i = 0; i < from->n; i++)
		ARENA_PUSH(a, to, from->v[i]);
}

static int read_forms(struct attempt *at, struct err *err)
{
	for (size_t i = 0; i < at->journal->n; i++) {
		const struct state_patch *p = &at->journal->v[i];

		if (patch_rows_of(at->ap->r->env->domain, p->xml, &at->page->arena, &at->forms[i], err)) {
			err->code = ERR_STATE;
			return err_prefix(err, "journaled patch form %.*s", SLICE_ARG(p->form_id));
		}
	}
	return 0;
}

/* Forms that are there already (the pass was killed after the target's commit) have their children too. */
static int store_forms(struct attempt *at, struct sql_target *t, struct err *err)
{
	struct sql_rows rows = {0}, operations = {0}, attachments = {0}, transactions = {0};
	struct arena *a = &at->page->arena;

	for (size_t i = 0; i < at->journal->n; i++)
		ARENA_PUSH(a, &rows, at->forms[i].form.form);
	if (sql_put(t, &sql_forms, rows.v, rows.n, at->outcomes, a, NULL, err))
		return err->code;
	for (size_t i = 0; i < at->journal->n; i++) {
		if (at->outcomes[i] != SQL_INSERTED)
			continue;
		append(a, &operations, &at->forms[i].form.operations);
		append(a, &attachments, &at->forms[i].form.attachments);
		append(a, &transactions, &at->forms[i].form.transactions);
	}
	if (sql_insert(t, &sql_form_operations, operations.v, operations.n, err) ||
	    sql_insert(t, &sql_attachments, attachments.v, attachments.n, err) ||
	    sql_insert(t, &sql_case_transactions, transactions.v, transactions.n, err))
		return err->code;
	return 0;
}

/* ---- what they are for ---- */

static int by_patch_id(const void *left, const void *right)
{
	return slice_cmp((*(const struct state_patch *const *)left)->id,
			 (*(const struct state_patch *const *)right)->id);
}

static int add_case(struct attempt *at, const struct state_patch *p, struct err *err)
{
	struct page *page = at->page;
	struct json entry;

	if (page_add(at->ap->r, page, p->id, err) || json_read(p->entry, &page->arena, 0, &entry, NULL, err))
		return err->code;
	page->cases.v[page->cases.n - 1].foreseen = json_get_text(&entry, "after_sha256");
	return 0;
}

/* Cases into the page, in order of id, and plain documents among those to be set. */
static int add_documents(struct attempt *at, struct err *err)
{
	const struct state_patches *journal = at->journal;
	const struct state_patch **order = ARENA_ARRAY(&at->page->arena, journal->n, const struct state_patch *);
	int rc = 0;

	for (size_t i = 0; i < journal->n; i++)
		order[i] = &journal->v[i];
	qsort(order, journal->n, sizeof(*order), by_patch_id);
	for (size_t i = 0; i < journal->n && rc == 0; i++) {
		size_t k = (size_t)(order[i] - journal->v);

		if (i && slice_eq(order[i - 1]->id, order[i]->id))
			return err_set(err, ERR_STATE, "%.*s is twice in the journal of the patch pass",
				       SLICE_ARG(order[i]->id));
		rc = at->forms[k].is_document
			 ? patch_sets_add(&at->sets, order[i], &at->forms[k], &at->page->arena, err)
			 : add_case(at, order[i], err);
	}
	return rc;
}

static struct page_case *case_of(struct page *page, struct slice id)
{
	for (size_t i = 0; i < page->cases.n; i++)
		if (slice_eq(page->cases.v[i].id, id))
			return &page->cases.v[i];
	return NULL;
}

/* What a form in SQL has led to is done; the document may have gone on since. */
static void forget_foreseen(struct attempt *at)
{
	for (size_t i = 0; i < at->journal->n; i++) {
		if (at->outcomes[i] == SQL_INSERTED)
			continue;
		if (at->forms[i].is_document)
			patch_sets_done(&at->sets, at->journal->v[i].id);
		else
			case_of(at->page, at->journal->v[i].id)->foreseen = SLICE_NONE;
	}
}

/* Patches that led elsewhere than was foreseen; of a case that was planned just now the plan is wrong. */
static int find_stale(struct attempt *at, struct arena *a, struct err *err)
{
	struct applying *ap = at->ap;

	for (size_t i = 0; i < at->journal->n; i++) {
		const struct state_patch *p = &at->journal->v[i];
		int stale = at->forms[i].is_document ? patch_sets_stale(&at->sets, p->id)
						     : case_of(at->page, p->id)->unforeseen;

		if (!stale)
			continue;
		if (!ap->resumed && !at->forms[i].is_document)
			return err_set(err, ERR_INTERNAL, "the patch of case %.*s leads elsewhere than was foreseen",
				       SLICE_ARG(p->id));
		ARENA_PUSH(a, &ap->stale, *p);
	}
	return 0;
}

/* ---- one transaction ---- */

/* Entries of the page before: one commit of the state file a page, not two. */
static int clear_entries(struct applying *ap, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ap->n_done_entries && rc == 0; i++)
		rc = state_patch_del(ap->r->state, ap->done_entries[i], err);
	return rc;
}

static void note_entries(struct attempt *at)
{
	for (size_t i = 0; i < at->journal->n; i++)
		at->ap->done_entries[i] = at->journal->v[i].n;
	at->ap->n_done_entries = at->journal->n;
}

static int clear_last_entries(struct applying *ap, struct err *err)
{
	int rc = ap->n_done_entries ? state_begin(ap->r->state, err) : 0;

	if (rc || ap->n_done_entries == 0)
		return rc;
	rc = clear_entries(ap, err);
	if (rc == 0)
		rc = state_commit(ap->r->state, err);
	if (rc)
		state_rollback(ap->r->state);
	return rc;
}

static int commit(struct attempt *at, struct sql_target *t, struct err *err)
{
	struct run *r = at->ap->r;
	int rc = state_begin(r->state, err);

	if (rc == 0)
		rc = page_record(r, at->page, err);
	if (rc == 0)
		rc = patch_sets_record(r, &at->sets, err);
	if (rc == 0)
		rc = clear_entries(at->ap, err);
	if (rc == 0)
		rc = moment_mark(r, t, err);
	if (rc == 0)
		rc = state_commit(r->state, err);
	if (rc) {
		state_rollback(r->state);
		return rc;
	}
	at->ap->n_done_entries = 0;
	if (sql_commit(t, err))
		return err->code;
	moment_done(r);
	note_entries(at);
	return 0;
}

static int store_documents(struct attempt *at, struct sql_target *t, struct err *err)
{
	int rc = store_forms(at, t, err);

	if (rc)
		return rc;
	forget_foreseen(at);
	if (at->page->cases.n)
		rc = page_store(at->ap->r, t, at->page, err);
	return rc ? rc : patch_sets_store(at->ap->r, t, &at->sets, &at->page->arena, err);
}

/* The forms out of their XML, and what the state file knows of their documents. Needs no turn. */
static int read_attempt(struct attempt *at, struct err *err)
{
	struct applying *ap = at->ap;
	int rc = read_forms(at, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&ap->reading);
	rc = state_begin(ap->r->lister_state, err);
	if (rc == 0)
		rc = add_documents(at, err);
	state_rollback(ap->r->lister_state);
	pthread_mutex_unlock(&ap->reading);
	return rc;
}

/* All or, when one of them is stale, nothing. */
static int store_attempt(struct attempt *at, struct arena *a, struct err *err)
{
	struct applying *ap = at->ap;
	struct sql_target *t = ap->r->targets[0];
	int rc = sql_begin(t, err);

	if (rc)
		return rc;
	rc = store_documents(at, t, err);
	if (rc == 0)
		rc = find_stale(at, a, err);
	if (rc == 0 && ap->stale.n == 0)
		rc = trail_note_head(ap->r, t, ap->head, err);
	if (rc == 0 && ap->stale.n == 0)
		rc = commit(at, t, err);
	if (rc || ap->stale.n)
		sql_rollback(t);
	return rc;
}

/* pipe NULL: it is our turn. */
static int try_page(struct applying *ap, struct pipeline *pipe, struct apply_job *job,
		    const struct state_patches *journal, struct err *err)
{
	struct attempt at = {.ap = ap, .journal = journal, .page = page_new()};
	int rc;

	at.forms = ARENA_ARRAY(&at.page->arena, journal->n, struct patch_rows);
	at.outcomes = ARENA_ARRAY(&at.page->arena, journal->n, enum sql_outcome);
	rc = read_attempt(&at, err);
	if (rc == 0)
		rc = pipeline_await_turn(pipe, &job->job, err);
	if (rc == 0) {
		ap->stale = (struct state_patches){0};
		rc = store_attempt(&at, &job->arena, err);
	}
	page_free(at.page);
	return rc;
}

/* ---- page by page ---- */

static int is_stale(const struct applying *ap, const struct state_patch *p)
{
	for (size_t i = 0; i < ap->stale.n; i++)
		if (ap->stale.v[i].n == p->n)
			return 1;
	return 0;
}

/* Takes stale forms out of the trail, the journal and the page. */
static int withdraw(struct applying *ap, struct state_patches *journal, struct arena *a, struct err *err)
{
	struct state_patches left = {0};

	if (patch_withdraw(ap->r, &ap->stale, ap->head, err) || patch_journal_clear(ap->r, &ap->stale, err))
		return err->code;
	for (size_t i = 0; i < journal->n; i++)
		if (!is_stale(ap, &journal->v[i]))
			ARENA_PUSH(a, &left, journal->v[i]);
	*journal = left;
	ap->done->refused += (int64_t)ap->stale.n;
	return 0;
}

static int work(void *ctx, struct pipeline *pipe, int worker, struct pipeline_job *job, struct err *err)
{
	struct applying *ap = ctx;
	struct apply_job *j = (struct apply_job *)job;
	struct state_patches left = j->journal;
	int rc = try_page(ap, pipe, j, &left, err);

	(void)worker;
	while (rc == 0 && ap->stale.n) {
		rc = withdraw(ap, &left, &j->arena, err);
		ap->stale.n = 0;
		if (rc == 0 && left.n)
			rc = try_page(ap, NULL, j, &left, err);
	}
	if (rc)
		return rc;
	ap->done->patched += (int64_t)left.n;
	return 0;
}

static void release(void *ctx, struct pipeline_job *job)
{
	struct apply_job *j = (struct apply_job *)job;

	(void)ctx;
	arena_release(&j->arena);
	free(j);
}

static int read_journal(struct applying *ap, struct apply_job *j, struct err *err)
{
	int rc;

	pthread_mutex_lock(&ap->reading);
	rc = state_patch_page(ap->r->lister_state, ap->after, PAGE, &j->arena, &j->journal, err);
	pthread_mutex_unlock(&ap->reading);
	if (rc == 0 && j->journal.n)
		ap->after = j->journal.v[j->journal.n - 1].n;
	return rc;
}

static int produce(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct apply_job *j = calloc(1, sizeof(*j));
	int rc = j ? read_journal(ctx, j, err) : err_set(err, ERR_INTERNAL, "out of memory");

	if (rc == 0 && j->journal.n) {
		j->job.number = number;
		*job = &j->job;
	} else if (j) {
		release(ctx, &j->job);
	}
	return rc;
}

int patch_apply(struct run *r, char head[AUDIT_ID_SIZE], int resumed, struct migrate_patched *done, struct err *err)
{
	struct applying ap = {
	    .r = r, .head = head, .resumed = resumed, .done = done, .reading = PTHREAD_MUTEX_INITIALIZER};
	struct pipeline_spec spec = {
	    .workers = r->workers,
	    .stop = r->env->stop,
	    .ctx = &ap,
	    .produce = produce,
	    .work = work,
	    .release = release,
	};
	struct err ignored = ERR_INIT;
	int rc = pipeline_run(&spec, err), cleared = clear_last_entries(&ap, rc ? &ignored : err);

	if (rc == 0)
		rc = cleared;
	pthread_mutex_destroy(&ap.reading);
	if (rc == 0 && run_stopped(r))
		rc = err_set(err, ERR_STOPPED, "stopped; the next run goes on with the patches that were planned");
	return rc;
}
