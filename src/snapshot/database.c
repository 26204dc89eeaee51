#include "config.h"

#include "snapshot/database.h"

#include "base/buf.h"
#include "base/clock.h"
#include "sql/target.h"

#define STATEMENT_MOST 65536
#define TERMINATE_TRIES 50
#define TERMINATE_PAUSE_MS 100
#define OWN_PATIENCE_MS 2000
#define PAUSE_MS 50
/* Others, such as autovacuum, make way by themselves, and not everybody may end them. */
#define IS_CLIENT "backend_type IN ('client backend', 'walsender', 'logical replication worker')"

int database_server_link(struct link **out, const struct url *url, struct err *err)
{
	struct err first = ERR_INIT;
	if (link_open(out, url, "postgres", &first) == 0)
		return 0;
	if (link_open(out, url, "template1", err) == 0)
		return 0;
	*err = first;
	err_hint(err,
		 "restoring goes by the server's database postgres (or template1), to which the role must connect");
	return err->code;
}

/* ---- looking ---- */

static const char describe_sql[] =
    "SELECT jsonb_build_object('name', d.datname, 'owner', pg_get_userbyid(d.datdba),"
    " 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,"
    " 'provider', coalesce(to_jsonb(d)->>'datlocprovider', 'c'),"
    " 'icu', coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'),"
    " 'tablespace', t.spcname, 'connections', d.datconnlimit, 'comment', shobj_description(d.oid, 'pg_database'),"
    " 'grants', CASE WHEN d.datacl IS NULL THEN NULL ELSE (SELECT coalesce(jsonb_agg(jsonb_build_object("
    "'to', CASE WHEN x.grantee = 0 THEN NULL ELSE pg_get_userbyid(x.grantee) END, 'what', x.privilege_type,"
    " 'grantable', x.is_grantable)), '[]') FROM aclexplode(d.datacl) x) END,"
    " 'settings', (SELECT coalesce(jsonb_agg(jsonb_build_object("
    "'role', CASE WHEN s.setrole = 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END, 'setting', u)), '[]')"
    " FROM pg_db_role_setting s, unnest(s.setconfig) u WHERE s.setdatabase = d.oid)),"
    " (SELECT coalesce(jsonb_agg(DISTINCT r.rolname), '[]') FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid"
    " WHERE s.refclassid = 'pg_authid'::regclass AND (s.dbid = d.oid OR (s.dbid = 0 AND s.objid = d.oid)))"
    " FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()";

int database_describe(struct link *l, struct arena *a, struct json *properties, struct json *roles, struct err *err)
{
	struct link_rows rows;
	int rc = link_ask(l, describe_sql, NULL, 0, a, &rows, err);
	if (rc == 0 && rows.n != 1)
		rc = err_set(err, ERR_TARGET, "target: the database is not in pg_database");
	if (rc == 0)
		rc = json_read(link_cell(&rows, 0, 0), a, 0, properties, NULL, err);
	if (rc == 0)
		rc = json_read(link_cell(&rows, 0, 1), a, 0, roles, NULL, err);
	return rc;
}

int database_exists(struct link *l, struct slice name, int *yes, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct link_rows rows;
	int rc = link_ask(l, "SELECT 1 FROM pg_database WHERE datname = $1", &name, 1, &a, &rows, err);
	*yes = rc == 0 && rows.n > 0;
	arena_release(&a);
	return rc;
}

int database_missing_roles(struct link *l, const struct json *roles, struct arena *a, struct slice *out,
			   struct err *err)
{
	struct link_rows rows;
	struct slice names = json_is(roles, JSON_ARRAY) ? json_to_text(roles, JSON_PLAIN, a) : SLICE("[]");
	int rc = link_ask(l,
			  "SELECT string_agg(n, ', ' ORDER BY n) FROM jsonb_array_elements_text($1::jsonb) n"
			  " WHERE n NOT IN (SELECT rolname FROM pg_roles)",
			  &names, 1, a, &rows, err);
	*out = rc == 0 ? link_cell(&rows, 0, 0) : SLICE_NONE;
	return rc;
}

/* ---- making and dropping ---- */

static void add_ident(struct buf *b, struct slice name)
{
	struct arena a = ARENA_INIT;
	buf_adds(b, sql_quote_ident(name, &a));
	arena_release(&a);
}

static void add_literal(struct buf *b, struct link *l, struct slice text)
{
	struct arena a = ARENA_INIT;
	buf_adds(b, link_literal(l, text, &a));
	arena_release(&a);
}

static int run_text(struct link *l, struct buf *b, struct err *err)
{
	int rc = buf_check(b, "a statement", err);
	if (rc == 0)
		rc = link_do(l, b->ptr, err);
	buf_clear(b);
	return rc;
}

static void add_option(struct buf *b, struct link *l, const char *word, const struct json *properties, const char *key)
{
	struct slice value = json_get_text(properties, key);
	if (!value.len)
		return;
	buf_fmt(b, " %s ", word);
	add_literal(b, l, value);
}

static void add_locale(struct buf *b, struct link *l, const struct json *properties)
{
	struct slice provider = json_get_text(properties, "provider");
	add_option(b, l, "ENCODING", properties, "encoding");
	if (slice_is(provider, "i")) {
		buf_str(b, " LOCALE_PROVIDER icu");
		add_option(b, l, "ICU_LOCALE", properties, "icu");
	} else if (slice_is(provider, "b")) {
		buf_str(b, " LOCALE_PROVIDER builtin");
		add_option(b, l, "BUILTIN_LOCALE", properties, "icu");
	}
	add_option(b, l, "LC_COLLATE", properties, "collate");
	add_option(b, l, "LC_CTYPE", properties, "ctype");
}

int database_create(struct link *l, struct slice name, const struct json *properties, const char *from, struct err *err)
{
	struct buf b = BUF_INIT(STATEMENT_MOST);
	struct slice owner = json_get_text(properties, "owner"), space = json_get_text(properties, "tablespace");
	buf_str(&b, "CREATE DATABASE ");
	add_ident(&b, name);
	if (owner.len) {
		buf_str(&b, " OWNER ");
		add_ident(&b, owner);
	}
	buf_str(&b, " TEMPLATE ");
	add_ident(&b, from ? slice_of(from) : SLICE("template0"));
	if (!from)
		add_locale(&b, l, properties);
	if (space.len && !slice_is(space, "pg_default")) {
		buf_str(&b, " TABLESPACE ");
		add_ident(&b, space);
	}
	int rc = run_text(l, &b, err);
	buf_release(&b);
	return rc;
}

int database_drop(struct link *l, struct slice name, struct err *err)
{
	struct buf b = BUF_INIT(STATEMENT_MOST);
	buf_str(&b, "DROP DATABASE IF EXISTS ");
	add_ident(&b, name);
	int rc = run_text(l, &b, err);
	buf_release(&b);
	return rc;
}

int database_make_private(struct link *l, struct slice name, struct err *err)
{
	struct buf b = BUF_INIT(STATEMENT_MOST);
	buf_str(&b, "REVOKE ALL ON DATABASE ");
	add_ident(&b, name);
	buf_str(&b, " FROM PUBLIC");
	int rc = run_text(l, &b, err);
	buf_release(&b);
	return rc;
}

/* ---- what a dump leaves out ---- */

static const char *grant_word(struct slice what)
{
	static const char *const words[] = {"CREATE", "CONNECT", "TEMPORARY"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_is(what, words[i]))
			return words[i];
	return NULL;
}

static int apply_grant(struct link *l, struct slice name, const struct json *grant, struct buf *b, struct err *err)
{
	const char *word = grant_word(json_get_text(grant, "what"));
	struct slice to = json_get_text(grant, "to");
	if (!word)
		return 0;
	buf_fmt(b, "GRANT %s ON DATABASE ", word);
	add_ident(b, name);
	buf_str(b, " TO ");
	if (to.ptr)
		add_ident(b, to);
	else
		buf_str(b, "PUBLIC");
	if (json_is(json_gets(grant, "grantable"), JSON_TRUE))
		buf_str(b, " WITH GRANT OPTION");
	return run_text(l, b, err);
}

static int apply_grants(struct link *l, struct slice name, const struct json *properties, struct buf *b,
			struct err *err)
{
	const struct json *grants = json_gets(properties, "grants");
	int rc;
	if (!json_is(grants, JSON_ARRAY))
		return 0;
	buf_str(b, "REVOKE ALL ON DATABASE ");
	add_ident(b, name);
	buf_str(b, " FROM PUBLIC");
	rc = run_text(l, b, err);
	for (uint32_t i = 0; rc == 0 && i < grants->count; i++)
		rc = apply_grant(l, name, &grants->items[i], b, err);
	return rc;
}

/* A setting's value goes by set_config and FROM CURRENT, so that lists such as search_path keep their parts. */
static int apply_setting(struct link *l, struct slice name, const struct json *one, struct buf *b, struct err *err)
{
	struct slice setting = json_get_text(one, "setting"), role = json_get_text(one, "role");
	const char *equals = setting.ptr ? memchr(setting.ptr, '=', setting.len) : NULL;
	struct arena a = ARENA_INIT;
	struct link_rows rows;
	int rc;
	if (!equals)
		return 0;
	size_t n = (size_t)(equals - setting.ptr);
	struct slice words[2] = {{setting.ptr, n}, {equals + 1, setting.len - n - 1}};
	rc = link_do(l, "BEGIN", err);
	if (rc == 0)
		rc = link_ask(l, "SELECT set_config($1, $2, true)", words, 2, &a, &rows, err);
	buf_str(b, "ALTER ");
	if (role.ptr) {
		buf_str(b, "ROLE ");
		add_ident(b, role);
		buf_str(b, " IN ");
	}
	buf_str(b, "DATABASE ");
	add_ident(b, name);
	buf_str(b, " SET ");
	struct slice rest = words[0];
	const char *dot = memchr(rest.ptr, '.', rest.len);
	if (dot) {
		add_ident(b, (struct slice){rest.ptr, (size_t)(dot - rest.ptr)});
		buf_ch(b, '.');
		rest = (struct slice){dot + 1, rest.len - (size_t)(dot - rest.ptr) - 1};
	}
	add_ident(b, rest);
	buf_str(b, " FROM CURRENT");
	if (rc == 0)
		rc = run_text(l, b, err);
	buf_clear(b);
	struct err ignored = ERR_INIT;
	if (link_do(l, rc == 0 ? "COMMIT" : "ROLLBACK", rc == 0 ? err : &ignored) && rc == 0)
		rc = err->code;
	arena_release(&a);
	return rc;
}

static int apply_comment(struct link *l, struct slice name, const struct json *properties, struct buf *b,
			 struct err *err)
{
	struct slice comment = json_get_text(properties, "comment");
	if (!comment.ptr)
		return 0;
	buf_str(b, "COMMENT ON DATABASE ");
	add_ident(b, name);
	buf_str(b, " IS ");
	add_literal(b, l, comment);
	return run_text(l, b, err);
}

static int apply_limit(struct link *l, struct slice name, const struct json *properties, struct buf *b, struct err *err)
{
	const struct json *limit = json_gets(properties, "connections");
	if (!json_is(limit, JSON_NUMBER) || link_int(limit->text) < 0)
		return 0;
	buf_str(b, "ALTER DATABASE ");
	add_ident(b, name);
	buf_fmt(b, " CONNECTION LIMIT %lld", (long long)link_int(limit->text));
	return run_text(l, b, err);
}

int database_apply(struct link *l, struct slice name, const struct json *properties, struct err *err)
{
	const struct json *settings = json_gets(properties, "settings");
	struct buf b = BUF_INIT(STATEMENT_MOST);
	int rc = apply_grants(l, name, properties, &b, err);
	if (rc == 0)
		rc = apply_comment(l, name, properties, &b, err);
	if (rc == 0)
		rc = apply_limit(l, name, properties, &b, err);
	for (uint32_t i = 0; rc == 0 && json_is(settings, JSON_ARRAY) && i < settings->count; i++)
		rc = apply_setting(l, name, &settings->items[i], &b, err);
	buf_release(&b);
	return rc;
}

/* ---- clients ---- */

static int list_clients(struct link *l, struct slice name, struct arena *a, struct slice *out, int *own,
			struct err *err)
{
	struct link_rows rows;
	int rc =
	    link_ask(l,
		     "SELECT string_agg(format('pid %s, user %s, %s, from %s, since %s', pid, usename,"
		     " coalesce(nullif(application_name, ''), 'no name'), coalesce(client_addr::text, 'this machine'),"
		     " to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS')), E'\\n' ORDER BY pid),"
		     " coalesce(bool_or(application_name = 'settle snapshot'), false)"
		     " FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
		     " AND " IS_CLIENT,
		     &name, 1, a, &rows, err);
	*out = rc == 0 ? link_cell(&rows, 0, 0) : SLICE_NONE;
	*own = rc == 0 && slice_is(link_cell(&rows, 0, 1), "t");
	return rc;
}

int database_clients(struct link *l, struct slice name, int patience_ms, struct arena *a, struct slice *out,
		     struct err *err)
{
	int own = 0;
	int rc = list_clients(l, name, a, out, &own, err);
	for (int waited = 0; rc == 0 && out->ptr && waited < (own ? OWN_PATIENCE_MS : patience_ms);
	     waited += PAUSE_MS) {
		clock_sleep_ms(PAUSE_MS);
		rc = list_clients(l, name, a, out, &own, err);
	}
	return rc;
}

static int ask_migration(struct link *l, struct slice name, struct arena *a, struct link_rows *rows, struct err *err)
{
	return link_ask(l,
			"SELECT a.pid::text, a.usename, coalesce(a.client_addr::text, 'this machine') FROM pg_locks k"
			" JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = k.database"
			" WHERE k.locktype = 'advisory' AND k.granted AND d.datname = $1"
			" AND a.application_name LIKE 'settle%' LIMIT 1",
			&name, 1, a, rows, err);
}

int database_no_migration(struct link *l, struct slice name, struct arena *a, struct err *err)
{
	struct link_rows rows;
	int rc = ask_migration(l, name, a, &rows, err);
	for (int waited = 0; rc == 0 && rows.n > 0 && waited < DATABASE_PATIENCE_MS; waited += PAUSE_MS) {
		clock_sleep_ms(PAUSE_MS);
		rc = ask_migration(l, name, a, &rows, err);
	}
	if (rc || rows.n == 0)
		return rc;
	err_set(err, ERR_STATE, "a migration is running on database %.*s (server process %.*s, user %.*s, from %.*s)",
		SLICE_ARG(name), SLICE_ARG(link_cell(&rows, 0, 0)), SLICE_ARG(link_cell(&rows, 0, 1)),
		SLICE_ARG(link_cell(&rows, 0, 2)));
	return err_hint(err, "wait for it, or stop it with Ctrl-C: it goes on later where it stopped");
}

int database_terminate(struct link *l, struct slice name, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice clients = SLICE("?");
	int rc = 0;
	for (int i = 0; rc == 0 && clients.ptr && i < TERMINATE_TRIES; i++) {
		struct link_rows rows;
		rc = link_ask(l,
			      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			      " WHERE datname = $1 AND pid <> pg_backend_pid()"
			      " AND " IS_CLIENT,
			      &name, 1, &a, &rows, err);
		if (i)
			clock_sleep_ms(TERMINATE_PAUSE_MS);
		if (rc == 0)
			rc = database_clients(l, name, 0, &a, &clients, err);
	}
	if (rc == 0 && clients.ptr)
		rc = database_refuse_clients(name, clients, err);
	arena_release(&a);
	return rc;
}

int database_end(struct link *l, struct slice name, struct err *err)
{
	int rc = database_terminate(l, name, err);
	return rc ? rc : database_drop(l, name, err);
}

int database_refuse_clients(struct slice name, struct slice clients, struct err *err)
{
	struct arena a = ARENA_INIT;
	char *line = arena_str(&a, clients);
	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = ';';
	err_set(err, ERR_STATE, "clients are connected to database %.*s: %s", SLICE_ARG(name), line);
	arena_release(&a);
	return err_hint(err, "end them, or give --terminate");
}

/* ---- counting ---- */

/* Tables whose rows a dump holds: none of an extension's, no partitioned parents. */
static const char tables_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
    " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_depend e"
    " WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')"
    " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

int database_count(struct link *l, struct meter *m, struct arena *a, struct manifest_tables *out, struct err *err)
{
	struct link_rows tables, count;
	struct buf b = BUF_INIT(STATEMENT_MOST);
	int rc = link_do(l, "SET row_security = off", err);
	if (rc == 0)
		rc = link_ask(l, tables_sql, NULL, 0, a, &tables, err);
	m->of_tables = rc == 0 ? tables.n : 0;
	m->tables = 0;
	for (int i = 0; rc == 0 && i < tables.n; i++) {
		buf_str(&b, "SELECT count(*) FROM ONLY ");
		buf_adds(&b, link_cell(&tables, i, 0));
		rc = buf_check(&b, "a statement", err);
		if (rc == 0)
			rc = link_ask(l, b.ptr, NULL, 0, a, &count, err);
		buf_clear(&b);
		if (rc)
			break;
		struct manifest_table one = {link_cell(&tables, i, 0), link_int(link_cell(&count, 0, 0))};
		ARENA_PUSH(a, out, one);
		m->tables++;
		rc = meter_add(m, 0, err);
	}
	buf_release(&b);
	return rc;
}

static const struct manifest_table *find_table(const struct manifest_tables *all, struct slice name, size_t likely)
{
	if (likely < all->n && slice_eq(all->v[likely].name, name))
		return &all->v[likely];
	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

int counts_compare(const struct manifest_tables *wanted, const struct manifest_tables *have, struct err *err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct manifest_table *w = &wanted->v[i], *h = find_table(have, w->name, i);
		if (!h)
			return err_set(err, ERR_STATE, "table %.*s is missing", SLICE_ARG(w->name));
		if (h->rows != w->rows)
			return err_set(err, ERR_STATE, "table %.*s holds %lld rows, and the snapshot says %lld",
				       SLICE_ARG(w->name), (long long)h->rows, (long long)w->rows);
	}
	if (have->n != wanted->n)
		return err_set(err, ERR_STATE, "there are %zu tables, and the snapshot says %zu", have->n, wanted->n);
	return 0;
}
