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
	struct change *const *v;
	struct err *err;
};

static int path_order(const void *left, const void *right)
{
	const struct change *x = *(struct change *const *)left, *y = *(struct change *const *)right;
	int c = strcmp(x->path, y->path);
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

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

static int build(struct builder *b, const git_oid *base, size_t from, size_t to, size_t skip, git_oid *out);

/* The changes from `from` on whose part after `skip` bytes of the path begins with the same name. */
static size_t group_end(const struct builder *b, size_t from, size_t to, size_t skip, size_t len)
{
	size_t end = from + 1;
	while (end < to && strncmp(b->v[end]->path + skip, b->v[from]->path + skip, len) == 0 &&
	       (b->v[end]->path[skip + len] == '/' || b->v[end]->path[skip + len] == 0))
		end++;
	return end;
}

/* The last change of a path counts. */
static int change_item(struct builder *b, const struct item *old, size_t from, size_t end, size_t skip,
		       struct item *item)
{
	const struct change *last = b->v[end - 1];
	const git_oid *base = old && old->mode == GIT_FILEMODE_TREE ? &old->id : NULL;
	if (b->v[from]->path[skip + item->len] == '/') {
		item->mode = GIT_FILEMODE_TREE;
		return build(b, base, from, end, skip + item->len + 1, &item->id);
	}
	item->mode = GIT_FILEMODE_BLOB;
	item->id = last->removed ? (git_oid){{0}} : last->id;
	return 0;
}

static int change_items(struct builder *b, struct items *items, struct arena *a, size_t from, size_t to, size_t skip)
{
	size_t n = items->n;
	if (n)
		qsort(items->v, n, sizeof(*items->v), name_order);
	while (from < to) {
		const char *name = b->v[from]->path + skip;
		struct item item = {.name = name, .len = strcspn(name, "/")};
		size_t end = group_end(b, from, to, skip, item.len);
		struct item *old = find_item(items, n, item.name, item.len);
		int rc = change_item(b, old, from, end, skip, &item);
		if (rc)
			return rc;
		if (old)
			*old = item;
		else
			ARENA_PUSH(a, items, item);
		from = end;
	}
	return 0;
}

static int build(struct builder *b, const git_oid *base, size_t from, size_t to, size_t skip, git_oid *out)
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
	rc = change_items(b, &items, &a, from, to, skip);
	if (rc == 0)
		rc = write_items(b, &items, out);
	arena_release(&a);
	return rc;
}

int tree_build(git_repository *repo, struct pack *p, const git_oid *base, struct changes *changes, git_oid *out,
	       struct err *err)
{
	struct builder b = {.repo = repo, .pack = p, .v = changes->v, .err = err};
	int rc;
	if (changes->n)
		qsort(changes->v, changes->n, sizeof(*changes->v), path_order);
	rc = build(&b, base, 0, changes->n, 0, out);
	if (rc == 0 && git_oid_is_zero(out))
		rc = pack_add(p, GIT_OBJECT_TREE, SLICE(""), out, err);
	return rc;
}
