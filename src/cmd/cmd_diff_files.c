#include "config.h"

#include "cmd/context.h"
#include "cmd/print.h"

struct options {
	const char *kind, *no_action_forms;
	int raw;
};

static const struct option_spec table[] = {
    {.name = "kind",
     .kind = OPT_TEXT,
     .argument = "K",
     .help = "compare as this kind; default: the doc type of the Couch document",
     .offset = offsetof(struct options, kind)},
    {.name = "raw", .kind = OPT_FLAG, .help = "without the profile's rules", .offset = offsetof(struct options, raw)},
    {.name = "no-action-forms",
     .kind = OPT_TEXT,
     .argument = "ID,...",
     .help = "forms that touch this case without actions: not missed in xform_ids",
     .offset = offsetof(struct options, no_action_forms)},
    {.name = NULL},
};

struct ids { /* ARENA_PUSH */
	struct slice *v;
	size_t n, cap;
};

static struct ids split_ids(const char *text, struct arena *a)
{
	struct ids ids = {0};
	while (text && *text) {
		size_t n = strcspn(text, ",");
		if (n)
			ARENA_PUSH(a, &ids, ((struct slice){text, n}));
		text += n + (text[n] == ',');
	}
	return ids;
}

/* A document without a type belongs to no kind, and no rule is about it. */
static struct slice kind_of(const struct cmd_context *c, const char *given, const struct json *couch)
{
	struct slice kind = SLICE_NONE;
	if (given)
		return slice_of(given);
	if (c->profile.type_field.ptr)
		kind = json_text(json_get(couch, c->profile.type_field));
	return kind.ptr ? kind : SLICE("document");
}

static void print_result_json(struct cmd_context *c, const struct migrate_comparison *r)
{
	struct json v = json_object(), ignored = json_array();
	for (size_t i = 0; i < r->ignored.n; i++) {
		struct json one = json_object();
		json_sets(c->arena, &one, "rule", json_string(r->ignored.v[i].rule->name));
		json_sets(c->arena, &one, "diff", diff_to_json(&r->ignored.v[i].diff, c->arena));
		json_push(c->arena, &ignored, one);
	}
	json_sets(c->arena, &v, "diffs", diff_list_to_json(&r->diffs, c->arena));
	json_sets(c->arena, &v, "ignored", ignored);
	print_json_line(c, &v);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct ids ids = split_ids(o->no_action_forms, c->arena);
	struct json couch, sql;
	struct slice kind, id;
	struct migrate_comparison result = {0};
	if (read_json_file(c->argv[0], c->arena, &couch, err) || read_json_file(c->argv[1], c->arena, &sql, err))
		return err->code;
	kind = kind_of(c, o->kind, &couch);
	migrate_compare(&c->profile, kind, &couch, &sql, ids.v, ids.n, o->raw, c->arena, &result);
	warn_of_kind(c, o->kind);
	id = json_get_text(&couch, "_id");
	if (c->global->format == FORMAT_JSON)
		print_result_json(c, &result);
	else
		print_diffs(c, kind, id.ptr ? id : slice_of(c->argv[0]), &result.diffs);
	if (result.ignored.n)
		log_at(c->log, LOG_DETAIL, "rules dropped %zu differences", result.ignored.n);
	return result.diffs.n ? 1 : 0;
}

const struct command cmd_diff_files = {
    .name = "diff files",
    .arguments = "COUCH.json SQL.json",
    .summary = "compare two files with the profile's rules; no database",
    .help = "Exit 0 when nothing differs, 1 when something does, 2 when a file cannot be read.",
    .needs = NEED_PROFILE,
    .min_args = 2,
    .max_args = 2,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
