#include "config.h"

#include "cmd/again_print.h"

#include <inttypes.h>

static int print_list(struct cmd_context *c, const struct again_doc *d, struct slice text, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct state_item item = {.kind = d->kind, .id = d->id, .json = text};
	int rc = text.len ? print_item(c, &item, &a, err) : 0;
	arena_release(&a);
	return rc;
}

int again_print_found(void *ctx, const struct again_doc *d, struct err *err)
{
	struct cmd_context *c = ctx;
	if (print_list(c, d, d->diffs, err) || print_list(c, d, d->changes, err))
		return err->code;
	return 0;
}

static void print_count(const struct cmd_context *c, int64_t n, const char *meaning)
{
	if (n)
		fprintf(c->out, ", %" PRId64 " %s", n, meaning);
}

void again_print_result(struct cmd_context *c, const struct again_result *r, const char *what)
{
	struct json v = json_object();
	if (c->global->format == FORMAT_TEXT) {
		fprintf(c->out, "compared %" PRId64 " %s", r->compared, what);
		print_count(c, r->diffs, "with diffs");
		print_count(c, r->changes, "with changes");
		print_count(c, r->missing, "missing");
		print_count(
		    c, r->left,
		    "left, because the source holds another revision or SQL none: `settle migrate` brings them");
		fputs(r->recorded ? "\n" : "; nothing was recorded\n", c->out);
		return;
	}
	if (!r->recorded)
		return;
	json_sets(c->arena, &v, "compared", json_int(c->arena, r->compared));
	json_sets(c->arena, &v, "diffs", json_int(c->arena, r->diffs));
	json_sets(c->arena, &v, "changes", json_int(c->arena, r->changes));
	json_sets(c->arena, &v, "missing", json_int(c->arena, r->missing));
	json_sets(c->arena, &v, "left", json_int(c->arena, r->left));
	print_json_line(c, &v);
}
