#include "migrate/verify.h"

#include "migrate/status.h"
#include "migrate/verify_forms.h"

#include <stdarg.h>
#include <stdio.h>

void verify_found(struct verify *v, const char *fmt, ...)
{
	char text[1200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	v->out->findings++;
	v->fn(v->ctx, slice_of(text));
}

/* ---- the chain ---- */

struct chain {
	struct verify *v;
	struct slice head; /* as SQL says; SLICE_NONE = nothing */
	int64_t head_at;   /* how many commits after it, -1 = not found */
	char status[64];   /* of the last event that says one */
	int broken;        /* it cannot be read to its end */
	int taken_back;    /* the last event is a restore of a time before the migration began */
	struct buf domain;
};

static int check_commit(void *ctx, const struct audit_entry *e, struct err *err)
{
	struct chain *c = ctx;

	(void)err;
	if (e->n_parents > 1)
		verify_found(c->v, "commit %s: it has %d parents, a trail is one chain", e->id, e->n_parents);
	if (!e->event.ptr)
		verify_found(c->v, "commit %s: it is no event of settle", e->id);
	if (!e->domain.ptr || !slice_eq(e->domain, buf_slice(&c->domain)))
		verify_found(c->v, "commit %s: it is not of this domain", e->id);
	if (c->v->out->commits == 0)
		c->taken_back = slice_is(e->event, "restore") && slice_is(e->status, "not-started");
	if (c->head.ptr && slice_is(c->head, e->id))
		c->head_at = c->v->out->commits;
	if (!c->status[0] && e->status.ptr)
		snprintf(c->status, sizeof(c->status), "%.*s", SLICE_ARG(e->status));
	c->v->out->commits++;
	return 0;
}

static void check_head(struct chain *c)
{
	struct verify *v = c->v;
	const char *ref = audit_ref(v->trail);

	if (!c->head.ptr && c->taken_back)
		return;
	if (!c->head.ptr)
		verify_found(v, "settle_migration.trail_head is empty, %s has %lld commits", ref,
			     (long long)v->out->commits);
	else if (c->head_at < 0)
		verify_found(v, "settle_migration.trail_head is %.*s, which is not in %s", SLICE_ARG(c->head), ref);
	else if (c->head_at > 0)
		verify_found(v, "%s is %lld commits beyond settle_migration.trail_head %.*s", ref,
			     (long long)c->head_at, SLICE_ARG(c->head));
}

static int walk_chain(struct verify *v, struct chain *c, struct err *err)
{
	c->domain.max = 1u << 20;
	pct_file_name(v->env->domain, &c->domain);
	int rc = audit_walk(v->trail, check_commit, c, err);
	buf_release(&c->domain);
	if (rc != ERR_STATE)
		return rc;
	verify_found(v, "%s: %s", audit_ref(v->trail), err->msg);
	*err = (struct err)ERR_INIT;
	c->broken = 1;
	return 0;
}

static int check_chain(struct verify *v, const struct status *s, struct err *err)
{
	struct chain c = {.v = v, .head = s->row.cells ? s->row.cells[MIG_TRAIL_HEAD] : SLICE_NONE, .head_at = -1};
	int rc = walk_chain(v, &c, err);

	if (rc || c.broken)
		return rc;
	check_head(&c);
	if (c.status[0] && strcmp(c.status, life_status_name(s->life)) != 0)
		verify_found(v, "settle_migration.status is %s, the last event of the trail says %s",
			     life_status_name(s->life), c.status);
	return 0;
}

/* ---- what is no longer in force ---- */

static int tell_damage(void *ctx, const char *commit, struct slice path, struct slice why, struct err *err)
{
	(void)err;
	verify_found(ctx, "commit %s: %.*s: %.*s", commit, SLICE_ARG(path), SLICE_ARG(why));
	return 0;
}

/* A chain that is broken was told of already. */
static int check_history(struct verify *v, struct err *err)
{
	int rc = audit_history(v->trail, tell_damage, v, err);

	if (rc != ERR_STATE)
		return rc;
	*err = (struct err)ERR_INIT;
	return 0;
}

/* ---- the whole ---- */

static int open_trail(struct verify *v, struct err *err)
{
	int rc = audit_open(&v->trail, v->env->state_dir, v->env->domain, AUDIT_READ_ONLY, err);

	if (rc == 0)
		*err = (struct err)ERR_INIT;
	if (rc != ERR_NOTFOUND && rc != ERR_STATE)
		return rc;
	v->no_trail = 1;
	v->no_trail_why = arena_slice(&v->arena, slice_of(err->msg));
	*err = (struct err)ERR_INIT;
	return 0;
}

/* A name that neither side knows is no proof of anything. */
static int nothing_to_verify(const struct verify *v, struct err *err)
{
	err_set(err, ERR_STATE, "%.*s is not-started: neither the target nor the trail knows it",
		SLICE_ARG(v->env->domain));
	return err_hint(err, "name the right domain, --target and --state-dir");
}

static int verify_without_tables(struct verify *v, struct err *err)
{
	if (v->no_trail)
		return nothing_to_verify(v, err);
	/* So it is when a restore took the migration back whole. */
	struct chain c = {.v = v, .head_at = -1};
	int rc = walk_chain(v, &c, err);
	if (rc == 0 && !c.taken_back)
		verify_found(v, "the target holds no tables of settle, but there is %s", audit_ref(v->trail));
	return rc;
}

static int open_targets(struct verify *v, struct err *err)
{
	for (int i = 0; i < VERIFY_WORKERS; i++)
		if (status_open(v->env, &v->targets[i], err))
			return err->code;
	return 0;
}

static int verify(struct verify *v, struct err *err)
{
	struct status s;
	int rc = status_read(v->targets[0], v->env->domain, &v->arena, &s, err);

	if (rc)
		return rc;
	if (v->no_trail) {
		if (!s.exists)
			return nothing_to_verify(v, err);
		if (s.row.cells[MIG_TRAIL_HEAD].ptr)
			verify_found(v, "settle_migration.trail_head is %.*s, but %.*s",
				     SLICE_ARG(s.row.cells[MIG_TRAIL_HEAD]), SLICE_ARG(v->no_trail_why));
		else if (s.life != LIFE_NOT_STARTED)
			verify_found(v, "settle_migration.status is %s, but %.*s", life_status_name(s.life),
				     SLICE_ARG(v->no_trail_why));
		return verify_sql_forms(v, err);
	}
	if (check_chain(v, &s, err) || check_history(v, err) || verify_trail_forms(v, err))
		return err->code;
	return verify_sql_forms(v, err);
}

int migrate_verify(const struct migrate_env *env, verify_fn *fn, void *ctx, struct verify_result *out, struct err *err)
{
	struct verify v = {.env = env, .fn = fn, .ctx = ctx, .out = out};
	int rc = open_targets(&v, err);

	int made;

	*out = (struct verify_result){0};
	if (rc == 0)
		rc = sql_schema_check(v.targets[0], err);
	made = rc == 0;
	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = open_trail(&v, err);
	if (rc == 0)
		rc = id_sorter_open(&v.ids, err);
	if (rc == 0)
		rc = made ? verify(&v, err) : verify_without_tables(&v, err);
	id_sorter_close(v.ids);
	audit_close(v.trail);
	for (int i = 0; i < VERIFY_WORKERS; i++)
		sql_close(v.targets[i]);
	arena_release(&v.arena);
	return rc;
}
