#include "config.h"

#include "cmd/marked.h"

#include "cmd/print.h"

struct marker {
	const struct cmd_context *c;
	const struct marks *marks;
	char side;
	struct buf line;
	struct { /* where the walk stands; ARENA_PUSH */
		struct diff_step *v;
		size_t n, cap;
	} path;
	char mark;
};

static int same_step(const struct diff_step *a, const struct diff_step *b)
{
	if (a->is_position != b->is_position)
		return 0;
	return a->is_position ? a->position == b->position : slice_eq(a->key, b->key);
}

/* Does one of the paths begin with the other? */
static int overlap(const struct diff_step *a, size_t na, const struct diff_step *b, size_t nb)
{
	for (size_t i = 0; i < na && i < nb; i++)
		if (!same_step(&a[i], &b[i]))
			return 0;
	return 1;
}

/* A rename that did not hold has the path [name in Couch, name in SQL]: the second stands on SQL's side. */
static int is_renamed(const struct diff *kept, const struct diff *raw)
{
	return kept->type == DIFF_COMPLEX && kept->npath == 2 && raw->npath == 1 &&
	       same_step(&kept->path[1], raw->path);
}

static char mark_of(const struct marker *m, const struct diff *raw)
{
	for (size_t i = 0; i < m->marks->kept->n; i++) {
		const struct diff *kept = &m->marks->kept->v[i];
		if (overlap(kept->path, kept->npath, raw->path, raw->npath) || is_renamed(kept, raw))
			return m->side;
	}
	return '~';
}

static const struct diff *diff_here(const struct marker *m)
{
	for (size_t i = 0; i < m->marks->raw->n; i++) {
		const struct diff *d = &m->marks->raw->v[i];
		if (d->npath == m->path.n && overlap(d->path, d->npath, m->path.v, m->path.n))
			return d;
	}
	return NULL;
}

/* The mark of the value where the walk stands: its own difference's, else what it stands in has. */
static char mark_here(const struct marker *m, char outer)
{
	const struct diff *d = diff_here(m);
	return d ? mark_of(m, d) : outer;
}

static void end_line(struct marker *m, char mark)
{
	print_color(m->c, mark == '-' ? PRINT_RED : mark == '+' ? PRINT_GREEN : mark == '~' ? PRINT_DIM : PRINT_PLAIN);
	fputc(mark, m->c->out);
	fputc(' ', m->c->out);
	print_json_text(m->c, buf_slice(&m->line));
	print_color(m->c, PRINT_PLAIN);
	fputc('\n', m->c->out);
	buf_clear(&m->line);
}

static void indent(struct marker *m, size_t depth)
{
	while (depth-- > 0)
		buf_str(&m->line, "  ");
}

/* ---- where long texts differ ---- */

#define LONG_TEXT 40
#define CONTEXT 20  /* bytes shown before and after */
#define MAX_SHOWN 60 /* bytes shown of what differs */

static int is_inside(char ch)
{
	return ((unsigned char)ch & 0xc0) == 0x80;
}

/* The nearest start of a character at or before i. */
static size_t character_at(struct slice s, size_t i)
{
	while (i > 0 && i < s.len && is_inside(s.ptr[i]))
		i--;
	return i;
}

static size_t common_start(struct slice a, struct slice b)
{
	size_t n = 0;
	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return character_at(a, n < b.len && n == a.len && is_inside(b.ptr[n]) ? n - 1 : n);
}

static size_t common_end(struct slice a, struct slice b, size_t start)
{
	size_t n = 0;
	while (n < a.len - start && n < b.len - start && a.ptr[a.len - n - 1] == b.ptr[b.len - n - 1])
		n++;
	while (n > 0 && is_inside(a.ptr[a.len - n]))
		n--;
	return n;
}

static struct slice part(struct slice s, size_t from, size_t to)
{
	from = character_at(s, from);
	to = character_at(s, to);
	return (struct slice){s.ptr + from, to - from};
}

static size_t count_characters(struct slice s, size_t end)
{
	size_t n = 0;
	for (size_t i = 0; i < end; i++)
		n += !is_inside(s.ptr[i]);
	return n;
}

static void print_part(const struct marker *m, struct slice own, size_t start, size_t end)
{
	size_t before = start > CONTEXT ? start - CONTEXT : 0, after = own.len - end > CONTEXT ? end + CONTEXT : own.len;
	size_t shown = end - start > MAX_SHOWN ? start + MAX_SHOWN : end;
	fprintf(m->c->out, "? from character %zu: %s", count_characters(own, start) + 1, before ? "..." : "");
	print_text(m->c, part(own, before, start));
	print_color(m->c, PRINT_BOLD);
	fputc('[', m->c->out);
	print_text(m->c, part(own, start, shown));
	fputs(shown < end ? "...]" : "]", m->c->out);
	print_color(m->c, PRINT_PLAIN);
	print_text(m->c, part(own, end, after));
	fputs(after < own.len ? "...\n" : "\n", m->c->out);
}

static void tell_where(const struct marker *m, const struct json *v)
{
	const struct diff *d = diff_here(m);
	if (!d || !json_is(d->old_value, JSON_STRING) || !json_is(d->new_value, JSON_STRING) || v->text.len <= LONG_TEXT)
		return;
	struct slice own = v->text, other = m->side == '-' ? d->new_value->text : d->old_value->text;
	size_t start = common_start(own, other);
	print_part(m, own, start, own.len - common_end(own, other, start));
}

static void put_value(struct marker *m, const struct json *v, char outer, const char *tail);

static void put_child(struct marker *m, const struct diff_step *step, const struct json *v, char mark, int last)
{
	ARENA_PUSH(m->c->arena, &m->path, *step);
	indent(m, m->path.n);
	if (!step->is_position) {
		json_write_string(step->key, &m->line);
		buf_str(&m->line, ": ");
	}
	put_value(m, v, mark, last ? "" : ",");
	m->path.n--;
}

static void put_value(struct marker *m, const struct json *v, char outer, const char *tail)
{
	char mark = mark_here(m, outer);
	int is_object = v->type == JSON_OBJECT;
	if ((!is_object && v->type != JSON_ARRAY) || v->count == 0) {
		json_write(v, JSON_PLAIN, &m->line);
		buf_str(&m->line, tail);
		end_line(m, mark);
		if (v->type == JSON_STRING)
			tell_where(m, v);
		return;
	}
	buf_ch(&m->line, is_object ? '{' : '[');
	end_line(m, mark);
	for (uint32_t i = 0; i < v->count; i++) {
		struct diff_step step = {.is_position = !is_object, .position = i};
		if (is_object)
			step.key = v->members[i].key;
		put_child(m, &step, is_object ? &v->members[i].value : &v->items[i], mark, i + 1 == v->count);
	}
	indent(m, m->path.n);
	buf_ch(&m->line, is_object ? '}' : ']');
	buf_str(&m->line, tail);
	end_line(m, mark);
}

void print_marked(const struct cmd_context *c, const struct json *v, const struct marks *marks, char side)
{
	struct marker m = {.c = c, .marks = marks, .side = side, .line = BUF_INIT(SIZE_MAX / 2)};
	put_value(&m, v, ' ', "");
	buf_release(&m.line);
}
