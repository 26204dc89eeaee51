/* revision.c: leaves and revision names. */
#include "config.h"

#include "tests/server/store.h"

#include <stdlib.h>

#define GEN_DIGITS_MAX 18

void leaf_free(struct leaf *leaf)
{
	if (!leaf)
		return;
	for (size_t i = 0; i < leaf->att_count; i++) {
		free((char *)leaf->atts[i].name.ptr);
		free((char *)leaf->atts[i].type_json.ptr);
		free((char *)leaf->atts[i].digest.ptr);
		free((char *)leaf->atts[i].data.ptr);
	}
	free(leaf->atts);
	free(leaf->path);
	free(leaf->text);
	free(leaf);
}

void leaf_rev(const struct leaf *leaf, struct buf *out)
{
	buf_u64(out, leaf->gen);
	buf_ch(out, '-');
	buf_adds(out, leaf_rev_id(leaf));
}

struct leaf *doc_leaf(const struct doc *doc, uint64_t gen, struct slice rev_id)
{
	for (struct leaf *leaf = doc->leaves; leaf; leaf = leaf->next)
		if (leaf->gen == gen && slice_eq(leaf_rev_id(leaf), rev_id))
			return leaf;
	return NULL;
}

/* The id that stands `steps` generations above the leaf, or SLICE_NONE past the end of what is known. */
static struct slice ancestor(const struct leaf *leaf, uint64_t steps)
{
	const char *at = leaf->path;

	for (; steps; steps--) {
		at = strchr(at + 1, '"') + 1;
		if (*at != ',')
			return SLICE_NONE;
		at++;
	}
	return (struct slice){at + 1, (size_t)(strchr(at + 1, '"') - at - 1)};
}

int doc_knows(const struct doc *doc, uint64_t gen, struct slice rev_id)
{
	for (const struct leaf *leaf = doc->leaves; leaf; leaf = leaf->next) {
		struct slice at;

		if (leaf->gen < gen)
			continue;
		at = ancestor(leaf, leaf->gen - gen);
		if (at.ptr && slice_eq(at, rev_id))
			return 1;
	}
	return 0;
}

static int id_is_plain(struct slice id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.ptr[i] == '"' || id.ptr[i] == '\\' || (unsigned char)id.ptr[i] < 0x20)
			return 0;
	return id.len > 0;
}

int rev_parse(struct slice rev, uint64_t *gen, struct slice *id)
{
	size_t i = 0;

	*gen = 0;
	for (; i < rev.len && i < GEN_DIGITS_MAX && rev.ptr[i] >= '0' && rev.ptr[i] <= '9'; i++)
		*gen = *gen * 10 + (uint64_t)(rev.ptr[i] - '0');
	if (i == 0 || *gen == 0 || i + 1 >= rev.len || rev.ptr[i] != '-')
		return -1;
	*id = (struct slice){rev.ptr + i + 1, rev.len - i - 1};
	return id_is_plain(*id) ? 0 : -1;
}
