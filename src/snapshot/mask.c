#include "config.h"

#include "snapshot/mask.h"

#include "lite/lite.h"
#include "snapshot/origin.h"
#include "sql/target.h"

int mask_any(const struct mask *m)
{
	return m->n > 0 || m->exclude.n > 0;
}

/* ---- the mask file ---- */

static int read_how(const struct json *v, struct mask_column *out)
{
	const struct json *value = json_gets(v, "value");
	if (json_is(v, JSON_NULL))
		out->how = MASK_NULL;
	else if (slice_is(json_text(v), "hash"))
		out->how = MASK_HASH;
	else if (json_is(value, JSON_STRING))
		*out = (struct mask_column){out->table, out->column, json_text(value), MASK_VALUE};
	else
		return -1;
	return 0;
}

static int read_column(const char *path, const struct json_member *member, struct arena *a, struct mask *out,
		       struct err *err)
{
	struct slice key = member->key;
	size_t dot = key.len;
	while (dot > 0 && key.ptr[dot - 1] != '.')
		dot--;
	if (dot < 2 || dot == key.len)
		return err_set(err, ERR_USAGE, "%s: \"%.*s\" is not of the form table.column", path, SLICE_ARG(key));
	struct mask_column one = {.table = {key.ptr, dot - 1}, .column = {key.ptr + dot, key.len - dot}};
	if (read_how(&member->value, &one))
		return err_set(err, ERR_USAGE, "%s: \"%.*s\" must be null, \"hash\" or {\"value\": \"text\"}", path,
			       SLICE_ARG(key));
	ARENA_PUSH(a, out, one);
	json_push(a, &out->masked_json, json_string(key));
	return 0;
}

static int read_mask_file(const char *path, struct arena *a, struct mask *out, struct err *err)
{
	struct slice text;
	struct json v;
	int rc = files_read(path, a, &text, err);
	if (rc == 0)
		rc = json_read(text, a, 0, &v, NULL, err);
	if (rc) {
		err->code = ERR_USAGE;
		return err_prefix(err, "mask file %s", path);
	}
	if (!json_is(&v, JSON_OBJECT))
		return err_set(err, ERR_USAGE, "mask file %s holds no JSON object", path);
	for (uint32_t i = 0; rc == 0 && i < v.count; i++)
		rc = read_column(path, &v.members[i], a, out, err);
	return rc;
}

int mask_read(const struct snapshot_copy_options *o, struct arena *a, struct mask *out, struct err *err)
{
	*out = (struct mask){.exclude = o->exclude, .excluded_json = json_array(), .masked_json = json_array()};
	for (int i = 0; i < o->exclude.n; i++)
		json_push(a, &out->excluded_json, json_str(o->exclude.v[i]));
	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "libsodium does not start");
	randombytes_buf(out->secret, sizeof(out->secret));
	return o->mask ? read_mask_file(o->mask, a, out, err) : 0;
}

/* ---- SQLite ---- */

static void hash_text(void *ctx, struct slice in, char *out)
{
	const struct mask *m = ctx;
	unsigned char hash[crypto_generichash_BYTES];
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)in.ptr, in.len, m->secret, sizeof(m->secret));
	sodium_bin2hex(out, LITE_TEXT_FN_SIZE, hash, sizeof(hash));
}

_Static_assert(crypto_generichash_BYTES * 2 < LITE_TEXT_FN_SIZE, "a hash in hex has room");

static int run_statement(struct lite *db, const char *sql, struct slice value, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(db, sql, &s, err);
	if (rc == 0 && value.ptr)
		lite_bind_text(s, 1, value);
	return rc ? rc : lite_run(s, err);
}

static int exclude_table(struct lite *db, const char *table, struct arena *a, struct err *err)
{
	struct slice name = sql_quote_ident(slice_of(table), a);
	int rc = run_statement(db, arena_printf(a, "DELETE FROM %.*s", SLICE_ARG(name)).ptr, SLICE_NONE, err);
	return rc ? err_prefix(err, "--exclude-table %s", table) : 0;
}

static int mask_column(struct lite *db, const struct mask_column *c, struct arena *a, struct err *err)
{
	struct slice table = sql_quote_ident(c->table, a), column = sql_quote_ident(c->column, a);
	struct slice to = c->how == MASK_NULL    ? SLICE("NULL")
			  : c->how == MASK_VALUE ? SLICE("?1")
						 : arena_printf(a, "settle_hash(t.%.*s)", SLICE_ARG(column));
	/* t.column: a quoted name that is no column would be taken for a text. */
	struct slice sql = arena_printf(a, "UPDATE %.*s AS t SET %.*s = %.*s WHERE t.%.*s IS NOT NULL",
					SLICE_ARG(table), SLICE_ARG(column), SLICE_ARG(to), SLICE_ARG(column));
	int rc = run_statement(db, sql.ptr, c->value, err);
	return rc ? err_prefix(err, "--mask %.*s.%.*s", SLICE_ARG(c->table), SLICE_ARG(c->column)) : 0;
}

/* ANALYZE keeps values of indexed columns. */
static int drop_samples(struct lite *db, struct err *err)
{
	return lite_exec(db, "DROP TABLE IF EXISTS sqlite_stat3; DROP TABLE IF EXISTS sqlite_stat4", err);
}

/* VACUUM writes the file anew: what was deleted is nowhere in it. */
static int change(struct lite *db, const struct mask *mask, struct arena *a, struct err *err)
{
	int rc =
	    lite_exec(db, "PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE", err);
	if (rc == 0)
		rc = lite_triggers_off(db, err);
	if (rc == 0)
		rc = drop_samples(db, err);
	if (rc == 0)
		rc = lite_function(db, "settle_hash", hash_text, (void *)(uintptr_t)mask, err);
	for (int i = 0; rc == 0 && i < mask->exclude.n; i++)
		rc = exclude_table(db, mask->exclude.v[i], a, err);
	for (size_t i = 0; rc == 0 && i < mask->n; i++)
		rc = mask_column(db, &mask->v[i], a, err);
	return rc ? rc : lite_exec(db, "VACUUM", err);
}

int mask_sqlite(const struct mask *mask, const char *dir, struct manifest *m, struct arena *a, struct err *err)
{
	const char *path = arena_printf(a, "%s/" SQLITE_FILE, dir).ptr;
	struct lite_options o = {.path = path, .code = ERR_USAGE, .what = "the copy"};
	struct lite *db = NULL;
	int rc = lite_open(&db, &o, err);
	if (rc == 0)
		rc = change(db, mask, a, err);
	lite_close(db);
	m->tables = (struct manifest_tables){0};
	return rc ? rc : lite_count_copy(path, a, &m->tables, err);
}
