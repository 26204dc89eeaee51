#include "config.h"

#include "base/utf8.h"
#include "cmd/print.h"

#include <inttypes.h>
#include <sodium.h>

#define PAGE 500

/* ---- what is kept ---- */

static int open_kept(struct cmd_context *c, struct state **out, struct err *err)
{
	int rc = state_open(out, c->state_dir, c->domain, STATE_READ_ONLY, err);
	if (rc != ERR_NOTFOUND)
		return rc;
	err_set(err, ERR_STATE, "nothing is known of %.*s in %s", SLICE_ARG(c->domain), c->state_dir);
	return err_hint(err, "`settle migrate %.*s` comes first, or name the right --state-dir", SLICE_ARG(c->domain));
}

static struct json describe(const struct state_reject *r, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "kind", json_string(r->kind));
	json_sets(a, &v, "id", json_string(r->id));
	json_sets_text(a, &v, "rev", r->rev);
	json_sets(a, &v, "reason", json_string(r->reason));
	json_sets(a, &v, "length", json_int(a, (long long)r->length));
	json_sets(a, &v, "sha256", json_string(r->sha256.ptr ? r->sha256 : SLICE("")));
	json_sets(a, &v, "kept", json_bool(r->body.ptr != NULL));
	return v;
}

/* ---- list ---- */

static int list_one(struct cmd_context *c, struct state *s, struct slice id, struct arena *a, struct err *err)
{
	struct state_reject r;
	int rc = state_reject_get(s, id, a, &r, err);
	if (rc == ERR_NOTFOUND) /* it went since the page was read */
		return 0;
	if (rc)
		return rc;
	if (c->global->format == FORMAT_JSON) {
		struct json v = describe(&r, a);
		print_json_line(c, &v);
		return 0;
	}
	print_text(c, r.kind.len ? r.kind : SLICE("-"));
	fputc(' ', c->out);
	print_text(c, id);
	fprintf(c->out, " %" PRIu64 " bytes%s: ", r.length, r.body.ptr ? "" : " (not kept)");
	print_text(c, r.reason);
	fputc('\n', c->out);
	return 0;
}

/* A page at a time: memory does not grow with the number of rejects, and no read transaction stays open. */
static int list_all(struct cmd_context *c, struct state *s, struct err *err)
{
	struct arena a = ARENA_INIT, one = ARENA_INIT, last = ARENA_INIT;
	struct slice after = SLICE_NONE;
	struct state_id_list page;
	int rc;
	do {
		arena_reset(&a);
		rc = state_ids(s, STATE_IDS_REJECTS, after, PAGE, &a, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++) {
			arena_reset(&one);
			rc = list_one(c, s, page.v[i], &one, err);
		}
		if (rc == 0 && page.n) {
			arena_reset(&last);
			after = arena_slice(&last, page.v[page.n - 1]);
		}
		if (rc == 0 && atomic_load(c->stop))
			rc = err_set(err, ERR_STOPPED, "stopped before the end");
	} while (rc == 0 && page.n == PAGE && !ferror(c->out));
	arena_release(&a);
	arena_release(&one);
	arena_release(&last);
	return rc;
}

static int run_list(struct cmd_context *c, struct err *err)
{
	struct state *s = NULL;
	int rc = open_kept(c, &s, err);
	if (rc == 0)
		rc = list_all(c, s, err);
	state_close(s);
	return rc;
}

const struct command cmd_rejects_list = {
    .name = "rejects list",
    .arguments = "DOMAIN",
    .summary = "the documents that could not be read or stored, each with its reason",
    .help = "Kind, id, size and reason; with --format json an object a line. May run at any time; it writes nothing.",
    .needs = NEED_DOMAIN | NEED_STATE,
    .min_args = 1,
    .max_args = 1,
    .run = run_list,
};

/* ---- show ---- */

/* The bytes are text nearly always; what is not UTF-8 cannot stand in a JSON string. */
static void add_document(struct cmd_context *c, struct json *v, struct slice body)
{
	if (utf8_bad_at(body) == body.len) {
		json_sets(c->arena, v, "document", json_string(body));
		return;
	}
	size_t size = sodium_base64_ENCODED_LEN(body.len, sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(c->arena, size);
	sodium_bin2base64(text, size, (const unsigned char *)body.ptr, body.len, sodium_base64_VARIANT_ORIGINAL);
	json_sets(c->arena, v, "document_base64", json_str(text));
}

static void show_json(struct cmd_context *c, const struct state_reject *r)
{
	struct json v = describe(r, c->arena);
	if (r->body.ptr)
		add_document(c, &v, r->body);
	print_json_line(c, &v);
}

static void show_named(struct cmd_context *c, const char *name, struct slice text)
{
	if (!text.len)
		return;
	fprintf(c->out, "%-8s", name);
	print_text(c, text);
	fputc('\n', c->out);
}

static void show_text(struct cmd_context *c, const struct state_reject *r)
{
	show_named(c, "id", r->id);
	show_named(c, "kind", r->kind);
	show_named(c, "rev", r->rev);
	show_named(c, "reason", r->reason);
	fprintf(c->out, "%-8s%" PRIu64 " bytes\n", "length", r->length);
	show_named(c, "sha256", r->sha256);
	fputc('\n', c->out);
	if (!r->body.ptr) {
		fputs("the document was not kept: it is larger than --max-doc allowed\n", c->out);
		return;
	}
	fwrite(r->body.ptr, 1, r->body.len, c->out);
	fputc('\n', c->out);
}

static int run_show(struct cmd_context *c, struct err *err)
{
	struct state *s = NULL;
	struct state_reject r;
	int rc = open_kept(c, &s, err);
	if (rc == 0)
		rc = state_reject_get(s, slice_of(c->argv[1]), c->arena, &r, err);
	state_close(s);
	if (rc == ERR_NOTFOUND)
		return err->code = ERR_USAGE;
	if (rc)
		return rc;
	if (c->global->format == FORMAT_JSON)
		show_json(c, &r);
	else
		show_text(c, &r);
	return 0;
}

const struct command cmd_rejects_show = {
    .name = "rejects show",
    .arguments = "DOMAIN ID",
    .summary = "one of them: why, and its bytes as they came",
    .needs = NEED_DOMAIN | NEED_STATE,
    .min_args = 2,
    .max_args = 2,
    .run = run_show,
};

/* ---- retry ---- */

struct options {
	int64_t max_doc;
};

static const struct option_spec table[] = {
    {.name = "max-doc",
     .kind = OPT_SIZE,
     .argument = "SIZE",
     .least = 1,
     .help = "how large a document may be that is read from the source again; default 64M",
     .offset = offsetof(struct options, max_doc)},
    {.name = NULL},
};

static void print_outcome(struct cmd_context *c, const struct migrate_retry *r)
{
	if (c->global->format == FORMAT_JSON) {
		struct json v = json_object();
		json_sets(c->arena, &v, "tried", json_int(c->arena, r->tried));
		json_sets(c->arena, &v, "stored", json_int(c->arena, r->stored));
		json_sets(c->arena, &v, "rejected", json_int(c->arena, r->left));
		print_json_line(c, &v);
		return;
	}
	fprintf(c->out, "%" PRId64 " tried again: %" PRId64 " stored, %" PRId64 " still rejected\n", r->tried,
		r->stored, r->left);
}

static int run_retry(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct migrate_options options = {.max_doc = (size_t)o->max_doc};
	size_t n = (size_t)c->argc - 1;
	struct slice *ids = ARENA_ARRAY(c->arena, n + 1, struct slice);
	struct migrate_retry outcome;
	struct migrate_stats stats;
	for (size_t i = 0; i < n; i++)
		ids[i] = slice_of(c->argv[i + 1]);
	int rc = migrate_retry_rejects(&env, &options, ids, n, &outcome, err);
	if (rc == ERR_NOTFOUND)
		return err->code = ERR_USAGE;
	if (rc == 0)
		rc = migrate_stats(&env, c->arena, &stats, err);
	if (rc)
		return rc;
	print_outcome(c, &outcome);
	return stats.clean ? 0 : 1;
}

const struct command cmd_rejects_retry = {
    .name = "rejects retry",
    .arguments = "DOMAIN [ID...]",
    .summary = "try them again: all, or those named",
    .help = "For a newer settle, a changed profile or a larger --max-doc. The kept bytes are mapped and stored like "
	    "any other document, "
	    "and the cases that they touch are compared again. A document that was not kept is read from --source. "
	    "Exit 0 only when "
	    "nothing is left of the migration to look at.",
    .needs = MAY_SOURCE | NEED_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = -1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run_retry,
};
