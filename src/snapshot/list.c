/* Which snapshots there are, and which of them can go. */
#include "config.h"

#include "base/clock.h"
#include "base/datetime.h"
#include "snapshot/database.h"
#include "snapshot/workshop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DAY_US INT64_C(86400000000)

static int ends_with(struct slice name, struct slice end)
{
	return name.len >= end.len && memcmp(name.ptr + name.len - end.len, end.ptr, end.len) == 0;
}

static void fill(const struct manifest *m, const struct json *v, struct snapshot_info *out)
{
	out->created = m->created;
	out->engine = m->engine;
	out->method = m->method;
	out->target = m->target;
	out->bytes = manifest_bytes(m);
	out->tables = (int64_t)m->tables.n;
	out->rows = manifest_sum_rows(m);
	out->encrypted = manifest_encrypted(m);
	out->manifest = *v;
}

/* Sizes are looked at, bytes are not: `verify` reads them. */
static const char *missing_file(const struct manifest *m, const char *path, struct arena *a)
{
	for (size_t i = 0; i < m->files.n; i++) {
		const struct manifest_file *f = &m->files.v[i];
		struct stat st;
		if (stat(arena_printf(a, "%s/%.*s", path, SLICE_ARG(f->path)).ptr, &st) != 0)
			return arena_printf(a, "%.*s is missing", SLICE_ARG(f->path)).ptr;
		if (st.st_size != f->bytes)
			return arena_printf(a, "%.*s has %lld bytes instead of %lld", SLICE_ARG(f->path),
					    (long long)st.st_size, (long long)f->bytes)
			    .ptr;
	}
	return NULL;
}

static void look(const char *path, struct slice name, struct arena *a, struct snapshot_info *out)
{
	struct err err = ERR_INIT;
	struct manifest m;
	struct json v;
	*out = (struct snapshot_info){.name = name, .path = slice_of(path)};
	out->created = SLICE("");
	if (ends_with(name, SLICE(PARTIAL_SUFFIX))) {
		out->problem = "unfinished: being made, or left by a call that was ended";
		out->bytes = files_bytes(path);
	} else if (manifest_read(path, a, &m, &v, NULL, &err)) {
		out->problem = arena_printf(a, "%s", err.msg).ptr;
	} else {
		fill(&m, &v, out);
		out->problem = missing_file(&m, path, a);
	}
}

static int compare_age(const void *a, const void *b)
{
	const struct snapshot_info *one = a, *other = b;
	int order = slice_cmp(one->created, other->created);
	return order ? order : slice_cmp(one->name, other->name);
}

int snapshot_list(const struct snapshot_env *env, struct arena *a, struct snapshot_list *out, struct err *err)
{
	const char *dir = place_dir(env, a);
	struct dirent *e;
	DIR *d = opendir(dir);
	int rc = 0;
	*out = (struct snapshot_list){0};
	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, ERR_STATE, errno, "cannot read directory %s", dir);
	while ((e = files_next(d, dir, &rc, err)) != NULL) {
		const char *path = arena_printf(a, "%s/%s", dir, e->d_name).ptr;
		struct snapshot_info one;
		struct stat st;
		if (e->d_name[0] == '.' || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
			continue;
		look(path, arena_slice(a, slice_of(e->d_name)), a, &one);
		ARENA_PUSH(a, out, one);
	}
	closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_age);
	return rc;
}

int snapshot_show(const struct snapshot_env *env, const char *name, struct arena *a, struct snapshot_info *out,
		  struct err *err)
{
	struct place p;
	struct manifest m;
	struct json v;
	int rc = place_find(env, name, a, &p, err);
	if (rc == 0)
		rc = manifest_read(p.path, a, &m, &v, NULL, err);
	if (rc)
		return rc;
	*out = (struct snapshot_info){.name = m.name, .path = slice_of(p.path)};
	fill(&m, &v, out);
	out->problem = missing_file(&m, p.path, a);
	return 0;
}

int snapshot_latest(const struct snapshot_env *env, struct arena *a, struct snapshot_info *out, struct err *err)
{
	struct snapshot_list list;
	if (snapshot_list(env, a, &list, err))
		return err->code;
	for (size_t i = list.n; i-- > 0;)
		if (!list.v[i].problem && slice_is(list.v[i].target, env->target->shown)) {
			*out = list.v[i];
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "there is no snapshot of %s", env->target->shown);
}

/* ---- prune ---- */

static int too_old(const struct snapshot_info *s, int64_t days)
{
	int64_t made = 0;
	return datetime_parse(s->created, &made) && (clock_utc_us() - made) / DAY_US >= days;
}

static int add_work(const struct snapshot_env *env, struct arena *a, struct snapshot_list *out, struct err *err)
{
	struct snapshot_info one = {.name = SLICE("copy"), .created = SLICE(""), .is_work = 1};
	int rc = workshop_leftovers(env, a, &one.path, err);
	one.problem = "left by a copy that was ended";
	if (rc == 0 && one.path.len)
		ARENA_PUSH(a, out, one);
	return rc;
}

/* With both options a snapshot goes only when both say so. A damaged one is left for people to look at. */
int snapshot_prune_plan(const struct snapshot_env *env, const struct snapshot_prune_options *o, struct arena *a,
			struct snapshot_list *out, struct err *err)
{
	struct snapshot_list list;
	int64_t newer = 0;
	*out = (struct snapshot_list){0};
	if (snapshot_list(env, a, &list, err))
		return err->code;
	for (size_t i = list.n; i-- > 0;) {
		struct snapshot_info *s = &list.v[i];
		int goes = ends_with(s->name, SLICE(PARTIAL_SUFFIX));
		if (!s->problem) {
			newer++;
			goes = (o->keep || o->older_than) && (!o->keep || newer > o->keep) &&
			       (!o->older_than || too_old(s, o->older_than));
		}
		if (goes)
			ARENA_PUSH(a, out, *s);
	}
	return add_work(env, a, out, err);
}

static int drop_kept(const struct snapshot_env *env, const struct snapshot_info *s, struct err *err)
{
	struct slice kept = json_get_text(&s->manifest, "kept_database");
	struct link *l = NULL;
	if (!kept.ptr)
		return 0;
	if (!env->target) {
		err_set(err, ERR_USAGE, "snapshot %.*s is a database in the server", SLICE_ARG(s->name));
		return err_hint(err, "give --target URL, so that it can be dropped");
	}
	int rc = database_server_link(&l, env->target, err);
	if (rc == 0)
		rc = database_drop(l, kept, err);
	link_close(l);
	return rc;
}

/* The manifest's digest goes first: what is half removed is no snapshot. */
int snapshot_remove(const struct snapshot_env *env, const struct snapshot_info *s, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct place p;
	const char *path = arena_str(&a, s->path);
	if (s->is_work) {
		int swept = workshop_sweep(env, &a, err);
		arena_release(&a);
		return swept;
	}
	/* Opening sweeps away what is unfinished. */
	int rc = place_open(place_dir(env, &a), "prune", &a, &p, err);
	if (rc == 0)
		rc = drop_kept(env, s, err);
	if (rc == 0)
		rc = files_remove_tree(arena_printf(&a, "%s/" MANIFEST_SHA_FILE, path).ptr, err);
	if (rc == 0)
		rc = files_remove_tree(path, err);
	place_close(&p);
	arena_release(&a);
	return rc;
}
