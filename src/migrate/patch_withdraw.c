/* patch_withdraw: planned patch forms that no longer fit their case, out of the trail again. */
#include "migrate/patch_withdraw.h"

#include "base/pct.h"
#include "migrate/patch_document.h"
#include "migrate/rows.h"
#include "migrate/trail.h"

static int take_file(struct audit *trail, const char *suffix, struct slice form_id, struct err *err)
{
	struct buf path = BUF_INIT(4096);
	int rc;

	audit_path(TRAIL_PATCHES, form_id, suffix, &path);
	rc = audit_remove(trail, buf_slice(&path), err);
	buf_release(&path);
	return rc;
}

static int take_files(struct audit *trail, const struct state_patches *stale, struct err *err)
{
	for (size_t i = 0; i < stale->n; i++)
		if (take_file(trail, ".xml", stale->v[i].form_id, err) ||
		    take_file(trail, ".json", stale->v[i].form_id, err))
			return err->code;
	return 0;
}

/* A line for each form; ids as they are, but for what would break the line. */
static void name_forms(const struct state_patches *stale, struct buf *text)
{
	for (size_t i = 0; i < stale->n; i++) {
		buf_adds(text, stale->v[i].form_id);
		buf_adds(text, SLICE(" of "));
		pct_file_name(stale->v[i].id, text);
		buf_adds(text, SLICE("\n"));
	}
}

static int write_event(struct run *r, const struct state_patches *stale, struct arena *a, char head[AUDIT_ID_SIZE],
		       struct err *err)
{
	struct audit *trail = NULL;
	struct buf text = BUF_INIT(1u << 24);
	struct trail_note note = {
	    .event = "withdraw",
	    .subject = arena_printf(a, "withdrawn: %lld patch %s planned for what has changed since",
				    (long long)stale->n, stale->n == 1 ? "form" : "forms"),
	};
	int rc = trail_begin(r, &trail, err);

	name_forms(stale, &text);
	note.text = buf_slice(&text);
	if (rc == 0)
		rc = take_files(trail, stale, err);
	if (rc == 0)
		rc = trail_end(r, trail, &note, head, err);
	audit_close(trail);
	buf_release(&text);
	return rc;
}

/* Cases are compared again by the next case pass: nobody knows what has changed them. */
static int note_in_target(struct run *r, const struct state_patches *stale, struct arena *a, const char *head,
			  struct err *err)
{
	struct sql_target *t = r->targets[0];
	struct sql_rows dirty = {0};
	int rc = sql_begin(t, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < stale->n; i++)
		if (!patch_sets_kind(r, stale->v[i].kind))
			ARENA_PUSH(a, &dirty, row_pair(a, r->env->domain, stale->v[i].id));
	rc = sql_insert(t, &sql_dirty_case, dirty.v, dirty.n, err);
	if (rc == 0)
		rc = trail_note_head(r, t, head, err);
	if (rc == 0)
		rc = sql_commit(t, err);
	if (rc)
		sql_rollback(t);
	return rc;
}

int patch_withdraw(struct run *r, const struct state_patches *stale, char head[AUDIT_ID_SIZE], struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc = write_event(r, stale, &a, head, err);

	if (rc == 0)
		rc = note_in_target(r, stale, &a, head, err);
	for (size_t i = 0; i < stale->n && rc == 0; i++)
		log_at(r->env->log, LOG_WARN,
		       "%.*s has changed since its patch was planned: patch form %.*s is withdrawn",
		       SLICE_ARG(stale->v[i].id), SLICE_ARG(stale->v[i].form_id));
	arena_release(&a);
	return rc;
}
