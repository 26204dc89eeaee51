/* Reading the trail: commits, files, what a commit changed. */
#include "config.h"

#include "audit/audit_internal.h"

#include <stdlib.h>

/* ---- messages ---- */

/* The last line "Settle-KEY: value" of the message. */
struct slice audit_trailer_get(struct slice message, const char *key)
{
	struct slice found = SLICE_NONE;
	size_t at = 0, n = strlen(key);
	while (at < message.len) {
		const char *line = message.ptr + at, *nl = memchr(line, '\n', message.len - at);
		size_t len = nl ? (size_t)(nl - line) : message.len - at;
		if (len >= n + 9 && memcmp(line, "Settle-", 7) == 0 && memcmp(line + 7, key, n) == 0 &&
		    memcmp(line + 7 + n, ": ", 2) == 0)
			found = (struct slice){line + n + 9, len - n - 9};
		at += len + 1;
	}
	return found;
}

static void fill_entry(const git_commit *c, struct audit_entry *e)
{
	const git_signature *who = git_commit_author(c);
	struct slice message = slice_of(git_commit_message(c));
	size_t line = message.ptr ? strcspn(message.ptr, "\n") : 0;
	git_oid_tostr(e->id, sizeof(e->id), git_commit_id(c));
	e->n_parents = (int)git_commit_parentcount(c);
	e->time = git_commit_time(c);
	e->author = slice_of(who ? who->name : NULL);
	e->message = message;
	e->subject = (struct slice){message.ptr, line};
	e->event = audit_trailer_get(message, "Event");
	e->domain = audit_trailer_get(message, "Domain");
	e->status = audit_trailer_get(message, "Status");
}

/* ---- commits ---- */

static int lookup(struct audit *t, const git_oid *id, git_commit **out, struct err *err)
{
	char hex[AUDIT_ID_SIZE];
	int rc = git_commit_lookup(out, t->repo, id);
	if (rc == 0)
		return 0;
	audit_git_err(err, rc, "cannot read a commit of the audit trail");
	return err_prefix(err, "commit %s", git_oid_tostr(hex, sizeof(hex), id));
}

int audit_walk(struct audit *t, audit_entry_fn *fn, void *ctx, struct err *err)
{
	git_commit *c = NULL;
	struct audit_entry e;
	git_oid id;
	int has, rc = audit_head_oid(t, &id, &has, err);
	while (rc == 0 && has) {
		rc = lookup(t, &id, &c, err);
		if (rc)
			break;
		fill_entry(c, &e);
		rc = fn(ctx, &e, err);
		has = git_commit_parentcount(c) > 0;
		if (has)
			id = *git_commit_parent_id(c, 0);
		git_commit_free(c);
	}
	return rc;
}

struct search {
	struct slice prefix;
	struct arena *a;
	struct audit_entry *out;
};

#define FOUND (-1)

static int is_it(void *ctx, const struct audit_entry *e, struct err *err)
{
	struct search *s = ctx;
	(void)err;
	if (!slice_starts(slice_of(e->id), s->prefix))
		return 0;
	*s->out = *e;
	s->out->message = arena_slice(s->a, e->message);
	s->out->author = arena_slice(s->a, e->author);
	s->out->subject = (struct slice){s->out->message.ptr, e->subject.len};
	s->out->event = audit_trailer_get(s->out->message, "Event");
	s->out->domain = audit_trailer_get(s->out->message, "Domain");
	s->out->status = audit_trailer_get(s->out->message, "Status");
	return FOUND;
}

int audit_find(struct audit *t, struct slice prefix, struct arena *a, struct audit_entry *out, struct err *err)
{
	struct search s = {prefix, a, out};
	int rc = prefix.len >= 4 && prefix.len < AUDIT_ID_SIZE ? audit_walk(t, is_it, &s, err) : 0;
	if (rc == FOUND)
		return 0;
	return rc ? rc : err_set(err, ERR_NOTFOUND, "no commit of %s begins with %.*s", t->ref, SLICE_ARG(prefix));
}

/* ---- files ---- */

static int tree_of(struct audit *t, const git_oid *commit, git_tree **out, struct err *err)
{
	git_commit *c = NULL;
	int rc = lookup(t, commit, &c, err);
	if (rc)
		return rc;
	rc = git_commit_tree(out, c);
	git_commit_free(c);
	return rc ? audit_git_err(err, rc, "cannot read a tree of the audit trail") : 0;
}

static int head_tree(struct audit *t, git_tree **out, struct err *err)
{
	git_oid id;
	int has, rc = audit_head_oid(t, &id, &has, err);
	*out = NULL;
	return rc || !has ? rc : tree_of(t, &id, out, err);
}

int audit_read(struct audit *t, struct slice path, struct arena *a, struct slice *bytes, struct err *err)
{
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;
	git_blob *blob = NULL;
	int rc = head_tree(t, &tree, err), git = 0;
	if (rc)
		return rc;
	if (tree && path.len)
		git = git_tree_entry_bypath(&entry, tree, arena_str(a, path));
	if (!tree || path.len == 0 || git == GIT_ENOTFOUND)
		rc = err_set(err, ERR_NOTFOUND, "the audit trail has no %.*s", SLICE_ARG(path));
	else if (git || (git = git_blob_lookup(&blob, t->repo, git_tree_entry_id(entry))) != 0)
		rc = audit_git_err(err, git, "cannot read a file of the audit trail");
	else
		*bytes = arena_slice(a, (struct slice){git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)});
	git_blob_free(blob);
	git_tree_entry_free(entry);
	git_tree_free(tree);
	return rc;
}

struct files {
	struct audit *t;
	struct slice prefix;
	audit_file_fn *fn;
	void *ctx;
	struct err *err;
	struct buf path;
};

/* May something below or at the path begin with the prefix? */
static int is_wanted(const struct files *f)
{
	struct slice path = buf_slice(&f->path);
	return path.len < f->prefix.len ? slice_starts(f->prefix, path) : slice_starts(path, f->prefix);
}

static int tell_damage(struct files *f)
{
	const git_error *said = git_error_last();
	return f->fn(f->ctx, buf_slice(&f->path), SLICE_NONE, slice_of(said ? said->message : "cannot be read"),
		     f->err);
}

static int one_file(struct files *f, const git_oid *id)
{
	git_odb_object *object = NULL;
	struct slice bytes;
	int rc;
	if (git_odb_read(&object, f->t->odb, id))
		return tell_damage(f);
	bytes = (struct slice){git_odb_object_data(object), git_odb_object_size(object)};
	rc = f->fn(f->ctx, buf_slice(&f->path), bytes, SLICE_NONE, f->err);
	git_odb_object_free(object);
	return rc;
}

static int walk_tree(struct files *f, const git_tree *tree);

static int one_entry(struct files *f, const git_tree_entry *e)
{
	git_tree *tree = NULL;
	int rc;
	if (git_tree_entry_type(e) != GIT_OBJECT_TREE)
		return one_file(f, git_tree_entry_id(e));
	if (git_tree_lookup(&tree, f->t->repo, git_tree_entry_id(e)))
		return tell_damage(f);
	buf_ch(&f->path, '/');
	rc = walk_tree(f, tree);
	git_tree_free(tree);
	return rc;
}

static int walk_tree(struct files *f, const git_tree *tree)
{
	size_t n = git_tree_entrycount(tree), len = f->path.len;
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const git_tree_entry *e = git_tree_entry_byindex(tree, i);
		buf_str(&f->path, git_tree_entry_name(e));
		if (is_wanted(f))
			rc = one_entry(f, e);
		f->path.len = len;
		if (f->path.ptr)
			f->path.ptr[len] = 0;
	}
	return rc;
}

int audit_files(struct audit *t, struct slice prefix, audit_file_fn *fn, void *ctx, struct err *err)
{
	struct files f = {.t = t, .prefix = prefix, .fn = fn, .ctx = ctx, .err = err, .path = BUF_INIT(SIZE_MAX / 2)};
	git_tree *tree = NULL;
	int rc = head_tree(t, &tree, err);
	if (rc == 0 && tree)
		rc = walk_tree(&f, tree);
	git_tree_free(tree);
	buf_release(&f.path);
	return rc;
}

/* ---- what a commit changed ---- */

static int one_delta(const git_diff_delta *d, float progress, void *ctx)
{
	struct files *f = ctx;
	const char *how = d->status == GIT_DELTA_ADDED     ? "added"
			  : d->status == GIT_DELTA_DELETED ? "removed"
							   : "changed";
	(void)progress;
	return f->fn(f->ctx, slice_of(d->new_file.path), SLICE_NONE, slice_of(how), f->err) ? GIT_EUSER : 0;
}

static int parent_tree_of(struct audit *t, const git_oid *id, git_tree **out, struct err *err)
{
	git_commit *c = NULL;
	int rc = lookup(t, id, &c, err);
	*out = NULL;
	if (rc == 0 && git_commit_parentcount(c))
		rc = tree_of(t, git_commit_parent_id(c, 0), out, err);
	git_commit_free(c);
	return rc;
}

int audit_changes(struct audit *t, const char *id, audit_file_fn *fn, void *ctx, struct err *err)
{
	struct files f = {.t = t, .fn = fn, .ctx = ctx, .err = err};
	git_tree *before = NULL, *after = NULL;
	git_diff *diff = NULL;
	git_oid oid;
	int git, rc = git_oid_fromstr(&oid, id) ? err_set(err, ERR_NOTFOUND, "%s is no commit", id) : 0;
	if (rc == 0)
		rc = parent_tree_of(t, &oid, &before, err);
	if (rc == 0)
		rc = tree_of(t, &oid, &after, err);
	if (rc == 0 && (git = git_diff_tree_to_tree(&diff, t->repo, before, after, NULL)) != 0)
		rc = audit_git_err(err, git, "cannot compare two trees of the audit trail");
	if (rc == 0 && git_diff_foreach(diff, one_delta, NULL, NULL, NULL, &f))
		rc = err->code ? (int)err->code : audit_git_err(err, 0, "cannot compare two trees of the audit trail");
	git_diff_free(diff);
	git_tree_free(before);
	git_tree_free(after);
	return rc;
}
