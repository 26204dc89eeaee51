#include "config.h"

#include "cmd/print.h"

#include <inttypes.h>

/* ---- text ---- */

static void put_to_read(const struct cmd_context *c, const struct migrate_plan *p)
{
	fputs("to read     ", c->out);
	if (p->to_read >= 0)
		fprintf(c->out, "%" PRId64 " changes %s\n", p->to_read,
			p->from_checkpoint ? "after the checkpoint" : "from the beginning");
	else if (c->source.scheme == URL_FILE)
		fputs("the whole recorded feed\n", c->out);
	else
		fputs("what the source has\n", c->out);
}

static void put_steps(const struct cmd_context *c, const struct migrate_options *o, const struct migrate_plan *p)
{
	if (p->pending)
		fprintf(c->out, "to compare  %" PRId64 " cases that wait, and those that are touched\n", p->pending);
	if (o->finish)
		fprintf(c->out, "to prove    that the source is quiet%s\n",
			o->shutter ? ", after it was made to refuse writes to the domain" : "");
	if (o->patch)
		fprintf(c->out, "to patch    %" PRId64 " documents differ now, %" PRId64 " are missing\n", p->patches,
			p->missing);
}

static void put_text(const struct cmd_context *c, const struct migrate_options *o, const struct migrate_plan *p)
{
	fprintf(c->out, "status      %.*s -> %.*s\n", SLICE_ARG(p->status), SLICE_ARG(p->leads_to));
	fprintf(c->out, "source      %s\n", c->source.shown);
	fprintf(c->out, "target      %s%s\n", c->target.shown,
		p->tables ? "" : " (tables would be made where they are missing)");
	fprintf(c->out, "state file  %s\n", p->state_file);
	put_to_read(c, p);
	put_steps(c, o, p);
	fputs("nothing was written\n", c->out);
}

/* ---- JSON ---- */

static void put_json(const struct cmd_context *c, const struct migrate_options *o, const struct migrate_plan *p)
{
	struct json v = json_object();
	struct arena *a = c->arena;

	json_sets(a, &v, "domain", json_string(c->domain));
	json_sets(a, &v, "status", json_string(p->status));
	json_sets(a, &v, "leads_to", json_string(p->leads_to));
	json_sets(a, &v, "source", json_str(c->source.shown));
	json_sets(a, &v, "target", json_str(c->target.shown));
	json_sets(a, &v, "tables", json_bool(p->tables));
	json_sets(a, &v, "state_file", json_str(p->state_file));
	json_sets(a, &v, "from_checkpoint", json_bool(p->from_checkpoint));
	json_sets(a, &v, "to_read", p->to_read >= 0 ? json_int(a, p->to_read) : json_null);
	json_sets(a, &v, "pending", json_int(a, p->pending));
	json_sets(a, &v, "to_patch", json_int(a, o->patch ? p->patches : 0));
	json_sets(a, &v, "missing", json_int(a, p->missing));
	json_sets(a, &v, "shutter", json_bool(o->shutter));
	json_sets(a, &v, "written", json_bool(0));
	print_json_line(c, &v);
}

void print_dry_run(const struct cmd_context *c, const struct migrate_options *o, const struct migrate_plan *p)
{
	if (c->global->format == FORMAT_TEXT)
		put_text(c, o, p);
	else
		put_json(c, o, p);
}
