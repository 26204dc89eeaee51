/*
 * Any bytes as a changes feed: delivered at once and in pieces they give the same rows and the same end, and every row
 * is where it says. The first byte chooses the size of the pieces and the row limit.
 */
#include "couch/couch_internal.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

struct piecewise {
	struct feed_input in;
	struct slice left;
	size_t piece;
};

static int read_piece(struct feed_input *in, char *room, size_t size, size_t *got, struct err *err)
{
	struct piecewise *p = (struct piecewise *)in;
	(void)err;
	*got = p->piece < size ? p->piece : size;
	if (*got > p->left.len)
		*got = p->left.len;
	if (*got)
		memcpy(room, p->left.ptr, *got);
	p->left = (struct slice){p->left.ptr + *got, p->left.len - *got};
	in->raw_bytes += *got;
	return 0;
}

static void close_nothing(struct feed_input *in)
{
	(void)in;
}

static void add(struct buf *out, const char *name, struct slice s)
{
	buf_fmt(out, " %s=%zu:", name, s.len);
	buf_adds(out, s);
}

static void check_row(const struct couch_row *row, struct slice feed)
{
	check(row->offset + row->length <= feed.len);
	check(row->too_large ? !row->text.ptr : row->text.len == row->length);
	if (!row->too_large)
		check(memcmp(row->text.ptr, feed.ptr + row->offset, row->text.len) == 0);
	check(row->seq.ptr != NULL);
}

/* What the feed gives, as text. Errors count by their code: where a message says how far it read may differ. */
static void tell(struct slice feed, size_t piece, size_t max_row, struct buf *out)
{
	static const struct url url = {.scheme = URL_STDIN, .shown = "file:-"};
	struct couch_options o = {.url = &url};
	struct piecewise p = {
	    .in = {.read = read_piece, .close = close_nothing, .size = -1}, .left = feed, .piece = piece};
	struct couch_feed *f = NULL;
	struct couch_row row;
	enum couch_next what = COUCH_END;
	int rc = couch_feed_over(&f, &o, max_row, &p.in, NULL);
	while (!rc && (rc = couch_feed_next(f, &what, &row, NULL)) == 0 && what == COUCH_ROW) {
		check_row(&row, feed);
		buf_fmt(out, "%d%d%d %zu", row.deleted, row.too_large, row.malformed, (size_t)row.offset);
		add(out, "seq", row.seq);
		add(out, "id", row.id);
		add(out, "rev", row.rev);
		add(out, "doc", row.doc);
	}
	buf_fmt(out, "end %d", rc);
	couch_feed_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf at_once = BUF_INIT(SIZE_MAX / 2), pieces = BUF_INIT(SIZE_MAX / 2);
	if (size < 1)
		return 0;
	struct slice feed = {(const char *)data + 1, size - 1};
	size_t piece = 1 + (data[0] & 15), max_row = data[0] & 128 ? 64 : 0;
	tell(feed, SIZE_MAX, max_row, &at_once);
	tell(feed, piece, max_row, &pieces);
	check(slice_eq(buf_slice(&at_once), buf_slice(&pieces)));
	buf_release(&at_once);
	buf_release(&pieces);
	return 0;
}
