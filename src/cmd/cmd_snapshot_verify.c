#include "config.h"

#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *dir, *key;
};

static const struct option_spec table[] = {
    SNAPSHOTS_DIR_OPTION(struct options),
    SNAPSHOTS_KEY_OPTION(struct options),
    {.name = NULL},
};

static void print_json_findings(const struct cmd_context *c, const struct snapshot_findings *found)
{
	struct json v = json_object(), all = json_array();
	for (size_t i = 0; i < found->n; i++)
		json_push(c->arena, &all, json_string(found->v[i]));
	json_sets(c->arena, &v, "name", json_str(c->argv[0]));
	json_sets(c->arena, &v, "good", json_bool(found->n == 0));
	json_sets(c->arena, &v, "findings", all);
	print_json_line(c, &v);
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, o->key);
	struct snapshot_findings found;
	int rc = snapshot_verify(&env, c->argv[0], c->arena, &found, err);
	if (rc)
		return snapshots_named(err);
	if (c->global->format == FORMAT_JSON) {
		print_json_findings(c, &found);
		return found.n ? 1 : 0;
	}
	for (size_t i = 0; i < found.n; i++) {
		print_color(c, PRINT_RED);
		fputs("FINDING ", c->out);
		print_color(c, PRINT_PLAIN);
		print_text(c, found.v[i]);
		fputc('\n', c->out);
	}
	if (found.n == 0)
		fprintf(c->out, "good: every file is what the manifest says\n");
	return found.n ? 1 : 0;
}

const struct command cmd_snapshot_verify = {
    .name = "snapshot verify",
    .arguments = "NAME",
    .summary = "read every byte of a snapshot and compare it with its manifest",
    .help = "With a key also decrypts every file, writing nothing. Exit 1 on a finding, which names the file.",
    .needs = NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
