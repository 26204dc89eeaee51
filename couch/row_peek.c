#include "couch/couch_internal.h"

void row_peek_init(struct row_peek *p)
{
	*p = (struct row_peek){
	    .key = BUF_INIT(256),
	    .value = BUF_INIT(PEEK_VALUE_MAX),
	    .id = BUF_INIT(PEEK_VALUE_MAX),
	    .seq = BUF_INIT(PEEK_VALUE_MAX),
	    .changes = BUF_INIT(PEEK_VALUE_MAX),
	};
}

void row_peek_release(struct row_peek *p)
{
	buf_release(&p->key);
	buf_release(&p->value);
	buf_release(&p->id);
	buf_release(&p->seq);
	buf_release(&p->changes);
}

static void keep(struct row_peek *p)
{
	static const struct {
		const char *key;
		size_t offset;
	} wanted[] = {
	    {"\"id\"", offsetof(struct row_peek, id)},
	    {"\"seq\"", offsetof(struct row_peek, seq)},
	    {"\"changes\"", offsetof(struct row_peek, changes)},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (p->key.failed || p->value.failed || !slice_is(buf_slice(&p->key), wanted[i].key))
			continue;
		struct buf *to = (struct buf *)((char *)p + wanted[i].offset);
		buf_clear(to);
		buf_adds(to, buf_slice(&p->value));
	}
	buf_clear(&p->key);
	buf_clear(&p->value);
	p->in_value = 0;
}

static void collect(struct row_peek *p, char c)
{
	struct buf *to = p->in_value ? &p->value : &p->key;
	if (!to->failed)
		buf_ch(to, c);
}

static void string_byte(struct row_peek *p, char c)
{
	collect(p, c);
	if (p->escaped)
		p->escaped = 0;
	else if (c == '\\')
		p->escaped = 1;
	else if (c == '"')
		p->in_string = 0;
}

/* Outside strings. Depth 1 is the row's own level: there ':' ends a key, ',' and the last '}' end a value. */
static void plain_byte(struct row_peek *p, char c)
{
	int closes = c == '}' || c == ']';
	if (c == '{' || c == '[') {
		if (p->depth++ > 0)
			collect(p, c);
	} else if (closes && p->depth == 1) {
		keep(p);
		p->depth = 0;
	} else if (c == ',' && p->depth == 1) {
		keep(p);
	} else if (c == ':' && p->depth == 1) {
		p->in_value = 1;
	} else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
		p->depth -= (uint32_t)closes;
		p->in_string = c == '"';
		collect(p, c);
	}
}

void row_peek_bytes(struct row_peek *p, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (p->in_string)
			string_byte(p, bytes.ptr[i]);
		else
			plain_byte(p, bytes.ptr[i]);
	}
}

void row_peek_result(const struct row_peek *p, struct couch_row *row)
{
	int more;
	row->id = row_unquoted(buf_slice(&p->id));
	row->rev = row_first_rev(buf_slice(&p->changes), &more);
	row->seq = p->seq.len ? buf_slice(&p->seq) : SLICE("null");
}
