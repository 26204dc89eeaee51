/* Changed paths and the tree before -> the tree after. Only directories on the way to a change are read and written. */
#include "config.h"

#include "audit/audit_internal.h"

#include <stdlib.h>

struct item { /* of one directory */
	const char *name;
	size_t len;
	git_filemode_t mode;
	git_oid id;
};
struct items {
	struct item *v;
	size_t n, cap;
};

struct builder {
	git_repository *repo;
	struct pack *pack;
	struct changes *changes;
	struct change at; /* the next one that is not built in, while more */
	int more;
	struct err *err;
};

/* Git's order: a directory counts as if its name ended in '/'. */
static int item_order(const void *left, const void *right)
{
	const struct item *x = left, *y = right;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->name, y->name, n);
	if (c)
		return c;
	unsigned char cx = n < x->len ? (unsigned char)x->name[n] : x->mode == GIT_FILEMODE_TREE ? '/' : 0;
	unsigned char cy = n < y->len ? (unsigned char)y->name[n] : y->mode == GIT_FILEMODE_TREE ? '/' : 0;
	return (cx > cy) - (cx < cy);
}

static void load_items(const git_tree *tree, struct arena *a, struct items *out)
{
	size_t n = tree ? git_tree_entrycount(tree) : 0;
	for (size_t i = 0; i < n; i++) {
		const git_tree_entry *e = git_tree_entry_byindex(tree, i);
		struct slice name = arena_slice(a, slice_of(git_tree_entry_name(e)));
		struct item item = {name.ptr, name.len, git_tree_entry_filemode(e), *git_tree_entry_id(e)};
		ARENA_PUSH(a, out, item);
	}
}

static int name_order(const void *left, const void *right)
{
	const struct item *x = left, *y = right;
	return slice_cmp((struct slice){x->name, x->len}, (struct slice){y->name, y->len});
}

/* Among the first n, which are in order of name. */
static struct item *find_item(struct items *items, size_t n, const char *name, size_t len)
{
	struct item key = {.name = name, .len = len};
	return n ? bsearch(&key, items->v, n, sizeof(key), name_order) : NULL;
}

static int write_items(struct builder *b, struct items *items, git_oid *out)
{
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	size_t n = 0;
	for (size_t i = 0; i < items->n; i++)
		if (!git_oid_is_zero(&items->v[i].id))
			items->v[n++] = items->v[i];
	items->n = n;
	*out = (git_oid){{0}};
	if (n == 0)
		return 0;
	qsort(items->v, n, sizeof(*items->v), item_order);
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&bytes, "%o ", (unsigned)items->v[i].mode);
		buf_add(&bytes, items->v[i].name, items->v[i].len);
		buf_ch(&bytes, 0);
		buf_add(&bytes, items->v[i].id.id, sizeof(items->v[i].id.id));
	}
	int rc = pack_add(b->pack, GIT_OBJECT_TREE, buf_slice(&bytes), out, b->err);
	buf_release(&bytes);
	return rc;
}

static int build(struct builder *b, const git_oid *base, struct slice dir, git_oid *out);

static int below(const struct builder *b, struct slice dir)
{
	return b->more && slice_starts(b->at.path, dir);
}

/* Takes in the next change, and with a directory all that are below it. */
static int change_item(struct builder *b, const struct item *old, struct slice path, int is_dir, struct item *item)
{
	const git_oid *base = old && old->mode == GIT_FILEMODE_TREE ? &old->id : NULL;
	if (is_dir) {
		item->mode = GIT_FILEMODE_TREE;
		return build(b, base, path, &item->id);
	}
	item->mode = GIT_FILEMODE_BLOB;
	item->id = b->at.removed ? (git_oid){{0}} : b->at.id;
	return changes_next(b->changes, &b->at, &b->more, b->err);
}

static int change_items(struct builder *b, struct items *items, struct arena *a, struct slice dir)
{
	size_t n = items->n;
	if (n)
		qsort(items->v, n, sizeof(*items->v), name_order);
	while (below(b, dir)) {
		size_t rest = b->at.path.len - dir.len;
		const char *name = b->at.path.ptr + dir.len, *slash = memchr(name, '/', rest);
		size_t len = slash ? (size_t)(slash - name) : rest;
		struct slice path = arena_slice(a, (struct slice){b->at.path.ptr, dir.len + len + (slash ? 1 : 0)});
		struct item item = {.name = path.ptr + dir.len, .len = len};
		struct item *old = find_item(items, n, item.name, item.len);
		int rc = change_item(b, old, path, slash != NULL, &item);
		if (rc)
			return rc;
		if (old)
			*old = item;
		else
			ARENA_PUSH(a, items, item);
	}
	return 0;
}

/* dir: "" or a path that ends in '/'. */
static int build(struct builder *b, const git_oid *base, struct slice dir, git_oid *out)
{
	struct arena a = ARENA_INIT;
	struct items items = {0};
	git_tree *tree = NULL;
	int rc = 0;
	if (base) {
		rc = git_tree_lookup(&tree, b->repo, base);
		if (rc)
			return audit_git_err(b->err, rc, "cannot read a tree of the audit trail");
	}
	load_items(tree, &a, &items);
	git_tree_free(tree);
	rc = change_items(b, &items, &a, dir);
	if (rc == 0)
		rc = write_items(b, &items, out);
	arena_release(&a);
	return rc;
}

int tree_build(git_repository *repo, struct pack *p, const git_oid *base, struct changes *changes, git_oid *out,
	       struct err *err)
{
	struct builder b = {.repo = repo, .pack = p, .changes = changes, .err = err};
	int rc = changes_first(changes, &b.at, &b.more, err);
	if (rc == 0)
		rc = build(&b, base, SLICE(""), out);
	if (rc == 0 && git_oid_is_zero(out))
		rc = pack_add(p, GIT_OBJECT_TREE, SLICE(""), out, err);
	return rc;
}
