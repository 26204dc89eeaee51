/*
 * Citus (https://docs.citusdata.com/en/stable/develop/api_udf.html): create_distributed_table(table_name regclass,
 * distribution_column text, colocate_with => text) and create_reference_table(table_name regclass); and what it takes
 * on such tables: unique keys hold the distribution column, foreign keys point to a reference table, or from the
 * distribution column to that of a colocated table, and nothing inherits.
 */
#include "config.h"

#include "tables/tables_internal.h"

static int is_wanted(const struct session *s, const struct job_rule *rule)
{
	int wanted = s->job.citus == CITUS_ALWAYS || (s->job.citus == CITUS_AUTO && s->target.citus);
	return wanted && (rule->reference || rule->distribute);
}

const char *citus_place(const struct session *s, const struct job_rule *rule, const char *schema, const char *table)
{
	const char *name = literal(s->a, qualified(s->a, schema, table));
	if (!is_wanted(s, rule))
		return NULL;
	if (rule->reference)
		return arena_printf(s->a, "SELECT create_reference_table(%s)", name).ptr;
	if (!rule->colocate)
		return arena_printf(s->a, "SELECT create_distributed_table(%s, %s)", name,
				    literal(s->a, rule->distribute))
		    .ptr;
	const char *with = strcmp(rule->colocate, "none") == 0 || strcmp(rule->colocate, "default") == 0
			       ? rule->colocate
			       : qualified(s->a, schema, rule->colocate);
	return arena_printf(s->a, "SELECT create_distributed_table(%s, %s, colocate_with => %s)", name,
			    literal(s->a, rule->distribute), literal(s->a, with))
	    .ptr;
}

/* Left out, and told, where the job says so; otherwise refused. */
static int leave_out(struct creation *c, const struct job_rule *rule, const char *what, const char *why,
		     const char *way_out, int *skip, struct err *err)
{
	*skip = rule->keys == JOB_KEYS_DROP;
	if (*skip) {
		say(c->s->env, TABLES_NOTE, "%s is left out: it %s", what, why);
		return 0;
	}
	err_set(err, ERR_USAGE, "%s %s", what, why);
	return err_hint(err, "%s, or say \"keys\": \"drop\" in the rule", way_out);
}

int citus_takes_key(struct creation *c, const struct tables_row *row, const char *name, int has_column, int *skip,
		    struct err *err)
{
	const struct job_rule *rule = &c->s->job.rules.v[row->rule];
	struct arena *a = c->s->a;
	*skip = 0;
	if (!is_wanted(c->s, rule) || rule->reference || has_column)
		return 0;
	return leave_out(
	    c, rule, arena_printf(a, "%s of %s", name, row->target).ptr,
	    arena_printf(a, "does not hold the distribution column %s, as unique keys on Citus must", rule->distribute)
		.ptr,
	    "distribute by a column of the key", skip, err);
}

int citus_takes_reference(struct creation *c, const struct tables_row *row, const struct tables_row *to,
			  const char *name, const char *paired, int *skip, struct err *err)
{
	const struct job_rule *rule = &c->s->job.rules.v[row->rule], *up = to ? &c->s->job.rules.v[to->rule] : NULL;
	struct arena *a = c->s->a;
	*skip = 0;
	int child = is_wanted(c->s, rule), parent = up && is_wanted(c->s, up);
	int same =
	    child && parent && !rule->reference && paired && up->distribute && strcmp(paired, up->distribute) == 0;
	if (!up || (parent && up->reference) || same || (!parent && !(child && rule->distribute)))
		return 0;
	return leave_out(c, rule, arena_printf(a, "foreign key %s of %s", name, row->target).ptr,
			 arena_printf(a,
				      "points to %s, which is neither a reference table nor colocated with the "
				      "distribution columns in the key, as on Citus it must",
				      to->target)
			     .ptr,
			 "make both reference tables or distribute both by columns of the key", skip, err);
}

int citus_takes_children(const struct session *s, const struct tables_row *row, const struct cat_table *t,
			 struct err *err)
{
	const struct job_rule *rule = &s->job.rules.v[row->rule];
	if (!is_wanted(s, rule) || t->kind != 'r' || !t->has_children || rule->children != CHILDREN_KEEP)
		return 0;
	err_set(err, ERR_USAGE, "other tables inherit from it: Citus distributes no such table");
	return err_hint(err, "say \"children\": \"into-parent\" in the rule, or leave out \"distribute\" and "
			     "\"reference\"");
}
