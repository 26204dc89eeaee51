/* trail: events of a migration in the audit trail. */
#include "migrate/trail.h"

#include "base/clock.h"
#include "base/pct.h"
#include "migrate/rows.h"
#include "migrate/session.h"
#include "migrate/status.h"
#include "migrate/without.h"

#include <sys/resource.h>

static struct json counters_of(const struct migrate_counters *c, struct arena *a)
{
	const struct {
		const char *name;
		int64_t n;
	} counts[] = {{"read", c->read},       {"written", c->written}, {"unchanged", c->unchanged},
		      {"deleted", c->deleted}, {"skipped", c->skipped}, {"rejected", c->rejected}};
	struct json v = json_object();

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_sets(a, &v, counts[i].name, json_int(a, counts[i].n));
	return v;
}

static struct json kinds_of(const struct migrate_stats *s, struct arena *a)
{
	struct json list = json_array();

	for (size_t i = 0; i < s->n_kinds; i++) {
		const struct migrate_kind *k = &s->kinds[i];
		struct json v = json_object();

		if (!k->docs && !k->diffs && !k->missing && !k->changes)
			continue;
		json_sets(a, &v, "kind", json_string(k->kind));
		json_sets(a, &v, "docs", json_int(a, k->docs));
		json_sets(a, &v, "diffs", json_int(a, k->diffs));
		json_sets(a, &v, "missing", json_int(a, k->missing));
		json_sets(a, &v, "changes", json_int(a, k->changes));
		json_push(a, &list, v);
	}
	return list;
}

static struct json ignored_of(const struct migrate_stats *s, struct arena *a)
{
	struct json v = json_object();

	for (size_t i = 0; i < s->ignored.n; i++)
		json_set(a, &v, s->ignored.v[i].rule, json_int(a, s->ignored.v[i].count));
	return v;
}

struct json trail_stats(const struct migrate_stats *s, struct arena *a)
{
	struct json v = json_object();

	json_sets(a, &v, "domain", json_string(s->domain));
	json_sets(a, &v, "status", json_string(s->status));
	json_sets(a, &v, "source", s->source.ptr ? json_string(s->source) : json_null);
	json_sets(a, &v, "target", json_string(s->target));
	json_sets(a, &v, "profile", json_string(s->profile));
	json_sets(a, &v, "clean", json_bool(s->clean));
	json_sets(a, &v, "pending", json_int(a, s->pending));
	json_sets(a, &v, "rejected_now", json_int(a, s->rejected_now));
	json_sets(a, &v, "conflicts", json_int(a, s->conflicts));
	json_sets(a, &v, "attachments", json_int(a, s->attachments));
	json_sets(a, &v, "without", without_json(s->without, a));
	json_sets(a, &v, "last_pass", counters_of(&s->counters, a));
	json_sets(a, &v, "kinds", kinds_of(s, a));
	json_sets(a, &v, "ignored", ignored_of(s, a));
	return v;
}

static struct slice pretty(const struct json *v, struct arena *a)
{
	struct slice text = json_to_text(v, JSON_PRETTY, a);

	return arena_printf(a, "%.*s\n", SLICE_ARG(text));
}

/* The same documents as in the last commit? What the last pass read does not count. */
static int is_same(struct audit *t, struct slice profile, const struct json *stats, struct arena *a)
{
	struct err err = ERR_INIT;
	struct slice held;
	struct json old, now = json_clone(a, stats);

	if (audit_read(t, SLICE("profile.json"), a, &held, &err) || !slice_eq(held, profile) ||
	    audit_read(t, SLICE("stats.json"), a, &held, &err) || json_read(held, a, 0, &old, NULL, &err) ||
	    old.type != JSON_OBJECT)
		return 0;
	old = json_clone(a, &old);
	json_del(&old, SLICE("last_pass"));
	json_del(&now, SLICE("last_pass"));
	return json_eq(&old, &now);
}

/* With its state file the trail may have been lost: who rebuilds the one begins the other anew. */
static int refuse_lost(struct run *r, struct slice head, struct err *err)
{
	int rebuilding;

	if (run_is_rebuilding(r, &rebuilding, err))
		return err->code;
	*err = (struct err)ERR_INIT;
	if (rebuilding || r->rebuilding || r->options.rebuild_state || r->trail_lost)
		return 0;
	err_set(err, ERR_STATE, "the audit trail has lost commit %.*s, which the target names", SLICE_ARG(head));
	return err_hint(
	    err, "put back %s/audit.git from a copy; `settle migrate %.*s --rebuild-state` goes on with a new trail",
	    r->env->state_dir, SLICE_ARG(r->env->domain));
}

/* A killed run may have left the branch further than the target knows, but never without what the target knows. */
static int check_known(struct run *r, struct audit *t, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct audit_entry found;
	struct status s;
	struct slice head = SLICE_NONE;
	int rc = status_read(r->lister, r->env->domain, &a, &s, err);

	if (rc == 0 && s.exists)
		head = s.row.cells[MIG_TRAIL_HEAD];
	if (rc == 0 && head.ptr)
		rc = audit_find(t, head, &a, &found, err);
	if (rc == ERR_NOTFOUND)
		rc = refuse_lost(r, head, err);
	arena_release(&a);
	return rc;
}

int trail_begin(struct run *r, struct audit **out, struct err *err)
{
	int rc = audit_open(out, r->env->state_dir, r->env->domain, 0, err);

	r->trail_began_us = clock_mono_us();
	if (rc == 0)
		rc = audit_begin(*out, err);
	if (rc == 0)
		return check_known(r, *out, err);
	if (rc)
		err_hint(err, "nothing was changed; decisions are not made without the audit trail");
	return rc;
}

int trail_check(struct run *r, struct err *err)
{
	struct audit *trail = NULL;
	int rc = trail_begin(r, &trail, err);

	if (rc == 0)
		rc = audit_check(trail, err);
	audit_close(trail);
	return rc;
}

static int put_files(struct audit *t, struct slice profile, struct slice stats, struct err *err)
{
	int rc = audit_put(t, SLICE("profile.json"), profile, err);

	return rc ? rc : audit_put(t, SLICE("stats.json"), stats, err);
}

/* Of the process until now. */
static double peak_mib(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

static int commit_event(struct run *r, struct audit *t, const struct audit_event *e, char id[AUDIT_ID_SIZE],
			struct err *err)
{
	size_t n = audit_pending(t);
	int rc = audit_commit(t, e, id, err);

	if (rc == 0)
		log_at(r->env->log, LOG_DETAIL,
		       "audit trail: event %s with %zu files in %.1f s, memory %.1f MiB commit=%.12s", e->event, n,
		       (double)(clock_mono_us() - r->trail_began_us) / 1e6, peak_mib(), id);
	return rc;
}

static int end_event(struct run *r, struct audit *t, const struct trail_note *note, struct arena *a,
		     char id[AUDIT_ID_SIZE], struct err *err)
{
	struct migrate_stats stats;
	int rc = migrate_stats(r->env, a, &stats, err);

	if (rc)
		return rc;
	if (note->status)
		stats.status = slice_of(note->status);
	struct json v = trail_stats(&stats, a);
	struct slice profile = pretty(&r->profile->source, a);
	struct audit_trailer standard[] = {{"Status", stats.status},
					   {"Profile", r->profile->name},
					   {"Rules", r->profile->digest},
					   {"Target", stats.target}};
	size_t n = sizeof(standard) / sizeof(standard[0]);
	struct audit_trailer *trailers = ARENA_ARRAY(a, n + note->n_trailers, struct audit_trailer);
	struct audit_event e = {
	    .event = note->event,
	    .subject = note->subject,
	    .text = note->text,
	    .trailers = trailers,
	    .n_trailers = n + note->n_trailers,
	    .time_us = clock_utc_us(),
	    .flags = note->flags & TRAIL_CLEAR ? AUDIT_CLEAR : 0,
	};

	memcpy(trailers, standard, sizeof(standard));
	if (note->n_trailers)
		memcpy(trailers + n, note->trailers, note->n_trailers * sizeof(*trailers));
	/* A killed run may have committed and not noted it: the head is noted all the same. */
	if ((note->flags & TRAIL_IF_CHANGED) && is_same(t, profile, &v, a))
		return audit_head(t, id, err);
	rc = put_files(t, profile, pretty(&v, a), err);
	if (rc == 0)
		rc = commit_event(r, t, &e, id, err);
	return rc;
}

int trail_end(struct run *r, struct audit *t, const struct trail_note *note, char id[AUDIT_ID_SIZE], struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc = end_event(r, t, note, &a, id, err);

	arena_release(&a);
	return rc;
}

int trail_note_head(struct run *r, struct sql_target *t, const char *id, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct status s;
	enum sql_outcome outcome;
	int rc = status_read(t, r->env->domain, &a, &s, err);

	if (rc == 0 && s.exists && !slice_is(s.row.cells[MIG_TRAIL_HEAD], id)) {
		s.row.cells[MIG_TRAIL_HEAD] = slice_of(id);
		rc = sql_put(t, &sql_migration, &s.row, 1, &outcome, &a, NULL, err);
	}
	arena_release(&a);
	return rc;
}

int trail_commit_head(struct run *r, const char *id, struct err *err)
{
	struct sql_target *t = r->targets[0];
	int rc = sql_begin(t, err);

	if (rc)
		return rc;
	rc = trail_note_head(r, t, id, err);
	if (rc == 0)
		rc = sql_commit(t, err);
	if (rc)
		sql_rollback(t);
	return rc;
}

int trail_event(struct run *r, const struct trail_note *note, struct err *err)
{
	struct audit *trail = NULL;
	char id[AUDIT_ID_SIZE] = "";
	int rc = trail_begin(r, &trail, err);

	if (rc == 0)
		rc = trail_end(r, trail, note, id, err);
	audit_close(trail);
	return rc || !id[0] ? rc : trail_commit_head(r, id, err);
}
