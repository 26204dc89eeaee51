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

/* ---- one file after another ---- */

#define MAX_DEPTH 64

struct level { /* of a directory that is being read */
	git_tree *tree;
	size_t next, path_len;
};

struct audit_cursor {
	struct audit *t;
	char *prefix;
	struct level levels[MAX_DEPTH];
	int n_levels;
	struct buf path;
	git_odb_object *object; /* of the file told last */
};

static struct slice last_error(void)
{
	const git_error *said = git_error_last();
	return slice_of(said && said->message ? said->message : "cannot be read");
}

static void enter(struct audit_cursor *c, git_tree *tree)
{
	c->levels[c->n_levels++] = (struct level){tree, 0, c->path.len};
}

static void leave(struct audit_cursor *c)
{
	git_tree_free(c->levels[--c->n_levels].tree);
}

int audit_cursor_open(struct audit_cursor **out, struct audit *t, struct slice prefix, struct err *err)
{
	struct audit_cursor *c = calloc(1, sizeof(*c));
	git_tree *tree = NULL;
	int rc = c ? head_tree(t, &tree, err) : err_set(err, ERR_INTERNAL, "out of memory");
	*out = NULL;
	if (rc) {
		free(c);
		return rc;
	}
	c->t = t;
	c->path = (struct buf)BUF_INIT(SIZE_MAX / 2);
	c->prefix = arena_str(&t->memory, prefix);
	if (tree)
		enter(c, tree);
	*out = c;
	return 0;
}

void audit_cursor_close(struct audit_cursor *c)
{
	if (!c)
		return;
	while (c->n_levels)
		leave(c);
	git_odb_object_free(c->object);
	buf_release(&c->path);
	free(c);
}

/* May something below or at the path begin with the prefix? */
static int is_wanted(const struct audit_cursor *c)
{
	struct slice path = buf_slice(&c->path), prefix = slice_of(c->prefix);
	return path.len < prefix.len ? slice_starts(prefix, path) : slice_starts(path, prefix);
}

static void read_file(struct audit_cursor *c, const git_oid *id, struct audit_file *out)
{
	if (git_odb_read(&c->object, c->t->odb, id))
		out->why = last_error();
	else
		out->bytes = (struct slice){git_odb_object_data(c->object), git_odb_object_size(c->object)};
}

/* A directory is entered; a file, or a directory that cannot be read, is told: 1. */
static int tell_entry(struct audit_cursor *c, const git_tree_entry *e, struct audit_file *out)
{
	git_tree *tree = NULL;
	*out = (struct audit_file){0};
	if (git_tree_entry_type(e) != GIT_OBJECT_TREE)
		read_file(c, git_tree_entry_id(e), out);
	else if (git_tree_lookup(&tree, c->t->repo, git_tree_entry_id(e)))
		out->why = last_error();
	else if (c->n_levels == MAX_DEPTH)
		out->why = SLICE("directories lie too deep");
	else {
		buf_ch(&c->path, '/');
		enter(c, tree);
		return 0;
	}
	git_tree_free(tree);
	out->path = buf_slice(&c->path);
	return 1;
}

int audit_cursor_next(struct audit_cursor *c, struct audit_file *out, int *more, struct err *err)
{
	git_odb_object_free(c->object);
	c->object = NULL;
	*more = 0;
	while (!*more && c->n_levels) {
		struct level *l = &c->levels[c->n_levels - 1];
		if (l->next == git_tree_entrycount(l->tree)) {
			leave(c);
			continue;
		}
		const git_tree_entry *e = git_tree_entry_byindex(l->tree, l->next++);
		c->path.len = l->path_len;
		buf_str(&c->path, git_tree_entry_name(e));
		*more = is_wanted(c) && tell_entry(c, e, out);
	}
	return buf_check(&c->path, "a path of the audit trail", err);
}

/* ---- what is no longer in force ---- */

struct history {
	struct audit *t;
	audit_damage_fn *fn;
	void *ctx;
	struct err *err;
	char commit[AUDIT_ID_SIZE];
	struct buf path;
};

static int tell_damage(struct history *h)
{
	return h->fn(h->ctx, h->commit, buf_slice(&h->path), last_error(), h->err);
}

static int check_file(struct history *h, const git_oid *id)
{
	git_odb_object *object = NULL;
	int rc = git_odb_read(&object, h->t->odb, id) ? tell_damage(h) : 0;
	git_odb_object_free(object);
	return rc;
}

static int check_lost(struct history *h, const git_oid *before, const git_oid *after, int depth);

/* What stood in `before` and is another, or gone, in `after` (NULL: all of it). */
static int check_entries(struct history *h, const git_tree *before, const git_tree *after, int depth)
{
	size_t n = git_tree_entrycount(before), len = h->path.len;
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const git_tree_entry *old = git_tree_entry_byindex(before, i);
		const git_tree_entry *now = after ? git_tree_entry_byname(after, git_tree_entry_name(old)) : NULL;
		int goes_on = now && git_tree_entry_type(now) == GIT_OBJECT_TREE;
		if (now && git_oid_equal(git_tree_entry_id(now), git_tree_entry_id(old)))
			continue;
		buf_str(&h->path, git_tree_entry_name(old));
		if (git_tree_entry_type(old) == GIT_OBJECT_TREE)
			rc = check_lost(h, git_tree_entry_id(old), goes_on ? git_tree_entry_id(now) : NULL, depth + 1);
		else
			rc = check_file(h, git_tree_entry_id(old));
		h->path.len = len;
	}
	return rc;
}

static int check_lost(struct history *h, const git_oid *before, const git_oid *after, int depth)
{
	git_tree *old = NULL, *now = NULL;
	int rc = 0;
	/* What cannot be read of the newer side is told where it is the older one, or in force. */
	if (after && git_tree_lookup(&now, h->t->repo, after))
		now = NULL;
	if (depth == MAX_DEPTH || git_tree_lookup(&old, h->t->repo, before)) {
		rc = tell_damage(h);
	} else {
		if (h->path.len)
			buf_ch(&h->path, '/');
		rc = check_entries(h, old, now, depth);
	}
	git_tree_free(old);
	git_tree_free(now);
	return rc;
}

int audit_history(struct audit *t, audit_damage_fn *fn, void *ctx, struct err *err)
{
	struct history h = {.t = t, .fn = fn, .ctx = ctx, .err = err, .path = BUF_INIT(SIZE_MAX / 2)};
	git_oid id, tree, newer;
	int has, has_newer = 0, rc = audit_head_oid(t, &id, &has, err);
	while (rc == 0 && has) {
		git_commit *c = NULL;
		rc = lookup(t, &id, &c, err);
		if (rc)
			break;
		tree = *git_commit_tree_id(c);
		git_oid_tostr(h.commit, sizeof(h.commit), &id);
		if (has_newer && !git_oid_equal(&tree, &newer))
			rc = check_lost(&h, &tree, &newer, 0);
		newer = tree;
		has_newer = 1;
		has = git_commit_parentcount(c) > 0;
		if (has)
			id = *git_commit_parent_id(c, 0);
		git_commit_free(c);
	}
	buf_release(&h.path);
	return rc;
}

/* ---- what a commit changed ---- */

struct deltas {
	audit_change_fn *fn;
	void *ctx;
	struct err *err;
};

static int one_delta(const git_diff_delta *d, float progress, void *ctx)
{
	struct deltas *f = ctx;
	const char *how = d->status == GIT_DELTA_ADDED     ? "added"
			  : d->status == GIT_DELTA_DELETED ? "removed"
							   : "changed";
	(void)progress;
	return f->fn(f->ctx, slice_of(d->new_file.path), slice_of(how), f->err) ? GIT_EUSER : 0;
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

int audit_changes(struct audit *t, const char *id, audit_change_fn *fn, void *ctx, struct err *err)
{
	struct deltas f = {.fn = fn, .ctx = ctx, .err = err};
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
