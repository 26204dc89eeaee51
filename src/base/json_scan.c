#include "config.h"

#include "base/json_scan.h"

enum byte_class {
	C_SCALAR, /* part of a number or literal, or of what json_read will refuse */
	C_SPACE,
	C_QUOTE,
	C_OPEN,
	C_CLOSE,
	C_SEPARATOR, /* comma, colon */
};

static const uint8_t class_of[256] = {
    [' '] = C_SPACE, ['\t'] = C_SPACE, ['\n'] = C_SPACE, ['\r'] = C_SPACE,    ['"'] = C_QUOTE,     ['['] = C_OPEN,
    ['{'] = C_OPEN,  [']'] = C_CLOSE,  ['}'] = C_CLOSE,  [','] = C_SEPARATOR, [':'] = C_SEPARATOR,
};

#define ONES (~(uint64_t)0 / 255)

/* The high bit of every byte of x that equals c; bytes after the first such one are not reliable. */
static uint64_t bytes_equal(uint64_t x, unsigned char c)
{
	x ^= ONES * c;
	return (x - ONES) & ~x & (ONES << 7);
}

/* Skips ordinary string bytes; eight at a time, as strings are most of a document. */
static const char *string_run(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		if (bytes_equal(word, '"') | bytes_equal(word, '\\'))
			break;
		at += 8;
	}
	while (at < end && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* Inside a string: up to and including its closing quote, or the end of the bytes. */
static const char *rest_of_string(struct json_scan *s, const char *at, const char *end)
{
	while (at < end) {
		if (s->escaped) {
			s->escaped = 0;
			at++;
			continue;
		}
		at = string_run(at, end);
		if (at == end)
			break;
		if (*at++ == '"') {
			s->in_string = 0;
			break;
		}
		s->escaped = 1;
	}
	return at;
}

/* Inside brackets, outside strings: to just after the closing one, into a string, or to the end. */
static const char *rest_of_container(struct json_scan *s, const char *at, const char *end)
{
	uint32_t depth = s->depth;
	while (at < end) {
		uint8_t class = class_of[(unsigned char)*at++];
		if (class == C_QUOTE) {
			s->in_string = 1;
			break;
		}
		if (class == C_OPEN && ++depth > s->max_depth)
			s->max_depth = depth;
		if (class == C_CLOSE && --depth == 0)
			break;
	}
	s->depth = depth;
	return at;
}

static const char *rest_of_scalar(const char *at, const char *end)
{
	while (at < end && class_of[(unsigned char)*at] == C_SCALAR)
		at++;
	return at;
}

/* The first byte of the value; at is no white space. Returns 0 when nothing can begin with it. */
static int begin(struct json_scan *s, char first)
{
	switch (class_of[(unsigned char)first]) {
	case C_QUOTE:
		s->in_string = 1;
		break;
	case C_OPEN:
		s->depth = 1;
		if (s->max_depth < 1)
			s->max_depth = 1;
		break;
	case C_SCALAR:
		s->in_scalar = 1;
		break;
	default:
		return 0;
	}
	s->started = 1;
	return 1;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && class_of[(unsigned char)*at] == C_SPACE)
		at++;
	return at;
}

size_t json_scan_value(struct json_scan *s, const char *bytes, size_t len, int *done)
{
	const char *at = bytes, *end = bytes + len;
	*done = 0;
	if (!s->started) {
		at = skip_space(at, end);
		if (at == end)
			return len;
		if (!begin(s, *at)) {
			*done = 1;
			return (size_t)(at - bytes);
		}
		at++;
	}
	if (s->in_scalar) {
		at = rest_of_scalar(at, end);
		*done = at < end;
		return (size_t)(at - bytes);
	}
	while (at < end && !*done) {
		at = s->in_string ? rest_of_string(s, at, end) : rest_of_container(s, at, end);
		*done = !s->in_string && s->depth == 0;
	}
	return (size_t)(at - bytes);
}

/* ---- members ---- */

struct cutter {
	const char *begin, *at, *end;
};

static int next_is(struct cutter *c, char wanted)
{
	c->at = skip_space(c->at, c->end);
	if (c->at == c->end || *c->at != wanted)
		return 0;
	c->at++;
	return 1;
}

static int cut_value(struct cutter *c, struct slice *out)
{
	struct json_scan scan = JSON_SCAN_INIT;
	int done;
	c->at = skip_space(c->at, c->end);
	out->ptr = c->at;
	out->len = json_scan_value(&scan, c->at, (size_t)(c->end - c->at), &done);
	if (!done || !scan.started)
		return 0;
	c->at += out->len;
	return 1;
}

static int cut_member(struct cutter *c, struct json_part *part)
{
	c->at = skip_space(c->at, c->end);
	if (c->at == c->end || *c->at != '"' || !cut_value(c, &part->key))
		return 0;
	part->key.ptr++;
	part->key.len -= 2;
	return next_is(c, ':') && cut_value(c, &part->value);
}

static int cut_members(struct cutter *c, struct json_part *parts, int max)
{
	int n = 0;
	struct json_part part;
	if (!next_is(c, '{'))
		return -1;
	if (next_is(c, '}'))
		return 0;
	do {
		if (!cut_member(c, &part))
			return -1;
		if (n < max)
			parts[n] = part;
		n++;
	} while (next_is(c, ','));
	return next_is(c, '}') ? n : -1;
}

int json_scan_members(struct slice object, struct json_part *parts, int max, size_t *bad_at)
{
	struct cutter c = {object.ptr, object.ptr, object.ptr + object.len};
	int n = cut_members(&c, parts, max);
	if (n >= 0)
		c.at = skip_space(c.at, c.end);
	if (n >= 0 && c.at == c.end)
		return n;
	*bad_at = (size_t)(c.at - c.begin);
	return -1;
}
