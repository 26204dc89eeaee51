/*
 * One value of SQLite, changed as the job says, as a field of COPY's text or binary format
 * (https://www.postgresql.org/docs/current/sql-copy.html). SQLite types values, not columns: what does
 * not fit the target's column is told with its reason. What the server can judge better (a date, an enum) goes to it as
 * it is.
 */
#include "config.h"

#include "base/datetime.h"
#include "base/utf8.h"
#include "tables/tables_internal.h"

#include <math.h>
#include <stdlib.h>

enum storage { IS_INTEGER = 1, IS_REAL = 2, IS_TEXT = 3, IS_BLOB = 4, IS_NULL = 5 }; /* SQLite's own numbers */

struct value {
	enum storage is;
	int64_t i;
	double r;
	struct slice text; /* of text and blob */
};

static struct value value_of(struct lite_stmt *s, int n)
{
	struct value v = {.is = (enum storage)lite_column_type(s, n)};
	if (v.is == IS_INTEGER)
		v.i = lite_int(s, n);
	else if (v.is == IS_REAL)
		v.r = lite_double(s, n);
	else if (v.is != IS_NULL)
		v.text = lite_text(s, n);
	return v;
}

static struct value value_of_json(const struct json *j)
{
	switch (j->type) {
	case JSON_NULL:
		return (struct value){.is = IS_NULL};
	case JSON_TRUE:
		return (struct value){.is = IS_TEXT, .text = SLICE("true")};
	case JSON_FALSE:
		return (struct value){.is = IS_TEXT, .text = SLICE("false")};
	default:
		return (struct value){.is = IS_TEXT, .text = j->text};
	}
}

/* The shortest text that gives the number back. */
static struct slice real_text(double r, struct arena *a)
{
	if (isinf(r))
		return r > 0 ? SLICE("Infinity") : SLICE("-Infinity");
	struct slice text = SLICE_NONE;
	for (int digits = 15; digits <= 17; digits++) {
		text = arena_printf(a, "%.*g", digits, r);
		if (strtod(text.ptr, NULL) == r)
			break;
	}
	return text;
}

static struct slice as_text(const struct value *v, struct arena *a)
{
	if (v->is == IS_INTEGER)
		return arena_printf(a, "%lld", (long long)v->i);
	return v->is == IS_REAL ? real_text(v->r, a) : v->text;
}

/* ---- the job's changes ---- */

static int apply_map(const struct job_column *c, struct value *v, struct arena *a, const char **reason)
{
	const struct json *to = v->is == IS_NULL || v->is == IS_BLOB ? NULL : json_get(c->map, as_text(v, a));
	if (v->is == IS_NULL)
		return 0;
	if (to)
		*v = value_of_json(to);
	else if (c->otherwise == ELSE_NULL)
		v->is = IS_NULL;
	else if (c->otherwise == ELSE_VALUE)
		*v = value_of_json(c->else_value);
	else if (c->otherwise == ELSE_REJECT) {
		*reason = v->is == IS_BLOB ? "no new value for a blob"
					   : arena_printf(a, "no new value for \"%.*s\"", SLICE_ARG(as_text(v, a))).ptr;
		return 1;
	}
	return 0;
}

static int apply_rule(const struct transform *t, int64_t rowid, struct value *v, struct arena *a, const char **reason)
{
	const struct job_column *c = t->column->rule;
	if (!c)
		return 0;
	if (c->value)
		*v = value_of_json(c->value);
	if (c->map && apply_map(c, v, a, reason))
		return 1;
	if (c->if_null && v->is == IS_NULL)
		*v = value_of_json(c->if_null);
	if (!c->crypt || v->is == IS_NULL)
		return 0;
	const char *place = arena_printf(a, "%s/%s/%lld", t->table, c->name, (long long)rowid).ptr;
	struct slice hash;
	if (crypt_value(c->crypt, t->salt, place, as_text(v, a), a, &hash, reason))
		return 1;
	*v = (struct value){.is = IS_TEXT, .text = hash};
	return 0;
}

/* ---- fields ---- */

static void put_escaped(struct buf *out, struct slice text)
{
	static const char special[] = "\b\f\n\r\t\v\\", letters[] = "bfnrtv\\";
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		const char *at = c == '\\' || (c >= 8 && c <= 13) ? memchr(special, c, 7) : NULL;
		if (!at)
			continue;
		buf_add(out, text.ptr + from, i - from);
		buf_ch(out, '\\');
		buf_ch(out, letters[at - special]);
		from = i + 1;
	}
	buf_add(out, text.ptr + from, text.len - from);
}

static int put_text(const struct value *v, struct arena *a, struct buf *out, const char **reason)
{
	struct slice text = as_text(v, a);
	if (v->is == IS_BLOB)
		*reason = "a blob where text is wanted";
	else if (v->is == IS_TEXT && text.len && memchr(text.ptr, 0, text.len))
		*reason = "text with U+0000, which PostgreSQL cannot hold";
	else if (v->is == IS_TEXT && utf8_bad_at(text) < text.len)
		*reason = "text that is not UTF-8";
	else {
		put_escaped(out, text);
		return 0;
	}
	return 1;
}

static int put_bytes(const struct value *v, struct buf *out, const char **reason)
{
	static const char hex[] = "0123456789abcdef";
	if (v->is != IS_BLOB && v->is != IS_TEXT) {
		*reason = "a number where bytes are wanted";
		return 1;
	}
	buf_str(out, "\\\\x");
	char *to = buf_room(out, v->text.len * 2);
	for (size_t i = 0; to && i < v->text.len; i++) {
		*to++ = hex[(unsigned char)v->text.ptr[i] >> 4];
		*to++ = hex[(unsigned char)v->text.ptr[i] & 15];
	}
	out->len += to ? v->text.len * 2 : 0;
	return 0;
}

static int is_whole(struct slice text)
{
	size_t i = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');
	size_t digits = 0;
	for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		digits++;
	return digits && i == text.len;
}

static int put_integer(const struct value *v, int64_t most, struct arena *a, struct buf *out, const char **reason)
{
	int64_t n = v->i;
	if (v->is == IS_TEXT && is_whole(v->text)) { /* the server sees to the range */
		buf_adds(out, v->text);
		return 0;
	}
	if (v->is == IS_REAL && v->r == floor(v->r) && fabs(v->r) < 9e18)
		n = (int64_t)v->r;
	else if (v->is != IS_INTEGER) {
		*reason = v->is == IS_BLOB
			      ? "a blob where a whole number is wanted"
			      : arena_printf(a, "\"%.*s\" is no whole number", SLICE_ARG(as_text(v, a))).ptr;
		return 1;
	}
	if (n > most || n < -most - 1) {
		*reason = arena_printf(a, "%lld is out of range", (long long)n).ptr;
		return 1;
	}
	buf_fmt(out, "%lld", (long long)n);
	return 0;
}

static int put_bool(const struct value *v, struct arena *a, struct buf *out, const char **reason)
{
	if (v->is == IS_TEXT)
		return put_text(v, a, out, reason);
	if (v->is == IS_INTEGER && (v->i == 0 || v->i == 1)) {
		buf_ch(out, v->i ? 't' : 'f');
		return 0;
	}
	*reason = v->is == IS_BLOB ? "a blob where true or false is wanted"
				   : arena_printf(a, "%.*s is neither 0 nor 1", SLICE_ARG(as_text(v, a))).ptr;
	return 1;
}

/* Numbers are seconds or, when too large for those, milliseconds since 1970; reals below them Julian days
 * (https://www.sqlite.org/lang_datefunc.html). */
static int put_time(const struct value *v, int date, struct arena *a, struct buf *out, const char **reason)
{
	char text[DATETIME_TEXT_SIZE];
	int64_t us;
	if (v->is == IS_TEXT || v->is == IS_BLOB)
		return put_text(v, a, out, reason);
	if (v->is == IS_REAL && v->r > 0 && v->r < 5373485)
		us = (int64_t)llround((v->r - 2440587.5) * 86400e6);
	else if (v->is == IS_REAL && fabs(v->r) < 1e11)
		us = (int64_t)llround(v->r * 1e6);
	else if (v->is == IS_INTEGER && v->i < 100000000000 && v->i > -100000000000)
		us = v->i * 1000000;
	else if (v->is == IS_INTEGER && v->i < 300000000000000 && v->i > -300000000000000)
		us = v->i * 1000;
	else
		us = INT64_MAX;
	if (us == INT64_MAX || !datetime_format(us, text)) {
		*reason = arena_printf(a, "%.*s is no time", SLICE_ARG(as_text(v, a))).ptr;
		return 1;
	}
	buf_add(out, text, date ? 10 : strlen(text));
	return 0;
}

static int put_as_text(const struct cat_column *to, const struct value *v, struct arena *a, struct buf *out,
		       const char **reason)
{
	const char *base = to->base;
	if (strcmp(base, "int8") == 0)
		return put_integer(v, INT64_MAX, a, out, reason);
	if (strcmp(base, "int4") == 0)
		return put_integer(v, INT32_MAX, a, out, reason);
	if (strcmp(base, "int2") == 0)
		return put_integer(v, INT16_MAX, a, out, reason);
	if (strcmp(base, "bool") == 0)
		return put_bool(v, a, out, reason);
	if (strcmp(base, "bytea") == 0)
		return put_bytes(v, out, reason);
	if (strncmp(base, "timestamp", 9) == 0)
		return put_time(v, 0, a, out, reason);
	if (strcmp(base, "date") == 0)
		return put_time(v, 1, a, out, reason);
	return put_text(v, a, out, reason);
}

/* ---- binary fields: the length, then the bytes ("Binary Format") ---- */

#define POSTGRES_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */
#define DAY_US INT64_C(86400000000)

static void put_number(struct buf *out, uint64_t value, int bytes)
{
	unsigned char b[12] = {0, 0, 0, (unsigned char)bytes};
	for (int i = 0; i < bytes; i++)
		b[4 + i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
	buf_add(out, b, 4 + (size_t)bytes);
}

static void put_field(struct buf *out, struct slice bytes)
{
	unsigned char b[4] = {(unsigned char)(bytes.len >> 24), (unsigned char)(bytes.len >> 16),
			      (unsigned char)(bytes.len >> 8), (unsigned char)bytes.len};
	buf_add(out, b, sizeof(b));
	buf_adds(out, bytes);
}

/* "YYYY-MM-DD hh:mm:ss", with a T or a Z or a fraction if it likes; the session's time zone is UTC. */
static int read_time(struct slice text, int64_t *us)
{
	char strict[DATETIME_TEXT_SIZE + 1];
	if (text.len && text.ptr[text.len - 1] == 'Z')
		text.len--;
	if (text.len < 19 || text.len > DATETIME_TEXT_SIZE - 2 || (text.ptr[10] != ' ' && text.ptr[10] != 'T'))
		return 0;
	memcpy(strict, text.ptr, text.len);
	strict[10] = 'T';
	strict[text.len] = 'Z';
	return datetime_parse((struct slice){strict, text.len + 1}, us);
}

static enum transformed put_binary_time(const struct value *v, const char *base, struct arena *a, struct buf *out,
					const char **reason)
{
	struct buf unused = BUF_INIT(64);
	int date = strcmp(base, "date") == 0;
	int64_t us = 0;
	if (v->is == IS_TEXT) {
		if (date ? !date_parse(v->text, &us) : !read_time(v->text, &us))
			return TRANSFORM_TEXT;
	} else if (v->is == IS_BLOB) {
		return TRANSFORM_TEXT;
	} else { /* by way of the text, so that both formats read numbers alike */
		int bad = put_time(v, 0, a, &unused, reason) || !datetime_parse(buf_slice(&unused), &us);
		buf_release(&unused);
		if (bad)
			return TRANSFORM_REJECTED;
	}
	us -= POSTGRES_EPOCH_US;
	if (date)
		put_number(out, (uint64_t)((us - (us % DAY_US + DAY_US) % DAY_US) / DAY_US), 4);
	else
		put_number(out, (uint64_t)us, 8);
	return TRANSFORM_DONE;
}

static enum transformed put_binary_real(const struct value *v, struct buf *out)
{
	double r = v->is == IS_INTEGER ? (double)v->i : v->r;
	uint64_t bits;
	if (v->is != IS_REAL && v->is != IS_INTEGER)
		return TRANSFORM_TEXT;
	memcpy(&bits, &r, sizeof(bits));
	put_number(out, bits, 8);
	return TRANSFORM_DONE;
}

static enum transformed put_binary_integer(const struct value *v, int bytes, struct buf *out)
{
	int64_t most = INT64_MAX >> (64 - 8 * bytes);
	if (v->is != IS_INTEGER || v->i > most || v->i < -most - 1) /* the text's way has the words for what is wrong */
		return TRANSFORM_TEXT;
	put_number(out, (uint64_t)v->i, bytes);
	return TRANSFORM_DONE;
}

static enum transformed put_binary_text(const struct value *v, struct arena *a, struct buf *out)
{
	struct slice text = as_text(v, a);
	if (v->is == IS_BLOB ||
	    (v->is == IS_TEXT && ((text.len && memchr(text.ptr, 0, text.len)) || utf8_bad_at(text) < text.len)))
		return TRANSFORM_TEXT;
	put_field(out, text);
	return TRANSFORM_DONE;
}

enum binary_as { AS_NONE, AS_INT2, AS_INT4, AS_INT8, AS_REAL, AS_BOOL, AS_TEXT, AS_BYTES, AS_TIME };

static enum binary_as binary_as(const struct cat_column *to)
{
	static const struct {
		const char *base;
		enum binary_as as;
	} types[] = {{"int8", AS_INT8},        {"text", AS_TEXT}, {"int4", AS_INT4},   {"varchar", AS_TEXT},
		     {"float8", AS_REAL},      {"bool", AS_BOOL}, {"bytea", AS_BYTES}, {"timestamp", AS_TIME},
		     {"timestamptz", AS_TIME}, {"date", AS_TIME}, {"int2", AS_INT2}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(to->base, types[i].base) == 0)
			return types[i].as;
	return AS_NONE;
}

int transform_is_binary(const struct cat_column *to)
{
	return binary_as(to) != AS_NONE;
}

static enum transformed put_as_binary(const struct cat_column *to, const struct value *v, struct arena *a,
				      struct buf *out, const char **reason)
{
	switch (binary_as(to)) {
	case AS_INT8:
		return put_binary_integer(v, 8, out);
	case AS_INT4:
		return put_binary_integer(v, 4, out);
	case AS_INT2:
		return put_binary_integer(v, 2, out);
	case AS_REAL:
		return put_binary_real(v, out);
	case AS_TEXT:
		return put_binary_text(v, a, out);
	case AS_TIME:
		return put_binary_time(v, to->base, a, out, reason);
	case AS_BOOL:
		if (v->is != IS_INTEGER || (v->i != 0 && v->i != 1))
			return TRANSFORM_TEXT;
		put_number(out, (uint64_t)v->i, 1);
		return TRANSFORM_DONE;
	case AS_BYTES:
		if (v->is != IS_BLOB && v->is != IS_TEXT)
			return TRANSFORM_TEXT;
		put_field(out, v->text);
		return TRANSFORM_DONE;
	default:
		return TRANSFORM_TEXT;
	}
}

enum transformed transform_value(const struct transform *t, struct lite_stmt *stmt, int n, int64_t rowid,
				 struct arena *a, struct buf *out, const char **reason)
{
	struct value v = value_of(stmt, n);
	if (apply_rule(t, rowid, &v, a, reason))
		return TRANSFORM_REJECTED;
	if (v.is == IS_NULL) {
		if (t->binary)
			buf_add(out, "\377\377\377\377", 4);
		else
			buf_str(out, "\\N");
		return TRANSFORM_DONE;
	}
	if (t->binary)
		return put_as_binary(t->column->to, &v, a, out, reason);
	return put_as_text(t->column->to, &v, a, out, reason) ? TRANSFORM_REJECTED : TRANSFORM_DONE;
}
