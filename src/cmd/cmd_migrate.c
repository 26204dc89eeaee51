#include "config.h"

#include "base/clock.h"
#include "base/pct.h"
#include "base/utf8.h"
#include "cmd/context.h"
#include "cmd/print.h"
#include "cmd/snapshots.h"

#include <stdlib.h>

struct options {
	int64_t jobs, limit, max_doc, batch_bytes;
	int stop_on_error, live, follow, finish, shutter, dry_run, rebuild_state, patch, audit_content, snapshot,
	    distribute;
	int missing_docs; /* enum migrate_scan */
	const char *quiet_for, *max_rate, *only, *max_rejects, *forms, *case_diff, *without;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option_spec table[] = {
    {.name = "live",
     .kind = OPT_FLAG,
     .help = "catch up with a source that is in use, and return; the migration stays live",
     .offset = FIELD(live)},
    {.name = "follow",
     .kind = OPT_FLAG,
     .help = "catch up, then stay and follow the source until stopped; implies --live",
     .offset = FIELD(follow)},
    {.name = "finish",
     .kind = OPT_FLAG,
     .help = "end the live phase: catch up and make sure that nothing of the domain is written any more",
     .offset = FIELD(finish)},
    {.name = "shutter",
     .kind = OPT_FLAG,
     .help = "with --finish: make the source refuse writes to the domain, until unfinish or reset; the only write to a "
	     "source",
     .offset = FIELD(shutter)},
    {.name = "patch",
     .kind = OPT_FLAG,
     .help = "patch the documents that differ, then compare them again",
     .offset = FIELD(patch)},
    {.name = "case-diff",
     .kind = OPT_TEXT,
     .argument = "after|patch|none",
     .help = "cases are folded and compared after the forms (the default), then patched too, or left pending for a "
	     "later run",
     .offset = FIELD(case_diff)},
    {.name = "audit-content",
     .kind = OPT_CHOICE,
     .argument = "full|digest",
     .help = "what the audit trail keeps of patched documents: their contents, or digests only",
     .offset = FIELD(audit_content)},
    {.name = "quiet-for",
     .kind = OPT_TEXT,
     .argument = "S",
     .help = "seconds without a write that count as quiet; default 2",
     .offset = FIELD(quiet_for)},
    {.name = "max-rate",
     .kind = OPT_TEXT,
     .argument = "DOCS/S",
     .help = "read no more documents a second than this, evenly and in small requests, to spare the source",
     .offset = FIELD(max_rate)},
    {.name = "forms",
     .kind = OPT_TEXT,
     .argument = "missing|ID,ID|./FILE",
     .help = "only these documents, from the source, and the cases they touch; missing: those that are missing, and "
	     "forms that cases "
	     "lack; ./FILE or /FILE: an id a line",
     .offset = FIELD(forms)},
    {.name = "missing-docs",
     .kind = OPT_CHOICE,
     .argument = "resume|rebuild|recheck|cached",
     .help = "how to look for documents that the source has and SQL has not: go on where it stopped (the default), "
	     "begin anew, look "
	     "again only for those already missing, or not at all",
     .offset = FIELD(missing_docs)},
    {.name = "max-rejects",
     .kind = OPT_TEXT,
     .argument = "N|N%",
     .help = "end when more documents than this cannot be stored",
     .offset = FIELD(max_rejects)},
    {.name = "only",
     .kind = OPT_TEXT,
     .argument = "KIND,...",
     .help = "a trial run of documents of these kinds",
     .offset = FIELD(only)},
    {.name = "without",
     .kind = OPT_TEXT,
     .argument = "attachments,conflicts|none",
     .help = "these stay in the source on purpose: attachments, bodies of losing revisions; counted, but no reason not "
	     "to be clean. Holds for "
	     "later runs too",
     .offset = FIELD(without)},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .help = "say what would happen; write nothing anywhere",
     .offset = FIELD(dry_run)},
    {.name = "snapshot",
     .kind = OPT_FLAG,
     .help = "first keep the target as it is: `snapshot create` before anything is written",
     .offset = FIELD(snapshot)},
    {.name = "distribute",
     .kind = OPT_FLAG,
     .help = "the target has Citus: when settle makes its tables there, they are distributed by the ids of forms, "
	     "cases and documents; tables that are there and not distributed are refused",
     .offset = FIELD(distribute)},
    {.name = "rebuild-state",
     .kind = OPT_FLAG,
     .help = "the state directory was lost, or it or the target is an older copy: read everything again and compare it "
	     "with the target",
     .offset = FIELD(rebuild_state)},
    {.name = "jobs",
     .letter = 'j',
     .kind = OPT_INT,
     .argument = "N",
     .least = 1,
     .help = "workers, each with a connection to the target of its own; default 2, at most 16",
     .offset = FIELD(jobs)},
    {.name = "limit",
     .kind = OPT_INT,
     .argument = "N",
     .least = 1,
     .help = "a trial run that stops after N rows of the feed",
     .offset = FIELD(limit)},
    {.name = "stop-on-error",
     .kind = OPT_FLAG,
     .help = "end at the first document that cannot be stored, instead of setting it aside",
     .offset = FIELD(stop_on_error)},
    {.name = "max-doc",
     .kind = OPT_SIZE,
     .argument = "SIZE",
     .least = 1,
     .help = "a larger document is set aside without its body; default 64M",
     .offset = FIELD(max_doc)},
    {.name = "batch-bytes",
     .kind = OPT_SIZE,
     .argument = "SIZE",
     .least = 1,
     .help = "documents of a transaction; default 1M",
     .offset = FIELD(batch_bytes)},
    {.name = NULL},
};

/* STATE_DIR/log/DOMAIN.log keeps what was said on stderr. */
static int open_log_file(struct cmd_context *c, struct err *err)
{
	struct buf path = BUF_INIT(4096);
	buf_fmt(&path, "%s/log", c->state_dir);
	int rc = buf_check(&path, "the name of the state directory", err);
	if (rc == 0)
		rc = make_directory(path.ptr, err);
	buf_ch(&path, '/');
	pct_file_name(c->domain, &path);
	buf_str(&path, ".log");
	if (rc == 0)
		rc = buf_check(&path, "the name of the log file", err);
	if (rc == 0)
		rc = log_also_to(c->log, path.ptr, err);
	buf_release(&path);
	return rc;
}

static void print_summary(struct cmd_context *c, const struct migrate_stats *s, int64_t read, int64_t elapsed_us)
{
	double seconds = (double)elapsed_us / 1e6, rate = seconds > 0 ? (double)read / seconds : 0;
	if (c->global->format == FORMAT_TEXT) {
		print_stats(c, s, STATS_AFTER_MIGRATE | (c->global->verbose > 0 ? STATS_VERBOSE : 0u));
		fprintf(c->out, "%-11s%.1f s, %.0f documents a second\n", "elapsed", seconds, rate);
		return;
	}
	struct json v = stats_to_json(s, c->arena);
	json_sets(c->arena, &v, "elapsed_s", json_number(arena_printf(c->arena, "%.3f", seconds)));
	json_sets(c->arena, &v, "docs_per_s", json_number(arena_printf(c->arena, "%.1f", rate)));
	json_sets(c->arena, &v, "bytes", json_int(c->arena, s->counters.bytes));
	print_json_line(c, &v);
}

#define RATE_BELOW 1e9
#define CAP_BELOW 1e15

/* Digits with at most one point among them; -1 when the text is none. */
static double decimal(const char *text, size_t len)
{
	int points = 0;
	for (size_t i = 0; i < len; i++) {
		points += text[i] == '.';
		if (text[i] != '.' && (text[i] < '0' || text[i] > '9'))
			return -1;
	}
	return points <= 1 && len > (size_t)points ? strtod(text, NULL) : -1;
}

/* A positive number; absent: 0. */
static int read_number(const char *option, const char *text, double *out, struct err *err)
{
	*out = text ? decimal(text, strlen(text)) : 0;
	if (!text || (*out > 0 && *out < RATE_BELOW))
		return 0;
	return err_set(err, ERR_USAGE, "%s wants a positive number%s, not \"%s\"", option,
		       *out > 0 ? " below 1000000000" : "", text);
}

/* "N" or "N%"; absent: no cap. */
static int read_cap(const char *text, struct migrate_options *out, struct err *err)
{
	if (!text)
		return 0;
	size_t len = strlen(text);
	int percent = len > 1 && text[len - 1] == '%';
	double n = decimal(text, len - (size_t)percent), most = percent ? 100 : CAP_BELOW;
	out->max_rejects = n;
	out->rejects_cap = percent ? MIGRATE_CAP_PERCENT : MIGRATE_CAP_COUNT;
	if (n >= 0 && n <= most && (percent || !strchr(text, '.')))
		return 0;
	return err_set(err, ERR_USAGE, "--max-rejects wants a whole number or a percentage, not \"%s\"", text);
}

/* The pieces of text between separators, without empty ones. */
static void split(struct slice text, const char *separators, struct arena *a, struct slice **out, size_t *n)
{
	struct {
		struct slice *v;
		size_t n, cap;
	} pieces = {0};
	while (text.len) {
		size_t len = 0;
		while (len < text.len && !strchr(separators, text.ptr[len]))
			len++;
		if (len)
			ARENA_PUSH(a, &pieces, ((struct slice){text.ptr, len}));
		len += len < text.len;
		text = (struct slice){text.ptr + len, text.len - len};
	}
	*out = pieces.v;
	*n = pieces.n;
}

static int read_without(struct cmd_context *c, const char *text, struct migrate_options *out, struct err *err)
{
	struct slice *v = NULL;
	size_t n = 0;
	if (!text)
		return 0;
	out->sets_without = 1;
	if (strcmp(text, "none") == 0)
		return 0;
	split(slice_of(text), ",", c->arena, &v, &n);
	for (size_t i = 0; i < n; i++) {
		if (!migrate_without_named(v[i]))
			return err_set(err, ERR_USAGE,
				       "--without wants attachments, conflicts, both or none, not \"%s\"", text);
		out->without |= migrate_without_named(v[i]);
	}
	return n ? 0 : err_set(err, ERR_USAGE, "--without names nothing");
}

static int read_forms(struct cmd_context *c, const char *text, struct migrate_options *out, struct err *err)
{
	struct slice ids = slice_of(text), *v = NULL;
	int is_file = text && (text[0] == '/' || strncmp(text, "./", 2) == 0);
	if (!text)
		return 0;
	out->forms_missing = strcmp(text, "missing") == 0;
	if (out->forms_missing)
		return 0;
	if (is_file && read_file(text, c->arena, &ids, err))
		return err->code;
	split(ids, is_file ? "\r\n" : ",", c->arena, &v, &out->n_forms);
	out->forms = v;
	if (out->n_forms)
		return 0;
	err_set(err, ERR_USAGE, is_file ? "--forms: %s holds no id" : "--forms=%s names no document", text);
	return err_hint(err, "--forms=missing, --forms=ID,ID, or --forms=./FILE with an id a line");
}

static int is_case_diff(const struct options *o, const char *what)
{
	return o->case_diff && strcmp(o->case_diff, what) == 0;
}

static int check_case_diff(const struct options *o, struct err *err)
{
	if (o->case_diff && !is_case_diff(o, "after") && !is_case_diff(o, "patch") && !is_case_diff(o, "none"))
		return err_set(err, ERR_USAGE, "--case-diff wants after, patch or none, not \"%s\"", o->case_diff);
	if (o->patch && (o->case_diff || o->forms))
		return err_set(err, ERR_USAGE, "--patch and --%s exclude each other",
			       o->case_diff ? "case-diff" : "forms");
	if (is_case_diff(o, "patch") && o->forms && strcmp(o->forms, "missing") != 0)
		return err_set(err, ERR_USAGE,
			       "--case-diff=patch and --forms exclude each other, but for --forms=missing");
	return 0;
}

static int check_forms(const struct options *o, struct err *err)
{
	const struct {
		int given;
		const char *name;
	} others[] = {{o->live, "--live"},
		      {o->follow, "--follow"},
		      {o->finish, "--finish"},
		      {o->only != NULL, "--only"},
		      {o->limit > 0, "--limit"},
		      {o->max_rejects != NULL, "--max-rejects"},
		      {o->missing_docs != 0, "--missing-docs"},
		      {o->rebuild_state, "--rebuild-state"},
		      {o->dry_run, "--dry-run"}};
	for (size_t i = 0; o->forms && i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].given)
			return err_set(err, ERR_USAGE, "--forms and %s exclude each other", others[i].name);
	return 0;
}

static int check_options(const struct options *o, struct err *err)
{
	if (o->only && utf8_bad_at(slice_of(o->only)) < strlen(o->only))
		return err_set(err, ERR_USAGE, "--only is not UTF-8");
	if (o->only && !o->only[strspn(o->only, ",")])
		return err_set(err, ERR_USAGE, "--only names no kind");
	if (o->shutter && !o->finish)
		return err_set(err, ERR_USAGE, "--shutter needs --finish");
	if (o->finish && (o->live || o->follow))
		return err_set(err, ERR_USAGE, "--finish and %s exclude each other", o->follow ? "--follow" : "--live");
	if (check_case_diff(o, err))
		return err->code;
	return check_forms(o, err);
}

static int dry_run(struct cmd_context *c, const struct migrate_env *env, const struct migrate_options *options,
		   struct err *err)
{
	struct migrate_plan plan;
	if (migrate_dry_run(env, options, &plan, err))
		return err->code;
	print_dry_run(c, options, &plan);
	return 0;
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct migrate_outcome outcome = {0};
	struct migrate_options options = {
	    .jobs = (int)(o->jobs < 1024 ? o->jobs : 1024),
	    .limit = o->limit,
	    .max_doc = (size_t)o->max_doc,
	    .batch_bytes = (size_t)o->batch_bytes,
	    .stop_on_error = o->stop_on_error,
	    .live = o->live,
	    .follow = o->follow,
	    .finish = o->finish,
	    .shutter = o->shutter,
	    .rebuild_state = o->rebuild_state,
	    .distribute = o->distribute,
	    .only = o->only,
	    .missing_docs = (enum migrate_scan)o->missing_docs,
	    .patch = o->patch || is_case_diff(o, "patch"),
	    .patch_may_begin = is_case_diff(o, "patch"),
	    .leave_cases = is_case_diff(o, "none"),
	    .audit_digests = o->audit_content,
	};
	struct migrate_stats stats;
	struct err why = ERR_INIT;
	int64_t begin = clock_mono_us();
	if (check_options(o, err) || read_number("--quiet-for", o->quiet_for, &options.quiet_for, err) ||
	    read_number("--max-rate", o->max_rate, &options.max_rate, err) || read_cap(o->max_rejects, &options, err) ||
	    read_forms(c, o->forms, &options, err) || read_without(c, o->without, &options, err))
		return err->code;
	if (o->dry_run)
		return dry_run(c, &env, &options, err);
	if (open_log_file(c, err) || snapshots_idle(c, err) || (o->snapshot && snapshots_before(c, err)))
		return err->code;
	int rc = migrate_run(&env, &options, &outcome, err);
	log_progress(c->log, "");
	if (rc && rc != ERR_STOPPED)
		return rc;
	if (migrate_stats(&env, c->arena, &stats, &why)) {
		if (rc == 0)
			*err = why;
		return err->code;
	}
	print_summary(c, &stats, outcome.read, clock_mono_us() - begin);
	if (o->finish && rc == 0 && c->global->format == FORMAT_TEXT)
		print_verdict(c, &stats, outcome.source_busy);
	if (rc)
		return rc;
	return stats.clean && !outcome.source_busy && !outcome.absent ? 0 : 1;
}

const struct command cmd_migrate = {
    .name = "migrate",
    .arguments = "DOMAIN",
    .summary = "run, continue or repeat the migration of a domain",
    .help = "Reads the source, stores every document of the domain in the target, reads it back, compares, and records "
	    "what "
	    "differs. Ctrl-C is a clean break; the same command goes on where it stopped, and repeating it changes "
	    "nothing. "
	    "Exit 0 only when nothing is left: no difference, nothing missing, pending or rejected.",
    .needs = NEED_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
