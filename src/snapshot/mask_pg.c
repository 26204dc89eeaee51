/*
 * Masking a PostgreSQL snapshot: it is loaded into a database of its own in the order of a dump's sections, and
 * changed between its data and what comes after: there are no triggers, rules or keys yet that would see the change,
 * and those that are made after it must hold for what was made of the data. What is dumped from there never held what
 * does not travel.
 */
#include "config.h"

#include "snapshot/mask.h"
#include "snapshot/pg_tools.h"

#include "base/buf.h"
#include "sql/target.h"

#define STATEMENT_MOST ((size_t)1 << 20)
#define HASH_LEN 64   /* of HMAC-SHA-256 in hex */
#define HASH_LEAST 16 /* characters that a column must hold for a hash */
#define HMAC_BLOCK 64
#define NO_STATISTICS_SINCE 18 /* pg_dump of that version may dump them: values stand in them */

struct masker {
	const struct mask *mask;
	struct workshop *w;
	const char *dump;
	struct manifest *m;
	struct meter *meter;
	struct arena *a;
	struct link *l;       /* to the workshop's database */
	struct slice *tables; /* of mask->v[i]: quoted, with schema */
	struct slice *types;
	struct slice *hashes; /* what makes a hash of it, or SLICE_NONE */
};

/* ---- names ---- */

/* A table is named as it is, with its schema before it, or as the manifest writes it. */
static const char table_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND $1::text IN (c.relname::text, n.nspname || '.' "
    "|| c.relname,"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname)) ORDER BY 1";

static int check_kind(struct slice name, char kind, struct err *err)
{
	if (kind == 'r' || kind == 'p')
		return 0;
	if (kind == 'f')
		return err_set(err, ERR_USAGE, "%.*s is a foreign table: its rows are not in the snapshot",
			       SLICE_ARG(name));
	err_set(err, ERR_USAGE, "%.*s is a view", SLICE_ARG(name));
	return err_hint(err, "name the tables that it shows; a materialized view is filled anew from them");
}

static int find_table(struct masker *k, struct slice name, struct slice *out, struct err *err)
{
	struct link_rows rows;
	int rc = link_ask(k->l, table_sql, &name, 1, k->a, &rows, err);
	if (rc)
		return rc;
	if (rows.n == 0)
		return err_set(err, ERR_USAGE, "there is no table %.*s in the snapshot", SLICE_ARG(name));
	*out = link_cell(&rows, 0, 0);
	if (rows.n == 1)
		return check_kind(name, link_cell(&rows, 0, 1).ptr[0], err);
	struct slice other = link_cell(&rows, 1, 0);
	err_set(err, ERR_USAGE, "there is more than one table %.*s: %.*s, %.*s%s", SLICE_ARG(name), SLICE_ARG(*out),
		SLICE_ARG(other), rows.n > 2 ? ", ..." : "");
	return err_hint(err, "put the schema and a dot before the name");
}

/* ---- columns ---- */

/* What it is made of, below domains: its name, its category, how many characters it holds. */
static const char column_sql[] =
    "WITH RECURSIVE b AS (SELECT a.atttypid AS id, a.atttypmod AS typmod, t.typtype, t.typbasetype, t.typtypmod,"
    " t.typname, t.typcategory FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = $1::regclass AND a.attname = $2::text"
    " UNION ALL SELECT t.oid, b.typtypmod, t.typtype, t.typbasetype, t.typtypmod, t.typname, t.typcategory"
    " FROM b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')"
    " SELECT a.attnotnull, a.attgenerated <> '', format_type(a.atttypid, -1), b.typname, b.typcategory,"
    " CASE WHEN b.typname IN ('varchar', 'bpchar') AND b.typmod > 3 THEN b.typmod - 4"
    " WHEN b.typname = 'name' THEN 63 ELSE 2147483647 END"
    " FROM pg_attribute a JOIN b ON b.typtype <> 'd' WHERE a.attrelid = $1::regclass AND a.attname = $2::text"
    " AND a.attnum > 0 AND NOT a.attisdropped";

/* An expression of the text h, which is a hash in hex; SLICE_NONE when there is none for such a column. */
static struct slice hash_for(struct slice base, struct slice category, int64_t room, struct arena *a)
{
	if (slice_is(base, "uuid"))
		return SLICE("left(%h, 32)");
	if (slice_is(base, "bytea"))
		return SLICE("decode(%h, 'hex')");
	if (slice_is(base, "json") || slice_is(base, "jsonb"))
		return SLICE("to_json(%h)");
	if (!slice_is(category, "S") || room < HASH_LEAST)
		return SLICE_NONE;
	return arena_printf(a, "left(%%h, %lld)", (long long)(room < HASH_LEN ? room : HASH_LEN));
}

static int check_column(const struct mask_column *c, const struct link_rows *rows, struct slice hash, struct err *err)
{
	if (rows->n == 0)
		return err_set(err, ERR_USAGE, "there is no such column");
	if (slice_is(link_cell(rows, 0, 1), "t")) {
		err_set(err, ERR_USAGE, "the column is computed from others");
		return err_hint(err, "mask the columns that it is made of: it is then computed anew");
	}
	if (c->how == MASK_NULL && slice_is(link_cell(rows, 0, 0), "t")) {
		err_set(err, ERR_USAGE, "the column cannot be null");
		return err_hint(err, "give \"hash\" or {\"value\": \"text\"}");
	}
	if (c->how == MASK_HASH && !hash.ptr) {
		err_set(err, ERR_USAGE, "a hash has no place in a column of this type (%.*s)",
			SLICE_ARG(link_cell(rows, 0, 2)));
		return err_hint(err,
				"text of at least %d characters, uuid, bytea and json hold one; give null or a value",
				HASH_LEAST);
	}
	return 0;
}

static int find_column(struct masker *k, size_t i, struct err *err)
{
	const struct mask_column *c = &k->mask->v[i];
	struct link_rows rows;
	int rc = find_table(k, c->table, &k->tables[i], err);
	if (rc == 0) {
		struct slice params[2] = {k->tables[i], c->column};
		rc = link_ask(k->l, column_sql, params, 2, k->a, &rows, err);
	}
	if (rc == 0 && rows.n) {
		k->types[i] = link_cell(&rows, 0, 2);
		k->hashes[i] =
		    hash_for(link_cell(&rows, 0, 3), link_cell(&rows, 0, 4), link_int(link_cell(&rows, 0, 5)), k->a);
	}
	if (rc == 0)
		rc = check_column(c, &rows, k->hashes[i], err);
	return rc ? err_prefix(err, "--mask %.*s.%.*s", SLICE_ARG(c->table), SLICE_ARG(c->column)) : 0;
}

/* Everything that is named is there, and can be what it is to be. */
static int find_all(struct masker *k, struct slice *excluded, struct err *err)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < k->mask->exclude.n; i++) {
		rc = find_table(k, slice_of(k->mask->exclude.v[i]), &excluded[i], err);
		if (rc)
			err_prefix(err, "--exclude-table");
	}
	for (size_t i = 0; rc == 0 && i < k->mask->n; i++)
		rc = find_column(k, i, err);
	return rc;
}

/* ---- changing ---- */

static void add_hex(struct buf *b, const unsigned char *bytes, unsigned char with)
{
	for (int i = 0; i < HMAC_BLOCK; i++)
		buf_fmt(b, "%02x", bytes[i] ^ with);
}

/* The two keys of HMAC, where SQL can use them and no log of the server tells them. */
static int give_key(struct masker *k, struct err *err)
{
	unsigned char key[HMAC_BLOCK] = {0};
	struct buf b = BUF_INIT(4096);
	memcpy(key, k->mask->secret, sizeof(k->mask->secret));
	_Static_assert(sizeof(k->mask->secret) <= HMAC_BLOCK, "the secret is a key of HMAC as it is");
	buf_str(&b, "\\\\x");
	add_hex(&b, key, 0x36);
	buf_str(&b, "\t\\\\x");
	add_hex(&b, key, 0x5c);
	buf_ch(&b, '\n');
	int rc = link_do(k->l, "CREATE TEMPORARY TABLE settle_key (i bytea, o bytea)", err);
	if (rc == 0)
		rc = link_copy_in(k->l, "COPY pg_temp.settle_key FROM STDIN", buf_slice(&b), err);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(b.ptr, b.len);
	buf_release(&b);
	return rc;
}

/* hash: with %h in the place of the hash of t.column. */
static void add_hash(struct buf *b, struct slice hash, struct slice column)
{
	const char *at = strstr(hash.ptr, "%h");
	buf_add(b, hash.ptr, (size_t)(at - hash.ptr));
	buf_fmt(b, "encode(sha256(k.o || sha256(k.i || convert_to(t.%.*s::text, 'UTF8'))), 'hex')", SLICE_ARG(column));
	buf_str(b, at + 2);
}

/* column = what it becomes; NULL stays NULL. */
static void add_set(struct masker *k, size_t i, struct buf *b, struct slice *params, int *n)
{
	const struct mask_column *c = &k->mask->v[i];
	struct slice column = sql_quote_ident(c->column, k->a);
	buf_fmt(b, "%.*s = ", SLICE_ARG(column));
	if (c->how == MASK_NULL) {
		buf_str(b, "NULL");
		return;
	}
	buf_fmt(b, "CASE WHEN t.%.*s IS NULL THEN NULL ELSE (", SLICE_ARG(column));
	if (c->how == MASK_VALUE) {
		params[(*n)++] = c->value;
		buf_fmt(b, "$%d", *n);
	} else {
		add_hash(b, k->hashes[i], column);
	}
	buf_fmt(b, ")::%.*s END", SLICE_ARG(k->types[i]));
}

/* All masked columns of the table that mask->v[first] is the first one of. */
static int change_table(struct masker *k, size_t first, struct err *err)
{
	struct slice *params = ARENA_ARRAY(k->a, k->mask->n, struct slice);
	struct buf b = BUF_INIT(STATEMENT_MOST);
	int n = 0;
	buf_fmt(&b, "UPDATE %.*s AS t SET ", SLICE_ARG(k->tables[first]));
	for (size_t i = first; i < k->mask->n; i++) {
		if (!slice_eq(k->tables[i], k->tables[first]))
			continue;
		buf_str(&b, i > first ? ", " : "");
		add_set(k, i, &b, params, &n);
	}
	buf_str(&b, " FROM pg_temp.settle_key k");
	int rc = buf_check(&b, "a statement", err);
	if (rc == 0)
		rc = link_ask(k->l, b.ptr, params, n, k->a, NULL, err);
	buf_release(&b);
	if (rc == 0)
		return 0;
	/* A row of the table may stand in what the server said beside this. */
	err->code = ERR_USAGE;
	err_hint(err, "the columns' own constraints must hold for what they are masked with");
	return err_prefix(err, "--mask %.*s", SLICE_ARG(k->tables[first]));
}

static int is_first(const struct masker *k, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (slice_eq(k->tables[i], k->tables[at]))
			return 0;
	return 1;
}

static int change(struct masker *k, const struct slice *excluded, struct err *err)
{
	int rc = link_do(k->l, "SET row_security = off", err);
	for (int i = 0; rc == 0 && i < k->mask->exclude.n; i++)
		rc = link_do(k->l, arena_printf(k->a, "TRUNCATE TABLE %.*s", SLICE_ARG(excluded[i])).ptr, err);
	if (rc == 0)
		rc = give_key(k, err);
	for (size_t i = 0; rc == 0 && i < k->mask->n; i++)
		if (is_first(k, i))
			rc = change_table(k, i, err);
	return rc;
}

/* ---- loading and dumping ---- */

static int load(struct masker *k, const char *section, struct err *err)
{
	struct pg_tool_call call = {.env = k->w->env, .dir = k->dump, .meter = k->meter, .no_detail = 1};
	call.database = arena_str(k->a, k->w->database);
	call.extra[0] = arena_printf(k->a, "--section=%s", section).ptr;
	call.extra[1] = "--no-subscriptions"; /* another environment must not take part in replication */
	k->meter->what = "loading";
	return pg_restore_run(&call, k->a, err);
}

static int open_database(struct masker *k, struct err *err)
{
	return link_open(&k->l, k->w->env->target, arena_str(k->a, k->w->database), err);
}

static void close_database(struct masker *k)
{
	link_close(k->l);
	k->l = NULL;
}

static int load_and_change(struct masker *k, struct err *err)
{
	struct slice *excluded = ARENA_ARRAY(k->a, (size_t)k->mask->exclude.n, struct slice);
	step(k->w->env, "load");
	int rc = load(k, "pre-data", err);
	if (rc == 0)
		rc = open_database(k, err);
	if (rc == 0)
		rc = find_all(k, excluded, err);
	if (rc == 0)
		rc = load(k, "data", err);
	step(k->w->env, "mask");
	if (rc == 0)
		rc = change(k, excluded, err);
	close_database(k);
	step(k->w->env, "keys");
	if (rc || (rc = load(k, "post-data", err)) == 0)
		return rc;
	err_hint(err, "unique and foreign keys must hold for what is masked: a hash keeps them, a value need not; what "
		      "refers to an excluded table must be excluded or masked too");
	return err_prefix(err, "the keys of the masked copy");
}

static int describe(struct masker *k, struct err *err)
{
	struct link_rows rows;
	k->m->tables = (struct manifest_tables){0};
	k->m->server_version = link_version(k->l);
	k->meter->what = "counting rows";
	int rc = database_count(k->l, k->meter, k->a, &k->m->tables, err);
	if (rc == 0)
		rc = link_ask(k->l, "SELECT current_setting('server_version')", NULL, 0, k->a, &rows, err);
	if (rc == 0)
		k->m->server = arena_printf(k->a, "PostgreSQL %.*s", SLICE_ARG(link_cell(&rows, 0, 0)));
	return rc;
}

/* Large objects belong to no table, so nothing says what is in them: they do not travel. */
static int dump(struct masker *k, struct err *err)
{
	struct pg_tool_call call = {.env = k->w->env, .meter = k->meter, .extra = {"-B"}};
	int major = 0;
	call.database = arena_str(k->a, k->w->database);
	call.dir = arena_printf(k->a, "%s/" PLAIN_DIR "/" DUMP_DIR, k->w->place.partial).ptr;
	int rc = pg_dump_check(k->m->server_version, k->m->server, k->a, &k->m->tool, &major, err);
	if (rc)
		return rc;
	if (major >= NO_STATISTICS_SINCE)
		call.extra[1] = "--no-statistics";
	k->meter->what = "dumping";
	k->meter->of_tables = (int64_t)k->m->tables.n;
	k->meter->tables = 0;
	return pg_dump_run(&call, k->a, err);
}

static int check_roles(struct masker *k, struct err *err)
{
	struct slice missing;
	int rc = workshop_connect(k->w, err);
	if (rc == 0)
		rc = database_missing_roles(k->w->server, &k->m->roles, k->a, &missing, err);
	if (rc || !missing.ptr)
		return rc;
	err_set(err, ERR_TARGET, "the server of %s lacks roles that the snapshot needs: %.*s", k->w->env->target->shown,
		SLICE_ARG(missing));
	return err_hint(err, "make them there (createuser --no-login), or name another server");
}

int mask_pg(const struct mask *mask, struct workshop *w, const char *from, struct manifest *m, struct meter *meter,
	    struct err *err)
{
	struct masker k = {.mask = mask, .w = w, .dump = from, .m = m, .meter = meter, .a = w->a};
	k.tables = ARENA_ARRAY(k.a, mask->n, struct slice);
	k.types = ARENA_ARRAY(k.a, mask->n, struct slice);
	k.hashes = ARENA_ARRAY(k.a, mask->n, struct slice);
	step(w->env, "database");
	int rc = pg_restore_check(m->tool, k.a, err);
	if (rc == 0)
		rc = check_roles(&k, err);
	if (rc == 0)
		rc = workshop_make_database(w, &m->database, err);
	if (rc == 0)
		rc = load_and_change(&k, err);
	if (rc == 0)
		rc = open_database(&k, err);
	if (rc == 0)
		rc = describe(&k, err);
	close_database(&k);
	step(w->env, "dump");
	if (rc == 0)
		rc = dump(&k, err);
	step(w->env, "drop");
	return rc ? rc : workshop_drop_database(w, err);
}
