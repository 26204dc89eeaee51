#include "config.h"

#include "snapshot/manifest.h"

#include "base/number.h"

int manifest_encrypted(const struct manifest *m)
{
	return json_is(&m->recipients, JSON_ARRAY);
}

int64_t manifest_bytes(const struct manifest *m)
{
	int64_t sum = 0;
	for (size_t i = 0; i < m->files.n; i++)
		sum += m->files.v[i].bytes;
	return sum;
}

int64_t manifest_sum_rows(const struct manifest *m)
{
	int64_t sum = 0;
	for (size_t i = 0; i < m->tables.n; i++)
		sum += m->tables.v[i].rows;
	return sum;
}

void manifest_add_file(struct manifest *m, struct slice path, const char *sha256, int64_t bytes, struct arena *a)
{
	struct manifest_file one = {path, arena_slice(a, slice_of(sha256)), bytes};
	ARENA_PUSH(a, &m->files, one);
}

/* ---- writing ---- */

static struct json files_to_json(const struct manifest *m, struct arena *a)
{
	struct json all = json_array();
	for (size_t i = 0; i < m->files.n; i++) {
		struct json one = json_object();
		json_sets_text(a, &one, "path", m->files.v[i].path);
		json_sets(a, &one, "bytes", json_int(a, m->files.v[i].bytes));
		json_sets_text(a, &one, "sha256", m->files.v[i].sha256);
		json_push(a, &all, one);
	}
	return all;
}

static struct json tables_to_json(const struct manifest *m, struct arena *a)
{
	struct json all = json_array();
	for (size_t i = 0; i < m->tables.n; i++) {
		struct json one = json_object();
		json_sets_text(a, &one, "table", m->tables.v[i].name);
		json_sets(a, &one, "rows", json_int(a, m->tables.v[i].rows));
		json_push(a, &all, one);
	}
	return all;
}

static struct json domains_to_json(const struct manifest *m, struct arena *a)
{
	struct json all = json_array();
	for (size_t i = 0; i < m->domains.n; i++) {
		const struct manifest_domain *d = &m->domains.v[i];
		struct json one = json_object();
		json_sets_text(a, &one, "domain", d->domain);
		json_sets_text(a, &one, "status", d->status);
		json_sets_text(a, &one, "checkpoint", d->checkpoint);
		json_sets_text(a, &one, "state", d->state);
		json_push(a, &all, one);
	}
	return all;
}

struct json manifest_to_json(const struct manifest *m, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "settle", json_str(PACKAGE_VERSION));
	json_sets(a, &v, "format", json_int(a, MANIFEST_FORMAT));
	json_sets_text(a, &v, "name", m->name);
	json_sets_text(a, &v, "created", m->created);
	json_sets_text(a, &v, "engine", m->engine);
	json_sets_text(a, &v, "method", m->method);
	json_sets_text(a, &v, "copy_of", m->copy_of);
	json_sets_text(a, &v, "target", m->target);
	json_sets_text(a, &v, "server", m->server);
	json_sets_text(a, &v, "tool", m->tool);
	json_sets(a, &v, "server_version", json_int(a, m->server_version));
	json_sets_text(a, &v, "kept_database", m->kept_database);
	json_sets(a, &v, "bytes", json_int(a, manifest_bytes(m)));
	json_sets(a, &v, "rows", json_int(a, manifest_sum_rows(m)));
	json_sets(a, &v, "recipients", m->recipients);
	json_sets(a, &v, "excluded", m->excluded);
	json_sets(a, &v, "masked", m->masked);
	json_sets(a, &v, "domains", domains_to_json(m, a));
	json_sets(a, &v, "database", m->database);
	json_sets(a, &v, "roles", m->roles);
	json_sets(a, &v, "tables", tables_to_json(m, a));
	json_sets(a, &v, "files", files_to_json(m, a));
	return v;
}

static int sha_line(struct slice text, struct arena *a, struct slice *line, struct err *err)
{
	char hex[SHA_HEX_SIZE];
	if (files_sha256_text(text, hex, err))
		return err->code;
	*line = arena_printf(a, "%s  " MANIFEST_FILE "\n", hex);
	return 0;
}

int manifest_write(const struct manifest *m, const char *dir, struct arena *a, struct err *err)
{
	struct json v = manifest_to_json(m, a);
	struct slice text = json_to_text(&v, JSON_PRETTY, a);
	struct slice line;
	text = arena_printf(a, "%.*s\n", SLICE_ARG(text));
	if (sha_line(text, a, &line, err) || files_write(arena_printf(a, "%s/" MANIFEST_FILE, dir).ptr, text, err))
		return err->code;
	return files_write(arena_printf(a, "%s/" MANIFEST_SHA_FILE, dir).ptr, line, err);
}

/* ---- reading ---- */

static int64_t get_int(const struct json *v, const char *key)
{
	const struct json *n = json_gets(v, key);
	long long out = 0;
	return json_is(n, JSON_NUMBER) && number_to_i64(n->text, &out) ? out : 0;
}

static struct json get_any(const struct json *v, const char *key)
{
	const struct json *one = json_gets(v, key);
	return one ? *one : json_null;
}

/* Paths lead to files of the snapshot and nowhere else. */
static int is_path(struct slice path)
{
	const char *text = path.ptr;
	if (!text || path.len == 0 || path.len > 1024 || text[0] == '/' || memchr(text, 0, path.len))
		return 0;
	for (size_t i = 0; i < path.len; i++) {
		int begins = i == 0 || text[i - 1] == '/';
		size_t left = path.len - i;
		if (begins && text[i] == '.' &&
		    (left == 1 || text[i + 1] == '/' || (text[i + 1] == '.' && (left == 2 || text[i + 2] == '/'))))
			return 0;
	}
	return 1;
}

static int read_files(const struct json *all, struct arena *a, struct manifest *m)
{
	for (uint32_t i = 0; json_is(all, JSON_ARRAY) && i < all->count; i++) {
		const struct json *one = &all->items[i];
		struct manifest_file f = {json_get_text(one, "path"), json_get_text(one, "sha256"),
					  get_int(one, "bytes")};
		if (!is_path(f.path) || f.sha256.len != SHA_HEX_SIZE - 1)
			return -1;
		ARENA_PUSH(a, &m->files, f);
	}
	return 0;
}

static int read_tables(const struct json *all, struct arena *a, struct manifest *m)
{
	for (uint32_t i = 0; json_is(all, JSON_ARRAY) && i < all->count; i++) {
		struct manifest_table t = {json_get_text(&all->items[i], "table"), get_int(&all->items[i], "rows")};
		if (!t.name.ptr)
			return -1;
		ARENA_PUSH(a, &m->tables, t);
	}
	return 0;
}

static int read_domains(const struct json *all, struct arena *a, struct manifest *m)
{
	for (uint32_t i = 0; json_is(all, JSON_ARRAY) && i < all->count; i++) {
		const struct json *one = &all->items[i];
		struct manifest_domain d = {json_get_text(one, "domain"), json_get_text(one, "status"),
					    json_get_text(one, "checkpoint"), json_get_text(one, "state")};
		if (!d.domain.ptr || (d.state.ptr && !is_path(d.state)))
			return -1;
		ARENA_PUSH(a, &m->domains, d);
	}
	return 0;
}

static int from_json(const struct json *v, struct arena *a, struct manifest *m)
{
	*m = (struct manifest){
	    .name = json_get_text(v, "name"),
	    .created = json_get_text(v, "created"),
	    .target = json_get_text(v, "target"),
	    .server = json_get_text(v, "server"),
	    .tool = json_get_text(v, "tool"),
	    .copy_of = json_get_text(v, "copy_of"),
	    .engine = json_get_text(v, "engine"),
	    .method = json_get_text(v, "method"),
	    .kept_database = json_get_text(v, "kept_database"),
	    .server_version = get_int(v, "server_version"),
	    .database = get_any(v, "database"),
	    .roles = get_any(v, "roles"),
	    .recipients = get_any(v, "recipients"),
	    .excluded = get_any(v, "excluded"),
	    .masked = get_any(v, "masked"),
	};
	if (!m->name.ptr || !m->engine.ptr || !m->method.ptr || !m->created.ptr)
		return -1;
	return read_files(json_gets(v, "files"), a, m) || read_tables(json_gets(v, "tables"), a, m) ||
	       read_domains(json_gets(v, "domains"), a, m);
}

static int read_text(const char *path, struct arena *a, struct slice *out, struct err *err)
{
	int rc = files_read(path, a, out, err);
	if (rc == ERR_NOTFOUND || rc == ERR_LIMIT)
		err->code = ERR_STATE;
	return rc ? ERR_STATE : 0;
}

int manifest_read(const char *dir, struct arena *a, struct manifest *out, struct json *v, struct slice *sha256,
		  struct err *err)
{
	const char *path = arena_printf(a, "%s/" MANIFEST_FILE, dir).ptr;
	const char *sha_path = arena_printf(a, "%s/" MANIFEST_SHA_FILE, dir).ptr;
	struct slice text, told, line;
	struct json all;
	if (read_text(path, a, &text, err) || read_text(sha_path, a, &told, err))
		return err->code;
	if (sha_line(text, a, &line, err))
		return err->code;
	if (!slice_eq(line, told))
		return err_set(err, ERR_STATE, "%s is damaged: it does not match %s", path, sha_path);
	if (json_read(text, a, 0, &all, NULL, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "%s", path);
	}
	if (get_int(&all, "format") > MANIFEST_FORMAT)
		return err_set(err, ERR_STATE, "%s was written by a newer settle (%.*s)", path,
			       SLICE_ARG(json_get_text(&all, "settle")));
	if (from_json(&all, a, out))
		return err_set(err, ERR_STATE, "%s is no manifest of a snapshot", path);
	if (v)
		*v = all;
	if (sha256)
		*sha256 = arena_slice(a, (struct slice){line.ptr, SHA_HEX_SIZE - 1});
	return 0;
}
