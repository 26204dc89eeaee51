#include "config.h"

#include "cmd/ask.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

struct options {
	const char *dir, *key, *from_step;
	int64_t jobs;
	int terminate, drop_old, dry_run;
};

#define FIELD(field) offsetof(struct options, field)

static const struct option_spec table[] = {
    SNAPSHOTS_DIR_OPTION(struct options),
    SNAPSHOTS_KEY_OPTION(struct options),
    SNAPSHOTS_JOBS_OPTION(struct options),
    {.name = "terminate", .kind = OPT_FLAG, .help = "end the clients that are in the way", .offset = FIELD(terminate)},
    {.name = "from-step",
     .kind = OPT_TEXT,
     .argument = "STEP",
     .help = "do this step (name or number) and those after it again, though they are done",
     .offset = FIELD(from_step)},
    {.name = "drop-old",
     .kind = OPT_FLAG,
     .help = "at the end drop the database that was replaced; after a restore of this snapshot: only that",
     .offset = FIELD(drop_old)},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "say what would happen; write nothing anywhere",
     .offset = FIELD(dry_run)},
    {.name = NULL},
};

static void print_field(const struct cmd_context *c, const char *name, struct slice value)
{
	if (!value.ptr)
		return;
	fprintf(c->out, "%-11s", name);
	print_text(c, value);
	fputc('\n', c->out);
}

static void print_clients(const struct cmd_context *c, struct slice clients)
{
	while (clients.len) {
		struct slice line = {clients.ptr, 0};
		while (line.len < clients.len && line.ptr[line.len] != '\n')
			line.len++;
		print_field(c, "connected", line);
		size_t taken = line.len < clients.len ? line.len + 1 : line.len;
		clients = (struct slice){clients.ptr + taken, clients.len - taken};
	}
}

static void print_plan(const struct cmd_context *c, const struct snapshot_plan *p)
{
	const struct snapshot_info *s = &p->snapshot;
	struct slice size = snapshots_size(c, s->bytes);
	print_field(c, "snapshot", s->path);
	print_field(c, "holds",
		    arena_printf(c->arena, "%lld tables, %lld rows, %.*s, made %.19sZ", (long long)s->tables,
				 (long long)s->rows, SLICE_ARG(size), s->created.ptr));
	print_field(c, "replaces", p->database);
	print_field(c, "kept as", p->old);
	print_clients(c, p->clients);
	print_field(c, "no role", p->missing_roles);
	for (int i = 0; i < p->n_steps; i++)
		fprintf(c->out, "step %d     %-9s %s%s\n", i + 1, p->steps[i].name, p->steps[i].what,
			p->steps[i].done ? " (done)" : "");
}

static struct json plan_to_json(const struct cmd_context *c, const struct snapshot_plan *p)
{
	struct json v = json_object(), steps = json_array();
	json_sets(c->arena, &v, "snapshot", json_string(p->snapshot.path));
	json_sets(c->arena, &v, "database", json_string(p->database));
	json_sets(c->arena, &v, "old", json_string(p->old));
	json_sets(c->arena, &v, "resumed", json_bool(p->resumed));
	json_sets_text(c->arena, &v, "clients", p->clients);
	json_sets_text(c->arena, &v, "missing_roles", p->missing_roles);
	for (int i = 0; i < p->n_steps; i++) {
		struct json one = json_object();
		json_sets(c->arena, &one, "step", json_str(p->steps[i].name));
		json_sets(c->arena, &one, "done", json_bool(p->steps[i].done));
		json_push(c->arena, &steps, one);
	}
	json_sets(c->arena, &v, "steps", steps);
	return v;
}

static void print_done(struct cmd_context *c, const struct options *o, const struct snapshot_plan *p)
{
	if (c->global->format == FORMAT_JSON) {
		struct json v = plan_to_json(c, p);
		print_json_line(c, &v);
		return;
	}
	if (p->drop_only) {
		print_field(c, "dropped", p->old);
		log_at(c->log, LOG_INFO,
		       "nothing was restored: that was done before; without --drop-old it is done once more");
		return;
	}
	print_field(c, "restored", p->database);
	if (!o->drop_old) {
		print_field(c, "old one", p->old);
		struct slice name = snapshots_word(c, slice_of(c->argv[0])), dir = snapshots_dir_words(c, o->dir);
		print_field(c, "drop it",
			    arena_printf(c->arena, "settle snapshot restore %.*s%.*s --drop-old", SLICE_ARG(name),
					 SLICE_ARG(dir)));
	}
}

static const char *question(struct cmd_context *c, const struct snapshot_plan *plan)
{
	if (plan->drop_only)
		return arena_printf(c->arena, "Drop the old database %.*s for good?", SLICE_ARG(plan->old)).ptr;
	return arena_printf(c->arena, "Replace %.*s by this snapshot?", SLICE_ARG(plan->database)).ptr;
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct snapshot_env env = snapshots_env(c, o->dir, o->key);
	struct snapshot_restore_options options = {
	    .from_step = o->from_step,
	    .terminate = o->terminate,
	    .drop_old = o->drop_old,
	    .note = snapshots_note_restore,
	    .note_ctx = c,
	};
	struct snapshot_plan plan;
	env.jobs = snapshots_jobs(o->jobs);
	int rc = snapshot_restore_plan(&env, c->argv[0], &options, c->arena, &plan, err);
	if (rc)
		return snapshots_named(err);
	if (c->global->format == FORMAT_TEXT)
		print_plan(c, &plan);
	if (o->dry_run) {
		struct json v = plan_to_json(c, &plan);
		if (c->global->format == FORMAT_JSON)
			print_json_line(c, &v);
		return 0;
	}
	fflush(c->out);
	if (cmd_ask(c, question(c, &plan), err))
		return err->code;
	if (snapshot_restore(&env, c->argv[0], &options, c->arena, &plan, err))
		return err->code;
	print_done(c, o, &plan);
	return 0;
}

const struct command cmd_snapshot_restore = {
    .name = "snapshot restore",
    .arguments = "NAME",
    .summary = "bring the target back to a snapshot",
    .help =
	"Prints the plan and asks. Verifies the snapshot, loads it into a new database beside the old one, compares "
	"the "
	"rows of each table, and swaps the two by name; the state files of the migrations go back too. The old "
	"database "
	"is kept until --drop-old. Each step is written down when it is done: after any failure the same command goes "
	"on. Refused while a migration runs or clients are connected.",
    .needs = NEED_TARGET | NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
