#include "config.h"

#include "cmd/context.h"
#include "cmd/marked.h"
#include "cmd/print.h"

enum side { SIDE_BOTH, SIDE_COUCH, SIDE_SQL };

struct options {
	const char *kind;
	int side;
};

static const struct option_spec table[] = {
    {.name = "kind",
     .kind = OPT_TEXT,
     .argument = "K",
     .help = "compare as this kind; default: the document's own",
     .offset = offsetof(struct options, kind)},
    {.name = "side",
     .kind = OPT_CHOICE,
     .argument = "both|couch|sql",
     .help = "one side only, as plain JSON",
     .offset = offsetof(struct options, side)},
    {.name = NULL},
};

static int print_one(struct cmd_context *c, const struct json *v, const char *where, struct err *err)
{
	if (!v)
		return err_set(err, ERR_USAGE, "%s does not hold document %s", where, c->argv[1]);
	print_json(c, v, c->global->format == FORMAT_JSON ? JSON_PLAIN : JSON_PRETTY);
	fputc('\n', c->out);
	return 0;
}

static void print_both_json(struct cmd_context *c, const struct migrate_sides *sides, const struct diff_list *kept)
{
	struct json v = json_object();
	json_sets(c->arena, &v, "kind", json_string(sides->kind));
	json_sets(c->arena, &v, "id", json_str(c->argv[1]));
	if (sides->couch)
		json_sets(c->arena, &v, "couch", *sides->couch);
	if (sides->sql)
		json_sets(c->arena, &v, "sql", *sides->sql);
	json_sets(c->arena, &v, "diffs", diff_list_to_json(kept, c->arena));
	print_json_line(c, &v);
}

static void print_side(struct cmd_context *c, const char *title, const struct json *v, const struct marks *marks,
		       char side)
{
	print_color(c, PRINT_BOLD);
	fprintf(c->out, "%s%s", title, v ? "" : " (absent)");
	print_color(c, PRINT_PLAIN);
	fputc('\n', c->out);
	if (v)
		print_marked(c, v, marks, side);
}

static void print_both_text(struct cmd_context *c, const struct migrate_sides *sides, const struct diff_list *kept)
{
	struct diff_list raw = {0};
	struct marks marks = {&raw, kept};
	if (sides->couch && sides->sql)
		diff_json(sides->couch, sides->sql, c->arena, &raw);
	print_text(c, sides->kind);
	fputc(' ', c->out);
	print_text(c, slice_of(c->argv[1]));
	fputs("\n\n", c->out);
	print_side(c, "couch", sides->couch, &marks, '-');
	fputc('\n', c->out);
	print_side(c, "sql", sides->sql, &marks, '+');
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct migrate_sides sides;
	struct migrate_comparison comparison = {0};
	warn_of_kind(c, o->kind);
	int rc = migrate_sides(&env, slice_of(c->argv[1]), slice_of(o->kind), c->arena, &sides, err);
	if (rc == ERR_NOTFOUND)
		err->code = ERR_USAGE;
	if (rc)
		return err->code;
	if (o->side == SIDE_COUCH)
		return print_one(c, sides.couch, "the source", err);
	if (o->side == SIDE_SQL)
		return print_one(c, sides.sql, "the target", err);
	migrate_compare(&c->profile, sides.kind, sides.couch, sides.sql, sides.touching, sides.n_touching, 0, c->arena,
			&comparison);
	if (c->global->format == FORMAT_JSON)
		print_both_json(c, &sides, &comparison.diffs);
	else
		print_both_text(c, &sides, &comparison.diffs);
	return 0;
}

const struct command cmd_show = {
    .name = "show",
    .arguments = "DOMAIN ID",
    .summary = "one document as Couch and as SQL tell it",
    .help = "Both sides as JSON. Lines that differ begin with - (Couch) or + (SQL), with ~ where a rule expects the "
	    "difference. "
	    "A Couch side that settle did not keep is read from --source.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE | USES_PAGER,
    .min_args = 2,
    .max_args = 2,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
