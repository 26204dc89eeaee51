#include "config.h"

#include "cmd/again_print.h"
#include "cmd/select.h"

#include <inttypes.h>

struct options {
	const char *select;
};

static const struct option_spec table[] = {
    SELECT_OPTION(struct options),
    {.name = NULL},
};

/* Of a complete migration nothing is recorded: what was found now is in the result alone. */
static int is_clean(const struct again_result *r, const struct migrate_stats *s)
{
	return s->clean && !r->diffs && !r->changes && !r->missing && !r->left;
}

static int run_class(struct cmd_context *c, enum again_class class, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct again_look look = {.found = again_print_found, .ctx = c};
	struct selection selection;
	struct migrate_stats stats;
	struct again_result result;
	int unknown;
	if (selection_parse(o->select, &c->profile, c->arena, &selection, err))
		return err->code;
	if (!selection_meets_class(&selection, class == AGAIN_CASES)) {
		err_set(err, ERR_USAGE, "--select %s names no %s", o->select, class == AGAIN_CASES ? "cases" : "forms");
		return err_hint(err, "only cases can be pending or have changes; `settle diff %s` is for the others",
				class == AGAIN_CASES ? "forms" : "cases");
	}
	if (migrate_again(&env, class, &selection, &look, &result, err) || migrate_stats(&env, c->arena, &stats, err))
		return err->code;
	again_print_result(c, &result, class == AGAIN_CASES ? "cases" : "forms and documents");
	if (selection_check(c, &selection, class, &unknown, err))
		return err->code;
	return is_clean(&result, &stats) && !unknown ? 0 : 1;
}

static int run_cases(struct cmd_context *c, struct err *err)
{
	return run_class(c, AGAIN_CASES, err);
}

static int run_forms(struct cmd_context *c, struct err *err)
{
	return run_class(c, AGAIN_FORMS, err);
}

const struct command cmd_diff_cases = {
    .name = "diff cases",
    .arguments = "DOMAIN",
    .summary = "compare cases again",
    .help =
	"Each case that settle keeps with what SQL holds, and what SQL alone holds; the outcome replaces what was "
	"recorded. "
	"When the migration is complete, what is found is printed and nothing is recorded. Exit 1 while the migration "
	"is not clean.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run_cases,
};

const struct command cmd_diff_forms = {
    .name = "diff forms",
    .arguments = "DOMAIN",
    .summary = "compare forms and plain documents again",
    .help = "Reads them from the source once more and compares them with what SQL holds; the outcome replaces what was "
	    "recorded. "
	    "A document of which the source holds another revision by now is left to `settle migrate`. When the "
	    "migration is "
	    "complete, what is found is printed and nothing is recorded. Exit 1 while the migration is not clean.",
    .needs = NEED_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run_forms,
};
