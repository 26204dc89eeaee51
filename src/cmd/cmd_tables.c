#include "config.h"

#include "cmd/cmd_tables.h"

#include "cmd/ask.h"
#include "cmd/print.h"
#include "cmd/secrets.h"

/* which: "source" or "target"; variable: where the URL may come from without an option, and forgotten. */
static int endpoint(struct cmd_context *c, const char *given, const char *which, const char *variable, struct url *url,
		    const struct url **out, struct err *err)
{
	*out = NULL;
	if (!given)
		return 0;
	if (tables_endpoint(given, which, c->arena, url, err))
		return err_hint(err,
				"what --%s or %s gives goes before what the manifest remembers; for example "
				"postgres://USER@HOST/DATABASE, 'host=HOST dbname=DATABASE', or sqlite:PATH",
				which, variable);
	if (url->has_password)
		log_at(c->log, LOG_WARN,
		       "the %s URL holds a password, which others may have seen; better: PGPASSWORD or ~/.pgpass",
		       which);
	secret_scrub(given, url->shown);
	*out = url;
	return 0;
}

static void put_line(void *ctx, enum tables_says what, const char *line)
{
	struct cmd_context *c = ctx;
	size_t indent = strspn(line, "\t");
	if (what != TABLES_NOTE) { /* a statement, which must stay what it is */
		fprintf(c->out, "%s\n", line);
		return;
	}
	fwrite(line, 1, indent, stderr);
	print_text_to(stderr, slice_of(line + indent));
	fputc('\n', stderr);
}

static int confirm(void *ctx, const char *question, struct err *err)
{
	return cmd_answer(ctx, question, err);
}

int cmd_tables_env(struct cmd_context *c, struct tables_env *out, struct err *err)
{
	*out = (struct tables_env){
	    .manifest = c->argv[0], .log = c->log, .stop = c->stop, .say = put_line, .confirm = confirm, .ctx = c};
	int rc = endpoint(c, c->global->source, "source", "SETTLE_SOURCE", &c->source, &out->source, err);
	return rc ? rc : endpoint(c, c->global->target, "target", "SETTLE_TARGET", &c->target, &out->target, err);
}
