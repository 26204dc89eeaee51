/* The job: a JSON file that says which tables, from where to where, filtered and mapped how. Every mistake is named. */
#include "config.h"

#include "tables/tables_internal.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>

#define PART_BYTES ((int64_t)512 << 20)
#define MAX_REJECTS 10000

int names_has(const struct names *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], name) == 0)
			return 1;
	return 0;
}

struct reader {
	struct arena *a;
	const char *where; /* "rule 3", for messages */
	struct err *err;
};

static int wrong(struct reader *r, struct slice key, const char *wants)
{
	return err_set(r->err, ERR_USAGE, "job: %s: \"%.*s\" wants %s", r->where, SLICE_ARG(key), wants);
}

static int text_of(struct reader *r, const struct json_member *m, const char **out)
{
	struct slice text = json_text(&m->value);
	if (!text.ptr || text.len == 0 || memchr(text.ptr, 0, text.len))
		return wrong(r, m->key, "a text");
	*out = arena_str(r->a, text);
	return 0;
}

static int flag_of(struct reader *r, const struct json_member *m, int *out)
{
	if (m->value.type != JSON_TRUE && m->value.type != JSON_FALSE)
		return wrong(r, m->key, "true or false");
	*out = m->value.type == JSON_TRUE;
	return 0;
}

static int count_of(struct reader *r, const struct json_member *m, int64_t *out)
{
	char *end = NULL;
	struct slice text = m->value.type == JSON_NUMBER ? m->value.text : SLICE("");
	long long n = text.len ? strtoll(arena_str(r->a, text), &end, 10) : -1;
	if (n < 0 || (end && *end))
		return wrong(r, m->key, "a whole number");
	*out = n;
	return 0;
}

static int names_of(struct reader *r, const struct json_member *m, struct names *out)
{
	if (m->value.type != JSON_ARRAY)
		return wrong(r, m->key, "a list of names");
	for (uint32_t i = 0; i < m->value.count; i++) {
		struct slice name = json_text(&m->value.items[i]);
		if (!name.ptr)
			return wrong(r, m->key, "a list of names");
		ARENA_PUSH(r->a, out, arena_str(r->a, name));
	}
	return 0;
}

static int choice_of(struct reader *r, const struct json_member *m, const char *const *words, int *out)
{
	for (int i = 0; words[i]; i++)
		if (slice_is(json_text(&m->value), words[i])) {
			*out = i;
			return 0;
		}
	struct slice list = SLICE("one of");
	for (int i = 0; words[i]; i++)
		list = arena_printf(r->a, "%.*s%s%s", SLICE_ARG(list), i ? ", " : " ", words[i]);
	return wrong(r, m->key, list.ptr);
}

static int unknown(struct reader *r, struct slice key)
{
	return err_set(r->err, ERR_USAGE, "job: %s: nothing is known of \"%.*s\"", r->where, SLICE_ARG(key));
}

static int is_scalar(const struct json *v)
{
	return v->type != JSON_ARRAY && v->type != JSON_OBJECT;
}

/* ---- columns ---- */

static int read_else(struct reader *r, const struct json_member *m, struct job_column *c)
{
	static const char *const words[] = {"keep", "reject", "null", NULL};
	int which = 0;
	if (m->value.type == JSON_OBJECT && json_gets(&m->value, "value")) {
		c->otherwise = ELSE_VALUE;
		c->else_value = json_gets(&m->value, "value");
		return 0;
	}
	int rc = choice_of(r, m, words, &which);
	c->otherwise = (enum job_else)which;
	return rc;
}

static int read_map(struct reader *r, const struct json_member *m, struct job_column *c)
{
	if (m->value.type != JSON_OBJECT)
		return wrong(r, m->key, "an object: old value to new value");
	for (uint32_t i = 0; i < m->value.count; i++)
		if (!is_scalar(&m->value.members[i].value))
			return wrong(r, m->value.members[i].key, "a text, a number, true, false or null");
	c->map = &m->value;
	return 0;
}

static int read_column(struct reader *r, const struct json_member *column, struct job_column *c)
{
	static const char *const methods[] = {"yescrypt", "bcrypt", NULL};
	int rc = 0, method = 0;
	*c = (struct job_column){.name = arena_str(r->a, column->key)};
	if (column->value.type != JSON_OBJECT)
		return wrong(r, column->key, "an object that says where the column comes from");
	for (uint32_t i = 0; i < column->value.count && rc == 0; i++) {
		const struct json_member *m = &column->value.members[i];
		if (slice_is(m->key, "from") && slice_is(json_text(&m->value), ""))
			c->from = ""; /* SQLite has columns without a name */
		else if (slice_is(m->key, "from"))
			rc = text_of(r, m, &c->from);
		else if (slice_is(m->key, "sql"))
			rc = text_of(r, m, &c->sql);
		else if (slice_is(m->key, "type"))
			rc = text_of(r, m, &c->type);
		else if (slice_is(m->key, "map"))
			rc = read_map(r, m, c);
		else if (slice_is(m->key, "else"))
			rc = read_else(r, m, c);
		else if (slice_is(m->key, "value") && is_scalar(&m->value))
			c->value = &m->value;
		else if (slice_is(m->key, "if_null") && is_scalar(&m->value))
			c->if_null = &m->value;
		else if (slice_is(m->key, "crypt") && (rc = choice_of(r, m, methods, &method)) == 0)
			c->crypt = methods[method];
		else if (rc == 0)
			rc = unknown(r, m->key);
	}
	if (rc == 0 && !!c->from + !!c->sql + !!c->value > 1)
		rc = wrong(r, column->key, "only one of from, sql and value");
	return rc;
}

static int read_columns(struct reader *r, const struct json_member *m, struct job_columns *out)
{
	if (m->value.type != JSON_OBJECT)
		return wrong(r, m->key, "an object: target column to where it comes from");
	for (uint32_t i = 0; i < m->value.count; i++) {
		struct job_column c;
		if (read_column(r, &m->value.members[i], &c))
			return r->err->code;
		ARENA_PUSH(r->a, out, c);
	}
	return 0;
}

/* ---- rules ---- */

static int read_rule_member(struct reader *r, const struct json_member *m, struct job_rule *rule)
{
	static const char *const children[] = {"keep", "into-parent", NULL}, *const keys[] = {"keep", "drop", NULL};
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
	    {"match", &rule->match},
	    {"table", &rule->table},
	    {"schema", &rule->schema},
	    {"target", &rule->target},
	    {"target_schema", &rule->target_schema},
	    {"where", &rule->where},
	    {"since", &rule->since},
	    {"target_where", &rule->target_where},
	    {"distribute", &rule->distribute},
	    {"colocate_with", &rule->colocate},
	};
	int which = 0, rc;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (slice_is(m->key, texts[i].key))
			return text_of(r, m, texts[i].to);
	if (slice_is(m->key, "columns"))
		return read_columns(r, m, &rule->columns);
	if (slice_is(m->key, "drop"))
		return names_of(r, m, &rule->drop);
	if (slice_is(m->key, "own"))
		return names_of(r, m, &rule->own);
	if (slice_is(m->key, "reference"))
		return flag_of(r, m, &rule->reference);
	if (slice_is(m->key, "skip"))
		return flag_of(r, m, &rule->skip);
	if (slice_is(m->key, "whole"))
		return flag_of(r, m, &rule->no_split);
	if (slice_is(m->key, "children")) {
		rc = choice_of(r, m, children, &which);
		rule->children = (enum job_children)which;
		return rc;
	}
	if (slice_is(m->key, "keys")) {
		rc = choice_of(r, m, keys, &which);
		rule->keys = (enum job_key)which;
		return rc;
	}
	return unknown(r, m->key);
}

static int read_rule(struct reader *r, const struct json *v, struct job_rule *rule)
{
	*rule = (struct job_rule){0};
	if (v->type != JSON_OBJECT)
		return err_set(r->err, ERR_USAGE, "job: %s must be an object", r->where);
	for (uint32_t i = 0; i < v->count; i++)
		if (read_rule_member(r, &v->members[i], rule))
			return r->err->code;
	if (!rule->match == !rule->table)
		return err_set(r->err, ERR_USAGE, "job: %s wants either \"table\" or \"match\"", r->where);
	if (rule->reference && rule->distribute)
		return err_set(r->err, ERR_USAGE, "job: %s cannot be both distributed and a reference table", r->where);
	return 0;
}

static int read_rules(struct reader *r, const struct json_member *m, struct job *job)
{
	if (m->value.type != JSON_ARRAY)
		return wrong(r, m->key, "a list");
	for (uint32_t i = 0; i < m->value.count; i++) {
		struct job_rule rule;
		struct reader at = {r->a, arena_printf(r->a, "rule %u", (unsigned)i + 1).ptr, r->err};
		if (read_rule(&at, &m->value.items[i], &rule))
			return r->err->code;
		ARENA_PUSH(r->a, &job->rules, rule);
	}
	return 0;
}

/* ---- parameters ---- */

static int is_word(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return 0;
	return isalpha((unsigned char)*name);
}

static int read_parameter(struct reader *r, const struct json_member *m, struct job_param *p)
{
	int rc = 0;
	*p = (struct job_param){.name = arena_str(r->a, m->key)};
	if (!is_word(p->name))
		return wrong(r, m->key, "a name of letters, digits and _");
	if (m->value.type == JSON_STRING || m->value.type == JSON_NUMBER) {
		p->value = arena_str(r->a, m->value.text);
		return 0;
	}
	if (m->value.type != JSON_OBJECT)
		return wrong(r, m->key, "a value, or an object with environment and default");
	for (uint32_t i = 0; i < m->value.count && rc == 0; i++) {
		const struct json_member *x = &m->value.members[i];
		if (slice_is(x->key, "environment"))
			rc = text_of(r, x, &p->environment);
		else if (slice_is(x->key, "default"))
			rc = text_of(r, x, &p->value);
		else if (slice_is(x->key, "digits"))
			rc = flag_of(r, x, &p->digits);
		else
			rc = unknown(r, x->key);
	}
	return rc;
}

static int read_parameters(struct reader *r, const struct json_member *m, struct job *job)
{
	if (m->value.type != JSON_OBJECT)
		return wrong(r, m->key, "an object");
	for (uint32_t i = 0; i < m->value.count; i++) {
		struct job_param p;
		if (read_parameter(r, &m->value.members[i], &p))
			return r->err->code;
		ARENA_PUSH(r->a, &job->params, p);
	}
	return 0;
}

int job_parameters(struct job *job, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < job->params.n; i++) {
		struct job_param *p = &job->params.v[i];
		const char *given = p->environment ? getenv(p->environment) : NULL;
		const char *name = p->environment ? p->environment : p->name;
		if (given && *given)
			p->value = arena_str(a, slice_of(given));
		if (!p->value)
			return err_set(err, ERR_USAGE, "job: %s is not set", name);
		if (p->digits && strspn(p->value, "0123456789") != strlen(p->value))
			return err_set(err, ERR_USAGE, "%s must be a non-negative integer", name);
	}
	return 0;
}

/* ---- the job ---- */

static int read_member(struct reader *r, const struct json_member *m, struct job *job)
{
	static const char *const citus[] = {"auto", "always", "never", NULL};
	int which = 0, rc;
	if (slice_is(m->key, "name"))
		return text_of(r, m, &job->name);
	if (slice_is(m->key, "schemas"))
		return names_of(r, m, &job->schemas);
	if (slice_is(m->key, "target_schema"))
		return text_of(r, m, &job->target_schema);
	if (slice_is(m->key, "part_bytes"))
		return count_of(r, m, &job->part_bytes);
	if (slice_is(m->key, "max_rejects"))
		return count_of(r, m, &job->max_rejects);
	if (slice_is(m->key, "one_transaction"))
		return flag_of(r, m, &job->one_transaction);
	if (slice_is(m->key, "wants_apply"))
		return flag_of(r, m, &job->wants_apply);
	if (slice_is(m->key, "parameters"))
		return read_parameters(r, m, job);
	if (slice_is(m->key, "rules"))
		return read_rules(r, m, job);
	if (slice_is(m->key, "citus")) {
		rc = choice_of(r, m, citus, &which);
		job->citus = (enum job_citus)which;
		return rc;
	}
	return unknown(r, m->key);
}

int job_read(struct slice text, struct arena *a, struct job *job, struct err *err)
{
	struct reader r = {a, "the job", err};
	struct json v = json_object();
	*job = (struct job){.name = "tables", .part_bytes = PART_BYTES, .max_rejects = MAX_REJECTS};
	if (text.ptr && json_read(text, a, 0, &v, NULL, err)) {
		err->code = ERR_USAGE;
		return err_prefix(err, "job");
	}
	if (v.type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "job: an object is wanted");
	for (uint32_t i = 0; i < v.count; i++)
		if (read_member(&r, &v.members[i], job))
			return err->code;
	if (job->schemas.n == 0)
		ARENA_PUSH(a, &job->schemas, "public");
	if (job->rules.n == 0)
		ARENA_PUSH(a, &job->rules, ((struct job_rule){.match = "*"}));
	if (job->part_bytes == 0)
		job->part_bytes = PART_BYTES;
	return 0;
}

int job_rule_of(const struct job *job, const char *schema, const char *table)
{
	for (size_t i = 0; i < job->rules.n; i++) {
		const struct job_rule *r = &job->rules.v[i];
		if (r->schema && strcmp(r->schema, schema) != 0)
			continue;
		if (r->table ? strcmp(r->table, table) == 0 : fnmatch(r->match, table, 0) == 0)
			return (int)i;
	}
	return -1;
}

const struct job_column *job_column_of(const struct job_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->columns.n; i++)
		if (strcmp(rule->columns.v[i].name, name) == 0)
			return &rule->columns.v[i];
	return NULL;
}

static int param_at(const struct job *job, const char *name, size_t len)
{
	for (size_t i = 0; i < job->params.n; i++)
		if (slice_is((struct slice){name, len}, job->params.v[i].name))
			return (int)i;
	return -1;
}

/*
 * Citus sends an expression to its workers, which do not know the settings of this session; a part of the query without
 * a table it answers itself.
 */
const char *job_setting(const char *name, enum job_language language, struct arena *a)
{
	if (language != JOB_CITUS)
		return arena_printf(a, "current_setting('settle.%s')", name).ptr;
	return arena_printf(a, "(WITH p AS MATERIALIZED (SELECT current_setting('settle.%s') AS v) SELECT v FROM p)",
			    name)
	    .ptr;
}

const char *job_bind(const struct job *job, const char *sql, enum job_language language, struct arena *a)
{
	struct buf out = BUF_INIT(SQL_CAP);
	char quote = 0;
	for (const char *p = sql; *p; p++) {
		size_t len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		int found = *p == ':' && !quote && len && (p == sql || (p[-1] != ':' && !isdigit((unsigned char)p[-1])))
				? param_at(job, p + 1, len)
				: -1;
		if (quote ? *p == quote : (*p == '\'' || *p == '"'))
			quote = quote ? 0 : *p;
		if (found < 0)
			buf_ch(&out, *p);
		else if (language == JOB_SQLITE)
			buf_fmt(&out, "?%d", found + 1);
		else
			buf_str(&out, job_setting(job->params.v[found].name, language, a));
		p += found < 0 ? 0 : len;
	}
	const char *text = arena_str(a, buf_slice(&out));
	buf_release(&out);
	return text;
}
