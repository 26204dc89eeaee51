/*
 * Citus (https://docs.citusdata.com/en/stable/develop/api_udf.html): create_distributed_table(table_name regclass,
 * distribution_column text, colocate_with => text) and create_reference_table(table_name regclass).
 */
#include "config.h"

#include "tables/tables_internal.h"

const char *citus_place(const struct session *s, const struct job_rule *rule, const char *schema, const char *table)
{
	int wanted = s->job.citus == CITUS_ALWAYS || (s->job.citus == CITUS_AUTO && s->target.citus);
	const char *name = literal(s->a, qualified(s->a, schema, table));
	if (!wanted || (!rule->reference && !rule->distribute))
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
