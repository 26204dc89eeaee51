/* patch_withdraw: planned patch forms that no longer fit their case, out of the trail again. */
#include "migrate/patch_withdraw.h"

#include "base/pct.h"
#include "migrate/patch_document.h"
#include "migrate/patch_forms.h"
#include "migrate/rows.h"
#include "migrate/trail.h"

#include <stdlib.h>

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

static int write_event(struct run *r, const struct state_patches *stale, const char *why, struct arena *a,
		       char head[AUDIT_ID_SIZE], struct err *err)
{
	struct audit *trail = NULL;
	struct buf text = BUF_INIT(1u << 24);
	struct trail_note note = {
	    .event = "withdraw",
	    .subject = arena_printf(a, "withdrawn: %lld patch %s %s", (long long)stale->n,
				    stale->n == 1 ? "form" : "forms", why),
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
	int rc = write_event(r, stale, "planned for what has changed since", &a, head, err);

	if (rc == 0)
		rc = note_in_target(r, stale, &a, head, err);
	for (size_t i = 0; i < stale->n && rc == 0; i++)
		log_at(r->env->log, LOG_WARN,
		       "%.*s has changed since its patch was planned: patch form %.*s is withdrawn",
		       SLICE_ARG(stale->v[i].id), SLICE_ARG(stale->v[i].form_id));
	arena_release(&a);
	return rc;
}

/* ---- forms that the target has lost ---- */

struct lost {
	struct arena *a;
	struct sql_rows held; /* in order of form id */
	struct state_patches forms;
};

static int by_form_id(const void *left, const void *right)
{
	return slice_cmp(((const struct sql_row *)left)->cells[OP_FORM_ID],
			 ((const struct sql_row *)right)->cells[OP_FORM_ID]);
}

static int is_held(const struct lost *l, struct slice form_id)
{
	struct sql_row key = row_new(l->a, OP_COLUMNS);

	key.cells[OP_FORM_ID] = form_id;
	return l->held.n && bsearch(&key, l->held.v, l->held.n, sizeof(key), by_form_id);
}

static int look_at_file(struct lost *l, const struct audit_file *file, struct err *err)
{
	struct buf form_id = BUF_INIT(1u << 20);
	struct state_patch p = {0};
	struct json entry;
	int rc = 0;

	if (!file->why.ptr && audit_path_id(TRAIL_PATCHES, ".json", file->path, &form_id) == 0 &&
	    !is_held(l, buf_slice(&form_id))) {
		rc = json_read(arena_slice(l->a, file->bytes), l->a, 0, &entry, NULL, err);
		if (rc == 0) {
			p.form_id = arena_slice(l->a, buf_slice(&form_id));
			p.kind = json_get_text(&entry, "kind");
			p.id = json_get_text(&entry, "id");
			ARENA_PUSH(l->a, &l->forms, p);
		}
	}
	buf_release(&form_id);
	return rc;
}

static int look_at_files(struct lost *l, struct audit *trail, struct err *err)
{
	struct audit_cursor *files = NULL;
	struct audit_file file;
	int rc = audit_cursor_open(&files, trail, SLICE(TRAIL_PATCHES "/"), err), more = 1;

	while (rc == 0 && more) {
		rc = audit_cursor_next(files, &file, &more, err);
		if (rc == 0 && more)
			rc = look_at_file(l, &file, err);
	}
	audit_cursor_close(files);
	return rc;
}

/* Rows of form_operations that say a form is a patch form, in order of form id. */
static int read_held(struct sql_target *t, struct slice domain, struct lost *l, struct err *err)
{
	static const int by_operation[] = {OP_DOMAIN, OP_OPERATION};
	struct sql_row key = row_pair(l->a, domain, SLICE(PATCH_OPERATION));
	int rc = sql_select(t, &sql_form_operations, by_operation, 2, &key, 1, l->a, &l->held, err);

	if (rc == 0 && l->held.n)
		qsort(l->held.v, l->held.n, sizeof(*l->held.v), by_form_id);
	return rc;
}

static int find_lost(struct run *r, struct lost *l, struct err *err)
{
	struct audit *trail = NULL;
	int rc = audit_open(&trail, r->env->state_dir, r->env->domain, AUDIT_READ_ONLY, err);

	if (rc == 0)
		rc = read_held(r->targets[0], r->env->domain, l, err);
	if (rc == 0)
		rc = look_at_files(l, trail, err);
	audit_close(trail);
	return rc;
}

int patch_withdraw_lost(struct run *r, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct lost l = {.a = &a};
	char head[AUDIT_ID_SIZE];
	int rc = find_lost(r, &l, err);

	if (rc == ERR_NOTFOUND) {
		*err = (struct err)ERR_INIT;
		rc = 0;
	} else if (rc == 0 && l.forms.n) {
		rc = write_event(r, &l.forms, "that the target has lost", &a, head, err);
		if (rc == 0)
			rc = note_in_target(r, &l.forms, &a, head, err);
		log_at(r->env->log, LOG_WARN,
		       "the target has lost %zu patch forms: they are withdrawn, `settle migrate %.*s --patch` "
		       "patches anew",
		       l.forms.n, SLICE_ARG(r->env->domain));
	}
	arena_release(&a);
	return rc;
}
