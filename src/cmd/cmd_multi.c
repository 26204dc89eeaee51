/* multi: many domains, one after another (BEHAVIOUR section 16 with DESIGN decision 23). */
#include "config.h"

#include "cmd/context.h"
#include "cmd/print.h"

#include <inttypes.h>

struct options {
	int live, resume, strict;
};

static const struct option_spec table[] = {
    {.name = "live",
     .kind = OPT_FLAG,
     .help = "catch up with each and leave it live; nothing is finished or committed",
     .offset = offsetof(struct options, live)},
    {.name = "resume",
     .kind = OPT_FLAG,
     .help = "with --live: also go on with domains that were begun before",
     .offset = offsetof(struct options, resume)},
    {.name = "strict",
     .kind = OPT_FLAG,
     .help = "differences of deleted cases count too",
     .offset = offsetof(struct options, strict)},
    {.name = NULL},
};

struct domain_result {
	struct slice domain;
	const char *outcome; /* one of a few words; in the arena or constant */
	int good;
	struct migrate_stats stats;
};

struct domains {
	struct slice *v;
	size_t n, cap;
};

/* ---- which domains ---- */

static void add_domain(struct cmd_context *c, struct domains *list, struct slice name)
{
	while (name.len && (*name.ptr == ' ' || *name.ptr == '\t'))
		name.ptr++, name.len--;
	while (name.len &&
	       (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t' || name.ptr[name.len - 1] == '\r'))
		name.len--;
	if (name.len && *name.ptr != '#')
		ARENA_PUSH(c->arena, list, name);
}

static void split(struct cmd_context *c, struct domains *list, struct slice text, char at)
{
	size_t from = 0;
	for (size_t i = 0; i <= text.len; i++)
		if (i == text.len || text.ptr[i] == at) {
			add_domain(c, list, (struct slice){text.ptr + from, i - from});
			from = i + 1;
		}
}

static int read_domains(struct cmd_context *c, struct domains *list, struct err *err)
{
	struct slice text = slice_of(c->argv[0]);
	char at = ':';
	if (text.len && text.ptr[0] != ':') {
		if (read_file(c->argv[0], c->arena, &text, err))
			return err->code;
		at = '\n';
	}
	split(c, list, text, at);
	if (list->n == 0)
		return err_set(err, ERR_USAGE, "%s names no domain", c->argv[0]);
	return 0;
}

/* ---- one domain ---- */

static int is_tolerated(const struct cmd_context *c, const struct options *o, const struct migrate_kind *k)
{
	const struct profile_kind *kind = profile_kind(&c->profile, k->kind);
	return !o->strict && kind && kind->cls == PROFILE_STATE && kind->deleted;
}

static int is_clean(const struct cmd_context *c, const struct options *o, const struct migrate_stats *s)
{
	if (s->nothing || s->apart || s->other_rules || s->unfinished || s->pending || s->rejected_now ||
	    s->conflicts_left || s->attachments_left)
		return 0;
	for (size_t i = 0; i < s->n_kinds; i++)
		if (s->kinds[i].missing ||
		    ((s->kinds[i].diffs || s->kinds[i].changes) && !is_tolerated(c, o, &s->kinds[i])))
			return 0;
	return 1;
}

static int migrate(struct cmd_context *c, const struct options *o, const struct migrate_env *env,
		   struct domain_result *out, struct err *err)
{
	struct migrate_options options = {.live = o->live};
	struct migrate_outcome outcome;
	int rc = migrate_run(env, &options, &outcome, err);
	log_progress(c->log, "");
	return rc ? rc : migrate_stats(env, c->arena, &out->stats, err);
}

/* With downtime: clean ones are committed, others go back to where they were. */
static int close_domain(const struct migrate_env *env, int clean, struct domain_result *out, struct err *err)
{
	out->good = clean;
	out->outcome = clean ? "committed" : out->stats.nothing ? "has no documents: reset" : "has diffs: reset";
	return clean ? migrate_commit(env, 1, err) : migrate_reset(env, err);
}

static int do_domain(struct cmd_context *c, const struct options *o, struct domain_result *out, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	env.domain = out->domain;
	if (migrate_stats(&env, c->arena, &out->stats, err))
		return err->code;
	if (slice_is(out->stats.status, "complete")) {
		out->outcome = "already migrated";
		out->good = 1;
		return 0;
	}
	if (out->stats.started && !o->resume) {
		out->outcome = "migration is in progress";
		return 0;
	}
	if (migrate(c, o, &env, out, err))
		return err->code;
	if (!o->live)
		return close_domain(&env, is_clean(c, o, &out->stats), out, err);
	out->good = is_clean(c, o, &out->stats);
	out->outcome = out->good ? "live" : "live, not clean";
	return 0;
}

/* ---- all of them ---- */

static void sum(const struct migrate_stats *s, struct migrate_kind *all)
{
	for (size_t i = 0; i < s->n_kinds; i++) {
		all->docs += s->kinds[i].docs;
		all->diffs += s->kinds[i].diffs;
		all->missing += s->kinds[i].missing;
		all->changes += s->kinds[i].changes;
	}
}

static void print_result_json(struct cmd_context *c, const struct domain_result *r, const struct migrate_kind *all)
{
	struct json v = json_object();
	json_sets(c->arena, &v, "domain", json_string(r->domain));
	json_sets(c->arena, &v, "outcome", json_str(r->outcome));
	json_sets(c->arena, &v, "clean", json_bool(r->good));
	json_sets(c->arena, &v, "docs", json_int(c->arena, all->docs));
	json_sets(c->arena, &v, "diffs", json_int(c->arena, all->diffs));
	json_sets(c->arena, &v, "missing", json_int(c->arena, all->missing));
	json_sets(c->arena, &v, "changes", json_int(c->arena, all->changes));
	print_json_line(c, &v);
}

static void print_result(struct cmd_context *c, const struct domain_result *r)
{
	struct migrate_kind all = {0};
	sum(&r->stats, &all);
	if (c->global->format == FORMAT_JSON) {
		print_result_json(c, r, &all);
		return;
	}
	fprintf(c->out, "%10" PRId64 "%10" PRId64 "%10" PRId64 "%10" PRId64 "  ", all.docs, all.diffs, all.missing,
		all.changes);
	print_text(c, r->domain);
	fprintf(c->out, ": %s\n", r->outcome);
}

static void print_all(struct cmd_context *c, const struct domain_result *results, size_t n)
{
	int bad = 0;
	if (c->global->format == FORMAT_TEXT)
		fprintf(c->out, "%10s%10s%10s%10s  Domain\n", "Docs", "Diffs", "Missing", "Changes");
	for (size_t i = 0; i < n; i++) {
		print_result(c, &results[i]);
		bad += !results[i].good;
	}
	if (c->global->format == FORMAT_TEXT)
		fputs(bad ? "\nNot all migrations ended clean.\n" : "\nAll migrations successful!\n", c->out);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct domains list = {0};
	struct domain_result *results;
	int all_good = 1, stopped = 0;
	if (o->resume && !o->live)
		return err_set(err, ERR_USAGE, "--resume needs --live");
	if (read_domains(c, &list, err))
		return err->code;
	results = ARENA_ARRAY(c->arena, list.n, struct domain_result);
	for (size_t i = 0; i < list.n; i++) {
		struct err why = ERR_INIT;
		results[i].domain = list.v[i];
		if (stopped || atomic_load(c->stop)) {
			results[i].outcome = "stopped by operator";
			stopped = 1;
		} else if (do_domain(c, o, &results[i], &why)) {
			results[i].outcome = arena_printf(c->arena, "%s", why.msg).ptr;
			results[i].good = 0;
			log_err(c->log, LOG_ERROR, &why);
			stopped = why.code == ERR_STOPPED;
		}
		all_good &= results[i].good;
	}
	print_all(c, results, list.n);
	return all_good ? 0 : 1;
}

const struct command cmd_multi = {
    .name = "multi",
    .arguments = "FILE|:DOMAIN:DOMAIN...",
    .summary = "many domains, one after another",
    .help = "FILE holds a domain a line. Each is migrated; a clean one is committed, any other is reset, unless --live "
	    "is given: "
	    "then each is left live for `migrate --finish` and `commit`. One domain's failure does not stop the "
	    "others. Exits 1 "
	    "when any did not end clean; one of which the source has no document is not clean.",
    .needs = NEED_SOURCE | NEED_TARGET | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
