#include "config.h"

#include "base/clock.h"
#include "cmd/context.h"
#include "cmd/print.h"
#include "cmd/select.h"
#include "migrate/patching.h"

struct options {
	const char *select;
	int audit_content;
};

static const struct option_spec table[] = {
    {.name = "select",
     .kind = OPT_TEXT,
     .argument = "S",
     .help = "which documents, as diff show --select takes them",
     .offset = offsetof(struct options, select)},
    {.name = "audit-content",
     .kind = OPT_CHOICE,
     .argument = "full|digest",
     .help = "what the audit trail keeps of patched documents: their contents, or digests only",
     .offset = offsetof(struct options, audit_content)},
    {.name = NULL},
};

static int selected(void *ctx, struct slice kind, struct slice id)
{
	return selection_has(ctx, kind, id);
}

static void print_outcome(struct cmd_context *c, const struct migrate_patched *done, const struct migrate_stats *stats)
{
	if (c->global->format == FORMAT_TEXT) {
		fprintf(c->out, "%lld patched, %lld refused\n", (long long)done->patched, (long long)done->refused);
		print_stats(c, stats, c->global->verbose > 0);
		return;
	}
	struct json v = stats_to_json(stats, c->arena);
	json_sets(c->arena, &v, "patched", json_int(c->arena, done->patched));
	json_sets(c->arena, &v, "refused", json_int(c->arena, done->refused));
	print_json_line(c, &v);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct selection selection;
	struct migrate_patch_options options = {
	    .filter = o->select ? selected : NULL, .ctx = &selection, .digests = o->audit_content};
	struct migrate_patched done;
	struct migrate_stats stats;
	int unknown;
	if (selection_parse(o->select, &c->profile, c->arena, &selection, err))
		return err->code;
	if (selection.what == SELECT_PENDING) {
		err_set(err, ERR_USAGE, "pending cases have not been compared yet: they have no differences to patch");
		return err_hint(err, "`settle diff cases %.*s --select pending` compares them", SLICE_ARG(c->domain));
	}
	options.only_diffs = selection.what == SELECT_DIFFS;
	options.only_changes = selection.what == SELECT_CHANGES;
	if (migrate_patch(&env, &options, &done, err) || migrate_stats(&env, c->arena, &stats, err))
		return err->code;
	print_outcome(c, &done, &stats);
	if (selection_check(c, &selection, AGAIN_CASES | AGAIN_FORMS, &unknown, err))
		return err->code;
	return stats.clean && !unknown ? 0 : 1;
}

const struct command cmd_diff_patch = {
    .name = "diff patch",
    .arguments = "DOMAIN",
    .summary = "patch the documents that differ, then compare them again",
    .help = "Each patched case gets a form that makes it look like the Couch case and records what was before; "
	    "the audit trail has it before SQL has. A profile may let plain documents be patched too: their row is set "
	    "to the document of the source, which must be given. What cannot be patched is named with the reason and "
	    "still differs. "
	    "Patching twice adds nothing.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
