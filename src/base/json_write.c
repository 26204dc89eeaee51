#include "config.h"

#include "base/json_internal.h"

#include "base/number.h"

#define HEX "0123456789abcdef"

enum { RAW, ESCAPE, LEAD_ED };

/* Controls, quote and backslash are escaped; 0xED may begin a lone surrogate. */
static const uint8_t care[256] = {
    ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE,         ESCAPE,          ESCAPE,           ESCAPE,
    ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE,         ESCAPE,          ESCAPE,           ESCAPE,
    ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE,         ESCAPE,          ESCAPE,           ESCAPE,
    ESCAPE, ESCAPE, ESCAPE, ESCAPE, ESCAPE, ['"'] = ESCAPE, ['\\'] = ESCAPE, [0xED] = LEAD_ED,
};

static void put_unit(unsigned unit, struct buf *out)
{
	char text[6] = {'\\', 'u', HEX[unit >> 12 & 15], HEX[unit >> 8 & 15], HEX[unit >> 4 & 15], HEX[unit & 15]};
	buf_add(out, text, sizeof(text));
}

static void put_escape(unsigned char c, struct buf *out)
{
	static const char letters[128] = {
	    ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	if (!letters[c]) {
		put_unit(c, out);
		return;
	}
	char text[2] = {'\\', letters[c]};
	buf_add(out, text, sizeof(text));
}

/* The surrogate whose three-byte form starts at at, or 0: U+D000..U+D7FF begin with 0xED as well. */
static unsigned surrogate_at(const unsigned char *at, const unsigned char *end)
{
	if (end - at < 3 || (at[1] & 0xE0) != 0xA0 || (at[2] & 0xC0) != 0x80)
		return 0;
	return 0xD000u | (unsigned)(at[1] & 0x3F) << 6 | (at[2] & 0x3Fu);
}

void json_write_string(struct slice wtf8, struct buf *out)
{
	const unsigned char *at = (const unsigned char *)wtf8.ptr, *end = at + wtf8.len, *from = at;
	buf_ch(out, '"');
	while (at < end) {
		unsigned what = care[*at], unit = 0;
		if (what == LEAD_ED)
			unit = surrogate_at(at, end);
		if (what == RAW || (what == LEAD_ED && !unit)) {
			at++;
			continue;
		}
		buf_add(out, from, (size_t)(at - from));
		if (unit)
			put_unit(unit, out);
		else
			put_escape(*at, out);
		at += unit ? 3 : 1;
		from = at;
	}
	buf_add(out, from, (size_t)(at - from));
	buf_ch(out, '"');
}

struct writer {
	struct buf *out;
	enum json_style style;
	unsigned depth;
};

static void put_value(struct writer *w, const struct json *v);

static void new_line(struct writer *w)
{
	if (w->style != JSON_PRETTY)
		return;
	buf_ch(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_add(w->out, "  ", 2);
}

/* Before item i of a list. */
static void put_gap(struct writer *w, uint32_t i)
{
	if (i)
		buf_ch(w->out, ',');
	new_line(w);
}

static void put_array(struct writer *w, const struct json *v)
{
	buf_ch(w->out, '[');
	w->depth++;
	for (uint32_t i = 0; i < v->count; i++) {
		put_gap(w, i);
		put_value(w, &v->items[i]);
	}
	w->depth--;
	if (v->count)
		new_line(w);
	buf_ch(w->out, ']');
}

static void put_object(struct writer *w, const struct json *v)
{
	uint32_t small[JSON_SMALL];
	int sorted = w->style == JSON_CANONICAL || w->style == JSON_SORTED;
	const uint32_t *order = sorted ? json_order_of(v, small) : NULL;
	buf_ch(w->out, '{');
	w->depth++;
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json_member *m = &v->members[order ? order[i] : i];
		put_gap(w, i);
		json_write_string(m->key, w->out);
		buf_str(w->out, w->style == JSON_PRETTY ? ": " : ":");
		put_value(w, &m->value);
	}
	w->depth--;
	if (v->count)
		new_line(w);
	buf_ch(w->out, '}');
}

static void put_value(struct writer *w, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		buf_add(w->out, "null", 4);
		break;
	case JSON_FALSE:
		buf_add(w->out, "false", 5);
		break;
	case JSON_TRUE:
		buf_add(w->out, "true", 4);
		break;
	case JSON_NUMBER:
		if (w->style == JSON_CANONICAL)
			number_canonical(v->text, w->out);
		else
			buf_adds(w->out, v->text);
		break;
	case JSON_STRING:
		json_write_string(v->text, w->out);
		break;
	case JSON_ARRAY:
		put_array(w, v);
		break;
	case JSON_OBJECT:
		put_object(w, v);
		break;
	}
}

void json_write(const struct json *v, enum json_style style, struct buf *out)
{
	struct writer w = {out, style, 0};
	put_value(&w, v);
}

struct slice json_to_text(const struct json *v, enum json_style style, struct arena *a)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	json_write(v, style, &out);
	struct slice text = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return text;
}
