/* audit log, show, verify. */
#include "config.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "base/datetime.h"
#include "cmd/print.h"
#include "migrate/verify.h"

static int no_trail(struct err *err)
{
	err->code = ERR_STATE;
	return err_hint(err, "the trail begins with the first migration; is --state-dir right?");
}

static int open_trail(struct cmd_context *c, struct audit **out, struct err *err)
{
	int rc = audit_open(out, c->state_dir, c->domain, AUDIT_READ_ONLY, err);
	return rc == ERR_NOTFOUND ? no_trail(err) : rc;
}

/* ---- log ---- */

static void time_text(int64_t seconds, char out[DATETIME_TEXT_SIZE])
{
	if (seconds > INT64_MAX / 1000000 || seconds < INT64_MIN / 1000000 || !datetime_format(seconds * 1000000, out))
		out[0] = 0;
}

static struct json entry_to_json(const struct cmd_context *c, const struct audit_entry *e, struct arena *a)
{
	char time[DATETIME_TEXT_SIZE];
	struct json v = json_object();
	time_text(e->time, time);
	json_sets(a, &v, "commit", json_str(e->id));
	json_sets(a, &v, "time", json_string(arena_slice(a, slice_of(time))));
	json_sets(a, &v, "event", json_string(e->event.ptr ? e->event : SLICE("")));
	json_sets(a, &v, "domain", json_string(c->domain));
	json_sets(a, &v, "subject", json_string(e->subject));
	json_sets(a, &v, "author", json_string(e->author));
	json_sets_text(a, &v, "status", e->status);
	return v;
}

static int print_entry(void *ctx, const struct audit_entry *e, struct err *err)
{
	struct cmd_context *c = ctx;
	char time[DATETIME_TEXT_SIZE];
	if (atomic_load(c->stop))
		return err_set(err, ERR_STOPPED, "stopped before the end");
	if (c->global->format == FORMAT_JSON) {
		struct arena a = ARENA_INIT;
		struct json v = entry_to_json(c, e, &a);
		print_json_line(c, &v);
		arena_release(&a);
		return 0;
	}
	time_text(e->time, time);
	fprintf(c->out, "%.12s  %.19sZ  ", e->id, time);
	print_text(c, e->author);
	fputs("  ", c->out);
	print_text(c, e->subject);
	fputc('\n', c->out);
	return 0;
}

static int run_log(struct cmd_context *c, struct err *err)
{
	struct audit *t = NULL;
	int rc = open_trail(c, &t, err);
	if (rc == 0)
		rc = audit_walk(t, print_entry, c, err);
	audit_close(t);
	return rc;
}

const struct command cmd_audit_log = {
    .name = "audit log",
    .arguments = "DOMAIN",
    .summary = "the decisions of a migration, the last one first",
    .help = "The audit trail is the git repository STATE_DIR/audit.git: git log -p works on it as well.",
    .needs = NEED_DOMAIN | NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .run = run_log,
};

/* ---- show ---- */

struct changes {
	struct cmd_context *c;
	struct json list;
};

static int add_change(void *ctx, struct slice path, struct slice how, struct err *err)
{
	struct changes *changes = ctx;
	struct arena *a = changes->c->arena;
	struct json one = json_object();
	(void)err;
	json_sets(a, &one, "path", json_string(arena_slice(a, path)));
	json_sets(a, &one, "change", json_string(arena_slice(a, how)));
	json_push(a, &changes->list, one);
	return 0;
}

static int show_commit(struct cmd_context *c, struct audit *t, struct slice id, struct err *err)
{
	struct audit_entry e;
	struct changes changes = {c, json_array()};
	int rc = audit_find(t, id, c->arena, &e, err);
	if (rc == 0)
		rc = audit_changes(t, e.id, add_change, &changes, err);
	if (rc)
		return rc;
	if (c->global->format == FORMAT_JSON) {
		struct json v = entry_to_json(c, &e, c->arena);
		json_sets(c->arena, &v, "message", json_string(e.message));
		json_sets(c->arena, &v, "files", changes.list);
		print_json_line(c, &v);
		return 0;
	}
	fprintf(c->out, "commit %s\n\n", e.id);
	print_lines(c, e.message);
	fputc('\n', c->out);
	for (uint32_t i = 0; i < changes.list.count; i++) {
		fprintf(c->out, "%-8.*s ", SLICE_ARG(json_get_text(&changes.list.items[i], "change")));
		print_text(c, json_get_text(&changes.list.items[i], "path"));
		fputc('\n', c->out);
	}
	return 0;
}

/* A patch form by its id. */
static int show_form(struct cmd_context *c, struct audit *t, struct slice id, struct err *err)
{
	struct buf path = BUF_INIT(1u << 20);
	struct slice text;
	struct json v;
	audit_path("patches", id, ".json", &path);
	int rc = audit_read(t, buf_slice(&path), c->arena, &text, err);
	if (rc == 0 && c->global->format == FORMAT_TEXT) {
		print_lines(c, text);
		fputc('\n', c->out);
	} else if (rc == 0 && json_read(text, c->arena, 0, &v, NULL, err) == 0) {
		print_json_line(c, &v);
	} else if (rc == 0) {
		err->code = ERR_STATE;
		rc = err_prefix(err, "%.*s", SLICE_ARG(buf_slice(&path)));
	}
	buf_release(&path);
	return rc;
}

static int run_show(struct cmd_context *c, struct err *err)
{
	struct audit *t = NULL;
	struct slice id = slice_of(c->argv[1]);
	int rc = open_trail(c, &t, err);
	if (rc == 0)
		rc = show_form(c, t, id, err);
	if (rc == ERR_NOTFOUND)
		rc = show_commit(c, t, id, err);
	audit_close(t);
	if (rc == ERR_NOTFOUND) {
		err_set(err, ERR_USAGE, "%s is neither a commit nor a patch form of the audit trail", c->argv[1]);
		return err_hint(err, "`settle audit log` lists commits, `settle patch list` patch forms");
	}
	return rc;
}

const struct command cmd_audit_show = {
    .name = "audit show",
    .arguments = "DOMAIN ID",
    .summary = "one decision: a commit of the trail, or a patch form",
    .help = "ID is (the start of) a commit's id, or the id of a patch form.",
    .needs = NEED_DOMAIN | NEED_STATE,
    .min_args = 2,
    .max_args = 2,
    .run = run_show,
};

/* ---- verify ---- */

/* Findings are printed as they are found, however many there are: the object begins with them. */
struct findings {
	struct cmd_context *c;
	int64_t n;
};

static void begin_object(struct cmd_context *c)
{
	struct json domain = json_string(c->domain);
	fputs("{\"domain\":", c->out);
	print_json(c, &domain, JSON_PLAIN);
	fputs(",\"findings\":[", c->out);
}

static void print_finding(void *ctx, struct slice what)
{
	struct findings *f = ctx;
	struct json text = json_string(what);
	if (f->c->global->format != FORMAT_JSON) {
		print_text(f->c, what);
		fputc('\n', f->c->out);
		return;
	}
	if (f->n++ == 0)
		begin_object(f->c);
	else
		fputc(',', f->c->out);
	print_json(f->c, &text, JSON_PLAIN);
}

/* Closes the list and opens what stands behind it. */
static void print_rest(struct cmd_context *c, const struct json *rest)
{
	struct slice text = json_to_text(rest, JSON_PLAIN, c->arena);
	fputs("],", c->out);
	fwrite(text.ptr + 1, 1, text.len - 1, c->out);
	fputc('\n', c->out);
}

/* An object that is begun is ended, and says that it is not all. Where nothing was found yet, nothing was printed. */
static void print_broken(const struct findings *f)
{
	struct json v = json_object();
	if (f->n == 0)
		return;
	json_sets(f->c->arena, &v, "sound", json_bool(0));
	json_sets(f->c->arena, &v, "complete", json_bool(0));
	print_rest(f->c, &v);
}

static void print_result(const struct findings *f, const struct verify_result *r)
{
	struct arena *a = f->c->arena;
	struct json v = json_object(), blocks = json_object();
	if (f->n == 0)
		begin_object(f->c);
	json_sets(a, &blocks, "from_trail", json_int(a, r->from_trail));
	json_sets(a, &blocks, "from_sql", json_int(a, r->from_sql));
	json_sets(a, &blocks, "untold", json_int(a, r->untold));
	json_sets(a, &v, "sound", json_bool(r->findings == 0));
	json_sets(a, &v, "commits", json_int(a, r->commits));
	json_sets(a, &v, "forms", json_int(a, r->forms));
	json_sets(a, &v, "reconstructed", blocks);
	print_rest(f->c, &v);
}

static void print_proof(struct cmd_context *c, const struct verify_result *r)
{
	fprintf(c->out, "%lld commits, %lld patch forms, %lld findings\n", (long long)r->commits, (long long)r->forms,
		(long long)r->findings);
	if (r->from_trail || r->from_sql)
		fprintf(
		    c->out,
		    "diff blocks that give back what was before: %lld with the trail's documents, %lld with SQL's by "
		    "the trail's digests\n",
		    (long long)r->from_trail, (long long)r->from_sql);
	if (r->untold)
		fprintf(
		    c->out,
		    "diff blocks of which that cannot be told, as the trail keeps digests only: %lld (-v names them)\n",
		    (long long)r->untold);
}

static int run_verify(struct cmd_context *c, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct findings f = {.c = c};
	struct verify_result r;
	int rc = migrate_verify(&env, print_finding, &f, &r, err);
	if (rc)
		print_broken(&f);
	else if (c->global->format == FORMAT_JSON)
		print_result(&f, &r);
	else
		print_proof(c, &r);
	if (rc)
		return rc;
	return r.findings ? 1 : 0;
}

const struct command cmd_audit_verify = {
    .name = "audit verify",
    .arguments = "DOMAIN",
    .summary = "check the audit trail against SQL, and SQL against the trail",
    .help =
	"The trail is one unbroken chain that ends where SQL says; every patch form and the rows it made are what the "
	"trail holds, every diff block gives back what was before, every patched case is what its forms add up to, "
	"every "
	"patched plain document what its form says, and no file of an earlier commit is damaged. Where the trail keeps "
	"digests only, what is tried is SQL's, checked by its digest; it is told how many diff blocks were undone with "
	"what. Exit 1 when something is not as it should be; each finding names what, and is printed when it is found: "
	"with --format json the object begins with them.",
    .needs = NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .run = run_verify,
};
