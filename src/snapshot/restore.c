/* The way back: what is to be done, what is done, and doing the rest. */
#include "config.h"

#include "snapshot/restore.h"

#include "base/clock.h"
#include "base/number.h"
#include "state/state.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct restore_engine *engine_of(const struct restore *r)
{
	return r->env->target->scheme == URL_SQLITE ? &restore_lite : &restore_pg;
}

/* ---- a new restore ---- */

static int is_named(const struct json *names, struct slice name)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (slice_eq(json_text(&names->items[i]), name))
			return 1;
	return 0;
}

/* A state file of that name is this target's when its migration is the target's, or it says so. */
static int is_own_state(struct restore *r, struct slice domain, struct slice id, int *own, struct err *err)
{
	struct state *s = NULL;
	struct slice held = SLICE_NONE, target = SLICE_NONE;
	int rc = state_open(&s, r->env->state_dir, domain, STATE_READ_ONLY, err);
	*own = 1;
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = state_value_get(s, "migration", r->a, &held, err);
	if (rc == 0)
		rc = state_value_get(s, "target", r->a, &target, err);
	state_close(s);
	*own = rc == 0 && ((id.ptr && slice_eq(held, id)) || slice_is(target, r->env->target->shown));
	if (rc == 0 && !*own)
		log_at(r->env->log, LOG_WARN,
		       "the state file of domain %.*s belongs to another target; it is left alone", SLICE_ARG(domain));
	return rc;
}

static int add_domain(struct restore *r, struct slice domain, struct slice id, struct err *err)
{
	int own = 0;
	if (is_named(&r->j.domains, domain))
		return 0;
	int rc = is_own_state(r, domain, id, &own, err);
	if (rc == 0 && own)
		json_push(r->a, &r->j.domains, json_string(domain));
	return rc;
}

static int begin_journal(struct restore *r, struct err *err)
{
	struct domains now = {0};
	char time[CLOCK_TEXT_SIZE];
	/* To the millisecond: a small database is restored twice within a second, and each time leaves an old one. */
	clock_utc_text(time);
	r->j = (struct journal){.path = r->j.path, .done = json_array(), .domains = json_array()};
	r->j.snapshot = slice_of(r->place.path);
	r->j.sha256 = r->sha256;
	r->j.target = slice_of(r->env->target->shown);
	r->j.stamp = r->stamp.ptr ? r->stamp
				  : arena_printf(r->a, "%.4s%.2s%.2s%.2s%.2s%.2s%.3s", time, time + 5, time + 8,
						 time + 11, time + 14, time + 17, time + 20);
	int rc = engine_of(r)->begin(r, &now, err);
	for (size_t i = 0; rc == 0 && i < now.n; i++)
		rc = add_domain(r, now.v[i].name, now.v[i].id, err);
	for (size_t i = 0; rc == 0 && i < r->m.domains.n; i++)
		rc = add_domain(r, r->m.domains.v[i].domain, SLICE_NONE, err);
	return rc;
}

static int refuse_other(const struct restore *r, struct err *err)
{
	err_set(err, ERR_STATE, "a restore of this target to %.*s has not come to its end", SLICE_ARG(r->j.snapshot));
	return err_hint(err, "`settle snapshot restore %.*s` goes on with it%s", SLICE_ARG(r->j.snapshot),
			journal_has(&r->j, "swap") ? "" : "; --from-step 1 gives it up and begins this one");
}

/* ---- the plan ---- */

static void fill_steps(struct restore *r)
{
	struct snapshot_plan *p = r->plan;
	p->n_steps = 0;
	for (const struct restore_step *s = engine_of(r)->steps; s->name; s++) {
		if (strcmp(s->name, "drop-old") == 0 && !r->options->drop_old)
			continue;
		p->steps[p->n_steps++] = (struct snapshot_step){s->name, s->what, journal_has(&r->j, s->name)};
	}
}

/* The place of the step that --from-step names; 0 .. n_steps - 1. */
static int find_step(const struct snapshot_plan *p, const char *word, int *out, struct err *err)
{
	long long n = 0;
	for (*out = 0; *out < p->n_steps; ++*out)
		if (strcmp(p->steps[*out].name, word) == 0)
			return 0;
	if (number_to_i64(slice_of(word), &n) && n >= 1 && n <= p->n_steps) {
		*out = (int)n - 1;
		return 0;
	}
	err_set(err, ERR_USAGE, "there is no step %s", word);
	return err_hint(err, "--dry-run lists the steps");
}

static int find_swap(const struct snapshot_plan *p)
{
	int i = 0;
	while (i < p->n_steps && strcmp(p->steps[i].name, "swap") != 0)
		i++;
	return i;
}

static int go_back(struct restore *r, int from, struct err *err)
{
	if (journal_has(&r->j, "swap") && from <= find_swap(r->plan)) {
		err_set(err, ERR_STATE,
			"the databases are swapped already: only what comes after that can be done again");
		return err_hint(err, "without --from-step this restore comes to its end; then begin another one");
	}
	journal_forget(&r->j, r->plan, from, r->a);
	return 0;
}

/* Goes on with a restore that was begun, or begins one. */
static int settle_journal(struct restore *r, struct err *err)
{
	int under_way = r->j.exists && !r->j.finished, same = slice_eq(r->j.sha256, r->sha256), from = 0, rc = 0;
	fill_steps(r);
	if (r->options->from_step && find_step(r->plan, r->options->from_step, &from, err))
		return err->code;
	if (r->j.exists && r->j.finished && same && r->options->drop_old && !journal_has(&r->j, "drop-old")) {
		r->plan->drop_only = 1;
		r->plan->resumed = 1;
		return 0;
	}
	if (under_way && same) {
		r->plan->resumed = 1;
		return r->options->from_step ? go_back(r, from, err) : 0;
	}
	if (under_way && (!r->options->from_step || from != 0 || journal_has(&r->j, "swap")))
		return refuse_other(r, err);
	if (!under_way && from != 0)
		return err_set(err, ERR_USAGE, "no restore of this snapshot is under way: it begins with step 1");
	if (under_way && r->doing)
		rc = engine_of(r)->drop_fresh(r, err);
	return rc ? rc : begin_journal(r, err);
}

static int check_engine(const struct restore *r, struct err *err)
{
	const char *wanted = r->env->target->scheme == URL_SQLITE ? "sqlite" : "postgresql";
	if (slice_is(r->m.engine, wanted))
		return 0;
	return err_set(err, ERR_USAGE, "this is a snapshot of %.*s, and the target is %s", SLICE_ARG(r->m.engine),
		       wanted);
}

static int open_restore(struct restore *r, const char *name, struct err *err)
{
	struct json v;
	int rc = place_find(r->env, name, r->a, &r->place, err);
	if (rc == 0)
		rc = manifest_read(r->place.path, r->a, &r->m, &v, &r->sha256, err);
	if (rc == 0)
		rc = check_engine(r, err);
	if (rc == 0)
		rc = journal_read(r->env, r->a, &r->j, err);
	if (rc == 0)
		rc = engine_of(r)->open(r, err);
	if (rc == 0)
		rc = settle_journal(r, err);
	if (rc == 0)
		rc = snapshot_show(r->env, name, r->a, &r->plan->snapshot, err);
	if (rc == 0 && !r->plan->drop_only)
		rc = engine_of(r)->look(r, err);
	fill_steps(r);
	r->plan->database = r->j.database;
	r->plan->fresh = r->j.fresh;
	r->plan->old = r->j.old;
	r->plan->stamp = r->j.stamp;
	r->plan->domains = r->j.domains;
	return rc;
}

static void close_restore(struct restore *r)
{
	log_progress(r->env->log, "");
	link_close(r->server);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
}

static struct restore restore_init(const struct snapshot_env *env, const struct snapshot_restore_options *o,
				   struct arena *a, struct snapshot_plan *plan)
{
	struct slice stamp = plan->stamp;
	*plan = (struct snapshot_plan){0};
	return (struct restore){.stamp = stamp,
				.env = env,
				.options = o,
				.a = a,
				.plan = plan,
				.place.lock_fd = -1,
				.lock_fd = -1,
				.meter = {.log = env->log, .stop = env->stop}};
}

int snapshot_restore_plan(const struct snapshot_env *env, const char *name, const struct snapshot_restore_options *o,
			  struct arena *a, struct snapshot_plan *out, struct err *err)
{
	*out = (struct snapshot_plan){0};
	struct restore r = restore_init(env, o, a, out);
	int rc = open_restore(&r, name, err);
	close_restore(&r);
	return rc;
}

/* ---- doing it ---- */

static const struct restore_step *step_of(const struct restore *r, const char *name)
{
	const struct restore_step *s = engine_of(r)->steps;
	while (strcmp(s->name, name) != 0)
		s++;
	return s;
}

static int do_step(struct restore *r, int i, struct err *err)
{
	struct snapshot_step *s = &r->plan->steps[i];
	step(r->env, s->name);
	log_at(r->env->log, LOG_INFO, "step %d of %d, %s: %s", i + 1, r->plan->n_steps, s->name,
	       s->done ? "done before" : s->what);
	if (s->done)
		return 0;
	if (step_of(r, s->name)->run(r, err)) {
		log_progress(r->env->log, "");
		return err_prefix(err, "step %d, %s", i + 1, s->name);
	}
	log_progress(r->env->log, "");
	step(r->env, "journal");
	json_push(r->a, &r->j.done, json_str(s->name));
	r->j.begun = SLICE_NONE;
	s->done = 1;
	return journal_write(&r->j, r->a, err);
}

static int do_steps(struct restore *r, struct err *err)
{
	int rc = 0;
	if (!r->options->terminate && r->plan->clients.ptr)
		return database_refuse_clients(r->j.database, r->plan->clients, err);
	if (!r->plan->drop_only)
		rc = journal_write(&r->j, r->a, err);
	for (int i = 0; rc == 0 && i < r->plan->n_steps; i++) {
		rc = do_step(r, i, err);
		if (rc == 0 && r->env->stop && atomic_load(r->env->stop))
			rc = err_set(err, ERR_STOPPED, "stopped after step %s; the same command goes on",
				     r->plan->steps[i].name);
	}
	if (rc)
		return rc;
	r->j.finished = 1;
	return journal_write(&r->j, r->a, err);
}

int snapshot_restore(const struct snapshot_env *env, const char *name, const struct snapshot_restore_options *o,
		     struct arena *a, struct snapshot_plan *p, struct err *err)
{
	struct restore r = restore_init(env, o, a, p);
	mode_t mask = umask(077);
	r.doing = 1;
	int rc = open_restore(&r, name, err);
	if (rc == 0)
		rc = do_steps(&r, err);
	close_restore(&r);
	umask(mask);
	return rc;
}
