#include "config.h"

#include "cmd/again_print.h"
#include "cmd/select.h"

#include <inttypes.h>

struct options {
	const char *select;
	int changes, dry_run;
};

static const struct option_spec table[] = {
    SELECT_OPTION(struct options),
    {.name = "changes",
     .kind = OPT_FLAG,
     .help = "only documents with changes (differences with a known cause)",
     .offset = offsetof(struct options, changes)},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "tell what would become of them, and record nothing",
     .offset = offsetof(struct options, dry_run)},
    {.name = NULL},
};

struct filter {
	struct cmd_context *c;
	int64_t changed;
};

static void print_counts(struct cmd_context *c, const struct refilter_change *f, size_t before, size_t after,
			 const char *what)
{
	if (before == after)
		return;
	print_kind(c, f->kind);
	fputc(' ', c->out);
	print_text(c, f->id);
	fprintf(c->out, ": %zu -> %zu %s\n", before, after, what);
}

static int print_change(void *ctx, const struct refilter_change *f, struct err *err)
{
	struct filter *filter = ctx;
	struct cmd_context *c = filter->c;
	struct arena a = ARENA_INIT;
	struct json v = json_object();
	(void)err;
	filter->changed++;
	if (c->global->format == FORMAT_TEXT) {
		print_counts(c, f, f->diffs_before, f->diffs_after, "diffs");
		print_counts(c, f, f->changes_before, f->changes_after, "changes");
		return 0;
	}
	json_sets(&a, &v, "kind", json_string(f->kind));
	json_sets(&a, &v, "id", json_string(f->id));
	json_sets(&a, &v, "diffs_before", json_int(&a, (long long)f->diffs_before));
	json_sets(&a, &v, "diffs", json_int(&a, (long long)f->diffs_after));
	json_sets(&a, &v, "changes_before", json_int(&a, (long long)f->changes_before));
	json_sets(&a, &v, "changes", json_int(&a, (long long)f->changes_after));
	print_json_line(c, &v);
	arena_release(&a);
	return 0;
}

static void print_sum(const struct filter *f, const struct again_result *result, int dry_run)
{
	if (f->c->global->format != FORMAT_TEXT)
		return;
	if (result->compared)
		fprintf(f->c->out, "looked at %" PRId64 " documents, %" PRId64 " are others now%s\n", result->compared,
			f->changed, dry_run ? "; nothing was recorded" : "");
	else
		fputs("nothing to do: what is stored was told by these rules\n", f->c->out);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct filter filter = {c, 0};
	unsigned flags = (o->dry_run ? REFILTER_DRY_RUN : 0u) | (o->changes ? REFILTER_CHANGES : 0u);
	struct migrate_stats stats;
	struct selection selection;
	struct again_result result;
	int unknown;
	if (selection_parse(o->select, &c->profile, c->arena, &selection, err) ||
	    migrate_refilter(&env, &selection, (enum refilter_flags)flags, print_change, &filter, &result, err) ||
	    migrate_stats(&env, c->arena, &stats, err))
		return err->code;
	print_sum(&filter, &result, o->dry_run);
	if (selection_check(c, &selection, AGAIN_CASES | AGAIN_FORMS, &unknown, err))
		return err->code;
	return stats.clean && !unknown ? 0 : 1;
}

const struct command cmd_diff_filter = {
    .name = "diff filter",
    .arguments = "DOMAIN",
    .summary = "apply the current rules to stored differences",
    .help = "After the rules of the profile were edited: gives what a fresh comparison would give. What rules that "
	    "were only added "
	    "drop is seen in the stored differences; after any other edit cases are compared again, and forms too if "
	    "there is a "
	    "source (else the rule that needs it is named). Prints the documents whose differences are others now. "
	    "Exit 1 while "
	    "the migration is not clean.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
