/* verify_forms: patch forms of the trail, a job at a time, and those of SQL that the trail lacks. */
#include "migrate/verify_forms.h"

#include "base/utf8.h"
#include "migrate/patching.h"
#include "migrate/trail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define IDS 10000 /* a page */

void verify_job_found(struct verify_job *j, const char *fmt, ...)
{
	char text[1200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ARENA_PUSH(&j->arena, &j->findings, arena_slice(&j->arena, slice_of(text)));
}

/* ---- files of the trail: FORM.json, then FORM.xml ---- */

static void add_entry(struct verify_job *j, const struct audit_file *file, struct slice form_id)
{
	struct arena *a = &j->arena;
	struct verify_item item = {.path = arena_slice(a, file->path), .form_id = arena_slice(a, form_id)};
	struct err err = ERR_INIT;

	if (json_read(arena_slice(a, file->bytes), a, 0, &item.entry, NULL, &err))
		verify_job_found(j, "%.*s: %s", SLICE_ARG(file->path), err.msg);
	ARENA_PUSH(a, &j->items, item);
	j->bytes += file->bytes.len;
}

static void add_xml(struct verify_job *j, const struct audit_file *file, struct slice form_id)
{
	struct verify_item *last = j->items.n ? &j->items.v[j->items.n - 1] : NULL;

	if (!last || !slice_eq(last->form_id, form_id)) {
		verify_job_found(j, "%.*s: there is no file .json beside it", SLICE_ARG(file->path));
		return;
	}
	last->xml = arena_slice(&j->arena, file->bytes);
	j->bytes += file->bytes.len;
}

static int is_full(const struct verify_job *j)
{
	return j->items.n >= VERIFY_CHUNK || j->bytes >= VERIFY_BYTES;
}

/* The id is a text that SQL can be asked for. */
static int is_of_form(const struct audit_file *file, const char *suffix, struct buf *id)
{
	struct slice text;

	buf_clear(id);
	if (audit_path_id(TRAIL_PATCHES, suffix, file->path, id))
		return 0;
	text = buf_slice(id);
	return !memchr(text.ptr, 0, text.len) && utf8_bad_at(text) == text.len;
}

/* 0 when the file begins the next job. */
static int add_file(struct verify_job *j, const struct audit_file *file)
{
	struct buf id = BUF_INIT(1u << 20);
	int taken = 1;

	if (file->why.ptr)
		verify_job_found(j, "%.*s: %.*s", SLICE_ARG(file->path), SLICE_ARG(file->why));
	else if (is_of_form(file, ".xml", &id))
		add_xml(j, file, buf_slice(&id));
	else if (is_full(j))
		taken = 0;
	else if (is_of_form(file, ".json", &id))
		add_entry(j, file, buf_slice(&id));
	else if (slice_starts(file->path, SLICE(TRAIL_PATCHES "/")))
		verify_job_found(j, "%.*s: it is no file of the trail", SLICE_ARG(file->path));
	buf_release(&id);
	return taken;
}

/* ---- jobs ---- */

static void free_job(void *ctx, struct pipeline_job *job)
{
	struct verify_job *j = (struct verify_job *)job;

	(void)ctx;
	arena_release(&j->arena);
	free(j);
}

static int fill_job(struct verify *v, struct verify_job *j, struct err *err)
{
	int more = 1;

	while (more) {
		if (!v->has_file && audit_cursor_next(v->files, &v->file, &more, err))
			return err->code;
		if (!more || !add_file(j, &v->file)) {
			v->has_file = more;
			return 0;
		}
		v->has_file = 0;
	}
	return 0;
}

static int make_job(void *ctx, uint64_t number, struct pipeline_job **job, struct err *err)
{
	struct verify *v = ctx;
	struct verify_job *j = calloc(1, sizeof(*j));
	int rc = j ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

	*job = NULL;
	if (rc)
		return rc;
	j->job.number = number;
	j->v = v;
	rc = fill_job(v, j, err);
	if (rc || (!j->items.n && !j->findings.n))
		free_job(v, &j->job);
	else
		*job = &j->job;
	return rc;
}

static void log_untold(struct verify_job *j)
{
	for (size_t i = 0; i < j->items.n; i++) {
		if (!j->untold[i].ptr)
			continue;
		j->v->out->untold++;
		log_at(j->v->env->log, LOG_DETAIL, "whether patch form %.*s can be undone cannot be told: %.*s",
		       SLICE_ARG(j->items.v[i].form_id), SLICE_ARG(j->untold[i]));
	}
}

/* With the turn. */
static int tell_job(struct verify_job *j, struct err *err)
{
	struct verify *v = j->v;

	for (size_t i = 0; i < j->findings.n; i++)
		v->fn(v->ctx, j->findings.v[i]);
	for (size_t i = 0; i < j->items.n; i++)
		if (id_sorter_add(v->ids, j->items.v[i].form_id, err))
			return err->code;
	v->out->findings += (int64_t)j->findings.n;
	v->out->forms += (int64_t)j->items.n;
	v->out->from_trail += j->from_trail;
	v->out->from_sql += j->from_sql;
	log_untold(j);
	return 0;
}

/* In a short transaction, so that what belongs together is read together. */
static int check_job(struct verify_job *j, struct err *err)
{
	int rc = sql_begin(j->target, err);

	if (rc == 0)
		rc = verify_rows(j, err);
	sql_rollback(j->target);
	return rc;
}

static int do_job(void *ctx, struct pipeline *p, int worker, struct pipeline_job *job, struct err *err)
{
	struct verify *v = ctx;
	struct verify_job *j = (struct verify_job *)job;
	int rc = 0;

	j->target = v->targets[worker];
	j->untold = ARENA_ARRAY(&j->arena, j->items.n, struct slice);
	if (j->items.n)
		rc = check_job(j, err);
	if (rc == 0)
		rc = pipeline_await_turn(p, job, err);
	return rc ? rc : tell_job(j, err);
}

int verify_trail_forms(struct verify *v, struct err *err)
{
	struct pipeline_spec spec = {
	    .workers = VERIFY_WORKERS,
	    .stop = v->env->stop,
	    .ctx = v,
	    .produce = make_job,
	    .work = do_job,
	    .release = free_job,
	};
	int rc = audit_cursor_open(&v->files, v->trail, SLICE(""), err);

	if (rc == ERR_STATE) {
		verify_found(v, "%s: %s", audit_ref(v->trail), err->msg);
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (rc == 0)
		rc = pipeline_run(&spec, err);
	audit_cursor_close(v->files);
	v->files = NULL;
	return rc;
}

/* ---- forms of SQL, merged with those of the trail: both in byte order ---- */

struct known {
	struct verify *v;
	struct arena arena;
	struct state_id_list page;
	size_t at;
	int ended;
};

/* Ids are asked for in order. */
static int is_known(struct known *k, struct slice id, int *yes, struct err *err)
{
	*yes = 0;
	while (!k->ended) {
		for (; k->at < k->page.n; k->at++) {
			int order = slice_cmp(k->page.v[k->at], id);

			*yes = order == 0;
			if (order >= 0)
				return 0;
		}
		struct slice after = k->page.n ? k->page.v[k->page.n - 1] : SLICE_NONE;
		struct arena next = ARENA_INIT;
		struct state_id_list page = {0};
		int rc = id_sorter_page(k->v->ids, after, IDS, &next, &page, err);

		arena_release(&k->arena);
		k->arena = next;
		k->page = page;
		k->at = 0;
		k->ended = page.n == 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int check_page(struct known *k, const struct sql_keys *page, const char *table, struct err *err)
{
	for (size_t i = 0; i < page->n; i++) {
		int yes = 0;

		if (is_known(k, page->v[i], &yes, err))
			return err->code;
		if (!yes)
			verify_found(k->v, "%s: patch form %.*s is not in the trail", table, SLICE_ARG(page->v[i]));
	}
	return 0;
}

/* The different form ids of rows whose column `only` is `value`. */
static int check_table(struct verify *v, const struct sql_table *table, int form_id, int only, struct slice value,
		       struct err *err)
{
	struct known k = {.v = v};
	struct arena a = ARENA_INIT;
	struct slice after = SLICE_NONE;
	struct sql_keys page;
	int rc;

	do {
		struct arena next = ARENA_INIT;

		rc = sql_page_values(v->targets[0], table, v->env->domain, form_id, only, value, after, IDS, &next,
				     &page, err);
		arena_release(&a);
		a = next;
		if (rc == 0)
			rc = check_page(&k, &page, table->name, err);
		after = page.n ? page.v[page.n - 1] : after;
	} while (rc == 0 && page.n == IDS);
	arena_release(&a);
	arena_release(&k.arena);
	return rc;
}

/* Transactions say it too, where somebody took the operation away. */
int verify_sql_forms(struct verify *v, struct err *err)
{
	int rc = check_table(v, &sql_form_operations, OP_FORM_ID, OP_OPERATION, SLICE(PATCH_OPERATION), err);

	return rc ? rc : check_table(v, &sql_case_transactions, TXN_FORM_ID, TXN_KIND, SLICE("patch"), err);
}
