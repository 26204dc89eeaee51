/* stats: what is known of a domain's migration, read without a lock and without a long transaction. */
#include "migrate/migrate.h"

#include "migrate/moment.h"
#include "migrate/rows.h"
#include "migrate/rules_used.h"
#include "migrate/run.h"
#include "migrate/status.h"
#include "migrate/trial.h"
#include "migrate/without.h"

/* What the target said before the state file was read; a writer commits the state file first. */
struct held {
	struct slice id;
	int64_t moment;
};

static void count_one(void *ctx, struct slice value, int64_t n)
{
	(void)value;
	(void)n;
	++*(int64_t *)ctx;
}

static void count_rows(void *ctx, struct slice value, int64_t n)
{
	(void)value;
	*(int64_t *)ctx += n;
}

static void tell_trial(const struct migrate_env *env, struct slice settings, struct arena *a, struct migrate_stats *out)
{
	struct slice trial = trial_of_settings(settings, a);

	if (!trial.ptr)
		return;
	out->trial = trial_shown(trial, a);
	out->n_left_out = trial_left_out(trial, env->profile, a, &out->left_out);
}

/* Cases that wait to be folded; some of them wait in the spool too. */
static int read_target(const struct migrate_env *env, struct arena *a, struct migrate_stats *out, int64_t *dirty,
		       struct held *held, struct err *err)
{
	struct sql_target *t = NULL;
	struct status s;
	struct checkpoint c;
	int rc = status_open_made(env, &t, err);

	if (rc == 0)
		rc = status_read(t, env->domain, a, &s, err);
	if (rc == 0)
		rc = checkpoint_read(t, env->domain, a, &c, err);
	if (rc == 0)
		rc = sql_count_by(t, &sql_dirty_case, env->domain, DIRTY_CASE_ID, count_one, dirty, err);
	if (rc == 0)
		rc = sql_count_by(t, &sql_conflict, env->domain, CONF_DOC_ID, count_rows, &out->conflicts, err);
	if (rc == 0 && s.life != LIFE_NOT_STARTED) {
		out->started = 1;
		out->status = slice_of(life_status_name(s.life));
		out->source = s.source;
		out->without = without_of_settings(s.settings, a);
		out->profile = s.profile;
		out->checkpoint = c.seq;
		out->counters = c.counters;
		out->unfinished = c.pass % 2 || !c.exists;
		tell_trial(env, s.settings, a, out);
		*held = (struct held){.id = s.id, .moment = moment_of(c.updated_on)};
	}
	sql_close(t);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static struct migrate_kind *kind_slot(struct migrate_stats *out, struct slice name)
{
	for (size_t i = 0; i < out->n_kinds; i++)
		if (slice_eq(out->kinds[i].kind, name))
			return &out->kinds[i];
	out->kinds[out->n_kinds] = (struct migrate_kind){.kind = name};
	return &out->kinds[out->n_kinds++];
}

/* The profile's kinds in its order, then the others. */
static void fill_kinds(const struct profile *p, struct arena *a, const struct state_kinds *kinds,
		       struct migrate_stats *out)
{
	out->kinds = ARENA_ARRAY(a, p->n_kinds + kinds->n, struct migrate_kind);
	for (size_t i = 0; i < p->n_kinds; i++)
		(void)kind_slot(out, p->kinds[i].name);
	for (size_t i = 0; i < kinds->n; i++) {
		const struct state_kind_counts *k = &kinds->v[i];
		struct migrate_kind *slot = kind_slot(out, k->kind);

		slot->docs = k->docs;
		slot->diffs = k->diffs;
		slot->missing = k->missing;
		slot->changes = k->changes;
		out->ledgers += k->ledgers;
		out->key_twice += k->key_twice;
	}
}

static int judge_state(struct state *s, const struct held *target, struct arena *a, struct migrate_stats *out,
		       struct moments *m, struct err *err)
{
	struct slice id;

	if (state_value_get(s, "migration", a, &id, err) || moments_read(s, a, m, err))
		return err->code;
	if (out->started && !(id.ptr && target->id.ptr && slice_eq(id, target->id)))
		out->apart = "the state file belongs to another migration";
	else if (out->started && m->known && target->moment > m->now)
		out->apart = "the state file is older than its target";
	return 0;
}

/* A name, or kinds of a trial run, that none of the source's documents has. An empty source is as clean as it can be; a
 * domain whose documents are all gone by now has rows. */
static int look_for_nothing(struct sql_target *t, const struct migrate_env *env, struct arena *a,
			    struct migrate_stats *out, struct err *err)
{
	static const struct sql_table *const tables[] = {&sql_forms, &sql_documents, &sql_cases};
	struct sql_keys keys;

	if ((!env->profile->domain_field.ptr && !out->trial.ptr) || out->unfinished || out->counters.read == 0)
		return 0;
	for (size_t i = 0; i < out->n_kinds; i++)
		if (out->kinds[i].docs)
			return 0;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (sql_page_keys(t, tables[i], env->domain, SLICE_NONE, 1, a, &keys, err))
			return err->code;
		if (keys.n)
			return 0;
	}
	out->nothing = 1;
	return 0;
}

/* Asked for after the state file was read: what that says of the time before its last commit has been in the target
 * then. */
static int judge_target(const struct migrate_env *env, const struct moments *m, struct migrate_stats *out,
			struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_target *t = NULL;
	struct checkpoint c;
	int rc = status_open(env, &t, err);

	if (rc == 0)
		rc = checkpoint_read(t, env->domain, &a, &c, err);
	if (rc == 0 && moment_of(c.updated_on) < m->before)
		out->apart = "the target is older than its state file";
	if (rc == 0)
		rc = look_for_nothing(t, env, &a, out, err);
	sql_close(t);
	arena_release(&a);
	return rc;
}

static int judge_rules(struct state *s, const struct profile *p, struct arena *a, struct migrate_stats *out,
		       struct err *err)
{
	struct rules_judgement cases, forms;

	if (rules_used_judge(s, p, AGAIN_CASES, a, &cases, err) || rules_used_judge(s, p, AGAIN_FORMS, a, &forms, err))
		return err->code;
	out->other_rules = cases.verdict != RULES_SAME || forms.verdict != RULES_SAME;
	return 0;
}

static int read_state(const struct migrate_env *env, const struct held *target, struct arena *a,
		      struct migrate_stats *out, struct state_counts *counts, struct err *err)
{
	struct state *s = NULL;
	struct state_kinds kinds = {0};
	struct moments m = {0};
	int rc = state_open(&s, env->state_dir, env->domain, STATE_READ_ONLY, err);

	if (rc == 0)
		rc = judge_state(s, target, a, out, &m, err);
	if (rc == 0)
		rc = state_counts(s, counts, err);
	if (rc == 0)
		rc = state_kinds(s, a, &kinds, err);
	if (rc == 0)
		rc = state_patch_count(s, &out->pending, err);
	if (rc == 0)
		rc = state_ignored(s, a, &out->ignored, err);
	if (rc == 0)
		rc = judge_rules(s, env->profile, a, out, err);
	if (rc == 0 || rc == ERR_NOTFOUND)
		fill_kinds(env->profile, a, &kinds, out);
	state_close(s);
	if (rc == ERR_NOTFOUND && out->started)
		out->apart = "the state file is lost";
	if (rc == 0 && out->started && !out->apart)
		rc = judge_target(env, &m, out, err);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* A revision that is no key of SQL stands in no table. */
static void count_left(struct migrate_stats *out, const struct state_counts *counts)
{
	if (out->conflicts < counts->conflicts)
		out->conflicts = counts->conflicts;
	out->attachments = counts->attachments;
	out->conflicts_left = out->without & MIGRATE_WITHOUT_CONFLICTS ? 0 : counts->conflicts;
	out->attachments_left = out->without & MIGRATE_WITHOUT_ATTACHMENTS ? 0 : counts->attachments;
}

int migrate_stats(const struct migrate_env *env, struct arena *a, struct migrate_stats *out, struct err *err)
{
	struct state_counts counts = {0};
	struct held held = {.id = SLICE_NONE};
	int64_t dirty = 0;

	*out = (struct migrate_stats){.domain = env->domain, .status = SLICE("not-started")};
	out->target = slice_of(env->target->shown);
	out->profile = env->profile->name;
	out->source = env->source ? slice_of(env->source->shown) : SLICE_NONE;
	if (read_target(env, a, out, &dirty, &held, err) || read_state(env, &held, a, out, &counts, err))
		return err->code;
	out->pending += counts.pending > dirty ? counts.pending : dirty; /* beside planned patches */
	out->rejected_now = counts.rejects;
	count_left(out, &counts);
	out->clean = out->started && !out->nothing && !out->apart && !out->unfinished && !out->other_rules &&
		     !out->pending && !counts.rejects && !out->conflicts_left && !out->attachments_left &&
		     !counts.diffs && !counts.missing && !counts.changes;
	return 0;
}

/* ---- losing revisions ---- */

#define CONFLICT_PAGE 500

static int tell_page(struct sql_target *t, const struct sql_rows *ids, struct slice domain, struct arena *a,
		     int (*fn)(void *ctx, struct slice id, struct slice rev), void *ctx, int *ended, struct err *err)
{
	static const int by_doc[] = {CONF_DOMAIN, CONF_DOC_ID};
	struct sql_row *keys = ARENA_ARRAY(a, ids->n + 1, struct sql_row);
	struct sql_rows rows = {0};

	for (size_t i = 0; i < ids->n; i++)
		keys[i] = row_pair(a, domain, ids->v[i].cells[CONF_DOC_ID]);
	if (sql_select(t, &sql_conflict, by_doc, 2, keys, ids->n, a, &rows, err))
		return err->code;
	for (size_t i = 0; i < rows.n && !*ended; i++)
		*ended = fn(ctx, rows.v[i].cells[CONF_DOC_ID], rows.v[i].cells[CONF_REV]);
	return 0;
}

int migrate_conflicts(const struct migrate_env *env, int (*fn)(void *ctx, struct slice id, struct slice rev), void *ctx,
		      struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct sql_target *t = NULL;
	struct slice after = SLICE_NONE;
	struct sql_rows ids = {0};
	int ended = 0, rc = status_open_made(env, &t, err);

	do {
		arena_reset(&a);
		if (rc == 0)
			rc = sql_page(t, &sql_conflict, env->domain, CONF_DOC_ID, after, CONFLICT_PAGE, 1, &a, &ids,
				      err);
		if (rc == 0)
			rc = tell_page(t, &ids, env->domain, &a, fn, ctx, &ended, err);
		if (rc == 0 && ids.n) {
			arena_reset(&last);
			after = arena_slice(&last, ids.v[ids.n - 1].cells[CONF_DOC_ID]);
		}
	} while (rc == 0 && !ended && ids.n == CONFLICT_PAGE);
	sql_close(t);
	arena_release(&a);
	arena_release(&last);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
