/* retry: rejects are mapped and stored again, from the bytes that were kept or from the source. */
#include "migrate/find.h"
#include "migrate/trail.h"

#include "base/json_scan.h"

#define PAGE 500
#define MEMBERS 64

struct retry {
	struct run *r;
	struct arena arena;               /* ids */
	struct arena page;                /* bodies of one batch */
	struct state_id_list ids, wanted; /* all; those that the source must give */
	struct slice *old;                /* ids of the rejects whose bodies are in the batch, by place */
	size_t n_old;
	struct batch *batch;
};

/* ---- which ---- */

static int all_rejects(struct retry *t, struct err *err)
{
	struct slice after = SLICE_NONE;
	struct state_id_list page;

	do {
		if (state_ids(t->r->state, STATE_IDS_REJECTS, after, PAGE, &t->arena, &page, err))
			return err->code;
		for (size_t i = 0; i < page.n; i++)
			ARENA_PUSH(&t->arena, &t->ids, page.v[i]);
		after = page.n ? page.v[page.n - 1] : after;
	} while (page.n == PAGE);
	return 0;
}

/* ---- storing ---- */

/* A reject that had no id of its own, or is of another domain, does not go with what was stored. */
static int drop_reject(struct retry *t, const struct batch_doc *d, struct slice old, struct err *err)
{
	if (d->fate == FATE_REJECT && slice_eq(d->id, old))
		return 0;
	return state_reject_del(t->r->state, old, err);
}

static int store(struct retry *t, struct batch *b, const struct slice *old, struct err *err)
{
	run_prepare(t->r, b);
	if (run_store_alone(t->r, b, err))
		return err->code;
	for (size_t i = 0; i < b->docs.n; i++)
		if (drop_reject(t, &b->docs.v[i], old ? old[i] : b->docs.v[i].id, err))
			return err->code;
	return 0;
}

static int flush(struct retry *t, struct err *err)
{
	int rc = t->batch->docs.n ? store(t, t->batch, t->old, err) : 0;

	batch_free(t->batch);
	t->batch = batch_new();
	t->n_old = 0;
	arena_reset(&t->page);
	return rc;
}

/* ---- from the bytes that were kept ---- */

static int has_member(struct slice object, const char *key)
{
	struct json_part parts[MEMBERS];
	size_t bad;
	int n = json_scan_members(object, parts, MEMBERS, &bad);

	for (int i = 0; i < n && i < MEMBERS; i++)
		if (slice_is(parts[i].key, key))
			return 1;
	return 0;
}

/* The row was kept where no document could be told from it. */
static int is_row(struct slice body)
{
	return !has_member(body, "_id") && (has_member(body, "changes") || has_member(body, "seq")) &&
	       (has_member(body, "doc") || has_member(body, "id"));
}

static struct couch_row row_of(struct retry *t, const struct state_reject *reject)
{
	struct couch_row row = {
	    .text = reject->body, .seq = SLICE("null"), .id = SLICE_NONE, .rev = reject->rev, .doc = reject->body};

	if (is_row(reject->body))
		couch_row_cut(reject->body, &row);
	else if (!slice_starts(reject->id, SLICE("@"))) {
		struct json id = json_string(reject->id);
		struct slice quoted = json_to_text(&id, JSON_PLAIN, &t->page);

		row.id = (struct slice){quoted.ptr + 1, quoted.len - 2};
	}
	return row;
}

static int is_full(const struct retry *t)
{
	return t->n_old == PAGE || t->batch->bytes >= t->r->options.batch_bytes;
}

static int take(struct retry *t, struct slice id, struct err *err)
{
	struct state_reject reject;
	struct couch_row row;

	if (state_reject_get(t->r->state, id, &t->page, &reject, err))
		return err->code;
	row = reject.body.ptr ? row_of(t, &reject) : (struct couch_row){.doc = SLICE_NONE};
	row.malformed = 0; /* its document says which one it is */
	if (!row.doc.ptr) {
		ARENA_PUSH(&t->arena, &t->wanted, id);
		return 0;
	}
	if (!batch_add(t->batch, &row)) { /* two rejects of one document: one after the other */
		if (flush(t, err) || state_reject_get(t->r->state, id, &t->page, &reject, err))
			return err->code;
		row = row_of(t, &reject);
		(void)batch_add(t->batch, &row);
	}
	t->old[t->n_old++] = id;
	return is_full(t) ? flush(t, err) : 0;
}

/* ---- from the source ---- */

static int store_found(void *ctx, struct batch *b, struct err *err)
{
	return store(ctx, b, NULL, err);
}

static int ask_source(struct retry *t, struct err *err)
{
	if (t->wanted.n == 0)
		return 0;
	if (t->r->env->source)
		return find_documents(t->r, t->wanted.v, t->wanted.n, NULL, store_found, t, err);
	log_at(t->r->env->log, LOG_WARN,
	       "%zu documents were not kept, and no source is given to read them from (--source)", t->wanted.n);
	return 0;
}

/* ---- the whole ---- */

static int count_left(struct retry *t, struct migrate_retry *out, struct err *err)
{
	struct state_reject reject;

	out->tried = (int64_t)t->ids.n;
	for (size_t i = 0; i < t->ids.n; i++) {
		int rc = state_reject_get(t->r->state, t->ids.v[i], &t->page, &reject, err);

		arena_reset(&t->page);
		if (rc && rc != ERR_NOTFOUND)
			return rc;
		out->left += rc == 0;
	}
	out->stored = out->tried - out->left;
	return 0;
}

static int retry(struct retry *t, const struct slice *ids, size_t n, struct migrate_retry *out, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(&t->arena, &t->ids, ids[i]);
	if (n == 0)
		rc = all_rejects(t, err);
	t->batch = batch_new();
	t->old = ARENA_ARRAY(&t->arena, PAGE + 1, struct slice);
	for (size_t i = 0; i < t->ids.n && rc == 0; i++)
		rc = run_stopped(t->r) ? err_set(err, ERR_STOPPED, "clean break") : take(t, t->ids.v[i], err);
	if (rc == 0)
		rc = flush(t, err);
	if (rc == 0)
		rc = ask_source(t, err);
	if (rc == 0)
		rc = run_cases(t->r, err);
	return rc ? rc : count_left(t, out, err);
}

/* Rows are others when something was stored. */
static int tell(struct run *r, const struct migrate_retry *done, struct err *err)
{
	struct audit_trailer trailers[] = {{"Tried", arena_printf(&r->arena, "%lld", (long long)done->tried)},
					   {"Stored", arena_printf(&r->arena, "%lld", (long long)done->stored)},
					   {"Left", arena_printf(&r->arena, "%lld", (long long)done->left)}};
	struct trail_note note = {
	    .event = "retry",
	    .subject = arena_printf(&r->arena, "rejects tried again: %lld stored, %lld still rejected",
				    (long long)done->stored, (long long)done->left),
	    .trailers = trailers,
	    .n_trailers = 3,
	    .flags = done->stored ? 0 : TRAIL_IF_CHANGED,
	};

	return trail_event(r, &note, err);
}

int migrate_retry_rejects(const struct migrate_env *env, const struct migrate_options *o, const struct slice *ids,
			  size_t n, struct migrate_retry *out, struct err *err)
{
	struct run r;
	struct status s;
	enum life_status to;
	struct retry t = {.r = &r};
	int rc = run_open(&r, env, LIFE_REPAIR, o, env->source ? RUN_WITH_SOURCE : 0, err);

	*out = (struct migrate_retry){0};
	if (rc == 0)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = trail_check(&r, err);
	if (rc == 0)
		rc = retry(&t, ids, n, out, err);
	if (rc == 0)
		rc = tell(&r, out, err);
	batch_free(t.batch);
	arena_release(&t.arena);
	arena_release(&t.page);
	run_release(&r);
	return rc;
}
