/* edit.c: new leaves, from clients and from replicators. Attachments are in attachments.c. */
#include "config.h"

#include "tests/server/edit.h"

#include "tests/server/attachments.h"
#include "tests/server/md5.h"

static struct buf unbounded(void)
{
	return (struct buf)BUF_INIT(SIZE_MAX / 2);
}

/* The heap text of a buffer; the buffer is spent. */
static char *buf_taken(struct buf *b)
{
	char *text = (char *)xslice(buf_slice(b)).ptr;

	buf_release(b);
	return text;
}

/* Revision ids depend on the content and on what came before, and on nothing else. */
static void rev_id_of(const struct doc_parts *parts, const struct leaf *parent, const struct leaf *made,
		      char hex[MD5_HEX_SIZE])
{
	struct md5 m;

	md5_init(&m);
	md5_add(&m, parts->deleted ? SLICE("deleted") : SLICE("alive"));
	if (parent)
		md5_add(&m, leaf_rev_id(parent));
	md5_add(&m, parts->members);
	for (size_t i = 0; i < made->att_count; i++) {
		md5_add(&m, made->atts[i].name);
		md5_add(&m, made->atts[i].digest);
	}
	md5_end_hex(&m, hex);
}

static void write_as_is(struct leaf *leaf, struct slice text)
{
	leaf->as_is = 1;
	leaf->text = (char *)xslice(text).ptr;
	leaf->text_len = leaf->core_len = text.len;
}

/* The ready-made text; path, gen and attachments are set already. */
static void write_text(struct leaf *leaf, const struct doc *doc, const struct doc_parts *parts)
{
	struct buf text = unbounded();

	buf_str(&text, "{\"_id\":");
	buf_adds(&text, doc->id_json);
	buf_str(&text, ",\"_rev\":\"");
	leaf_rev(leaf, &text);
	buf_ch(&text, '"');
	if (parts->members.len) {
		buf_ch(&text, ',');
		buf_adds(&text, parts->members);
	}
	if (leaf->deleted)
		buf_str(&text, ",\"_deleted\":true");
	leaf->core_len = text.len;
	attachments_write(leaf, ATTACHMENTS_STUBS, &text);
	buf_ch(&text, '}');
	leaf->text_len = text.len;
	leaf->text = buf_taken(&text);
}

static void journal_as_is(struct editor *e, const struct db *db, const struct doc_parts *parts)
{
	struct buf text = unbounded();

	buf_adds(&text, parts->id);
	buf_ch(&text, 0);
	buf_adds(&text, parts->rev);
	buf_ch(&text, 0);
	buf_adds(&text, parts->as_is);
	journal_add(e->journal, &(struct journal_record){JOURNAL_AS_IS, (uint64_t)parts->deleted, slice_of(db->name),
							 buf_slice(&text)});
	buf_release(&text);
}

/* As a replicator would send it, so that the journal is replayed by edit_replicate. */
static void journal_leaf(struct editor *e, const struct db *db, const struct leaf *leaf)
{
	struct buf text = unbounded();

	if (!e->journal)
		return;
	buf_add(&text, leaf->text, leaf->core_len);
	buf_fmt(&text, ",\"_revisions\":{\"start\":%llu,\"ids\":[%s]}", (unsigned long long)leaf->gen, leaf->path);
	attachments_write(leaf, ATTACHMENTS_DATA, &text);
	buf_ch(&text, '}');
	journal_add(e->journal, &(struct journal_record){
				    .type = JOURNAL_REVISION, .db = slice_of(db->name), .text = buf_slice(&text)});
	buf_release(&text);
}

static void put_leaf(struct editor *e, struct db *db, const struct doc_parts *parts, struct leaf *leaf,
		     struct leaf *parent)
{
	struct doc *doc = db_doc_make(db, parts->id);

	leaf->deleted = parts->deleted;
	leaf->rev_len = (size_t)(strchr(leaf->path + 1, '"') - leaf->path - 1);
	if (parts->as_is.ptr) {
		write_as_is(leaf, parts->as_is);
		journal_as_is(e, db, parts);
	} else {
		write_text(leaf, doc, parts);
		journal_leaf(e, db, leaf);
	}
	db_put_leaf(e->store, db, doc, leaf, parent);
}

/* Which leaf a client's edit stands on. */
static const struct refusal *find_parent(const struct doc *doc, struct slice rev, struct leaf **parent)
{
	uint64_t gen;
	struct slice id;

	*parent = NULL;
	if (rev.ptr && rev_parse(rev, &gen, &id))
		return &refusal_bad_rev;
	if (rev.ptr) {
		*parent = doc ? doc_leaf(doc, gen, id) : NULL;
		return *parent ? NULL : &refusal_conflict;
	}
	if (!doc)
		return NULL;
	if (!doc->leaves->deleted)
		return &refusal_conflict;
	*parent = doc->leaves;
	return NULL;
}

const struct refusal *edit_put(struct editor *e, struct db *db, const struct doc_parts *parts, const struct leaf **made)
{
	struct leaf *parent, *leaf;
	struct buf path = unbounded();
	char rev_id[MD5_HEX_SIZE];
	const struct refusal *no = find_parent(db_doc(db, parts->id), parts->rev, &parent);

	if (no)
		return no;
	leaf = xalloc(sizeof(*leaf));
	leaf->gen = parent ? parent->gen + 1 : 1;
	no = attachments_read(leaf, &parts->atts, parent, ATTACHMENTS_OF_CLIENT, e->arena);
	if (no) {
		leaf_free(leaf);
		return no;
	}
	rev_id_of(parts, parent, leaf, rev_id);
	buf_fmt(&path, "\"%s\"%s%s", rev_id, parent ? "," : "", parent ? parent->path : "");
	leaf->path = buf_taken(&path);
	put_leaf(e, db, parts, leaf, parent);
	*made = leaf;
	return NULL;
}

/*
 * Looks along the given path for a leaf that this revision continues. *path gets the whole history: what was given up
 * to that leaf, then what the leaf knows.
 */
static struct leaf *continued(const struct doc *doc, uint64_t gen, struct slice given, struct buf *path)
{
	const char *at = given.ptr, *end = given.ptr + given.len;

	for (; doc && gen && at < end; gen--) {
		const char *quote = memchr(at + 1, '"', (size_t)(end - at - 1));
		struct leaf *leaf = doc_leaf(doc, gen, (struct slice){at + 1, (size_t)(quote - at - 1)});

		if (leaf) {
			buf_add(path, given.ptr, (size_t)(at - given.ptr));
			buf_str(path, leaf->path);
			return leaf;
		}
		at = quote + 2;
	}
	buf_adds(path, given);
	return NULL;
}

/* The history a replicator gives: _revisions, or the revision alone. */
static const struct refusal *history(const struct doc_parts *parts, struct arena *a, uint64_t *gen, struct slice *id,
				     struct slice *path)
{
	struct slice rev = parts->rev;
	const char *quote;

	if (!parts->path.ptr) {
		if (!rev.ptr || rev_parse(rev, gen, id))
			return &refusal_bad_rev;
		*path = arena_printf(a, "\"%.*s\"", SLICE_ARG(*id));
		return NULL;
	}
	quote = memchr(parts->path.ptr + 1, '"', parts->path.len - 1);
	*id = (struct slice){parts->path.ptr + 1, (size_t)(quote - parts->path.ptr - 1)};
	*gen = parts->gen;
	*path = parts->path;
	return memchr(path->ptr, '\\', path->len) || id->len == 0 ? &refusal_bad_rev : NULL;
}

const struct refusal *edit_replicate(struct editor *e, struct db *db, const struct doc_parts *parts)
{
	const struct doc *doc = db_doc(db, parts->id);
	struct leaf *leaf, *parent;
	struct buf whole = unbounded();
	struct slice id, path;
	uint64_t gen;
	const struct refusal *no = history(parts, e->arena, &gen, &id, &path);

	if (no || (doc && doc_knows(doc, gen, id)))
		return no;
	parent = continued(doc, gen, path, &whole);
	leaf = xalloc(sizeof(*leaf));
	leaf->gen = gen;
	leaf->path = buf_taken(&whole);
	no = attachments_read(leaf, &parts->atts, parent, ATTACHMENTS_OF_REPLICATOR, e->arena);
	if (no) {
		leaf_free(leaf);
		return no;
	}
	put_leaf(e, db, parts, leaf, parent);
	return NULL;
}

static void render_conflicts(const struct doc *doc, const struct leaf *shown, int deleted, const char *key,
			     struct buf *out)
{
	const char *lead = key;

	for (const struct leaf *leaf = doc->leaves; leaf; leaf = leaf->next) {
		if (leaf == shown || leaf->deleted != deleted)
			continue;
		buf_str(out, lead);
		leaf_rev(leaf, out);
		buf_ch(out, '"');
		lead = ",\"";
	}
	if (lead != key)
		buf_ch(out, ']');
}

static void render_revs_info(const struct leaf *leaf, struct buf *out)
{
	const char *at = leaf->path;

	buf_str(out, ",\"_revs_info\":[");
	for (uint64_t gen = leaf->gen; gen; gen--) {
		const char *quote = strchr(at + 1, '"');

		buf_fmt(out, "{\"rev\":\"%llu-%.*s\",\"status\":\"%s\"}", (unsigned long long)gen,
			(int)(quote - at - 1), at + 1, gen == leaf->gen ? "available" : "missing");
		if (quote[1] != ',')
			break;
		buf_ch(out, ',');
		at = quote + 2;
	}
	buf_ch(out, ']');
}

void leaf_render(const struct doc *doc, const struct leaf *leaf, unsigned flags, struct buf *out)
{
	if (!flags || leaf->as_is) {
		buf_add(out, leaf->text, leaf->text_len);
		return;
	}
	buf_add(out, leaf->text, leaf->core_len);
	if (flags & RENDER_REVS)
		buf_fmt(out, ",\"_revisions\":{\"start\":%llu,\"ids\":[%s]}", (unsigned long long)leaf->gen,
			leaf->path);
	if (flags & RENDER_REVS_INFO)
		render_revs_info(leaf, out);
	if (flags & RENDER_CONFLICTS)
		render_conflicts(doc, leaf, 0, ",\"_conflicts\":[\"", out);
	if (flags & RENDER_DELETED_CONFLICTS)
		render_conflicts(doc, leaf, 1, ",\"_deleted_conflicts\":[\"", out);
	attachments_write(leaf, flags & RENDER_ATTACHMENTS ? ATTACHMENTS_DATA : ATTACHMENTS_STUBS, out);
	buf_ch(out, '}');
}
