#include "config.h"

#include "base/number.h"

#include <stdint.h>

/* A number taken apart: value = sign * 0.d1d2d3... shifted so that d1 stands at 10^(shift + exponent). */
struct parts {
	int negative, exponent_negative;
	struct slice whole, fraction; /* digits around the point */
	struct slice exponent;        /* digits, leading zeros removed; empty = 0 */
};

struct digits { /* the significant digits, a run over whole and fraction without the point */
	const struct parts *p;
	size_t first, n;
	int64_t shift; /* power of ten of the first digit, exponent left out */
};

#define SMALL_EXPONENT 18 /* digits of an exponent that int64_t arithmetic can take */
#define PLAIN_DIGITS 40

static struct slice take_digits(struct slice *rest)
{
	size_t n = 0;
	while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
		n++;
	struct slice digits = {rest->ptr, n};
	rest->ptr += n;
	rest->len -= n;
	return digits;
}

static int take_char(struct slice *rest, char c)
{
	if (!rest->len || *rest->ptr != c)
		return 0;
	rest->ptr++;
	rest->len--;
	return 1;
}

static int take_exponent(struct slice *rest, struct parts *p)
{
	if (!take_char(rest, 'e') && !take_char(rest, 'E'))
		return 1;
	p->exponent_negative = take_char(rest, '-');
	if (!p->exponent_negative)
		take_char(rest, '+');
	p->exponent = take_digits(rest);
	if (!p->exponent.len)
		return 0;
	while (p->exponent.len && *p->exponent.ptr == '0') {
		p->exponent.ptr++;
		p->exponent.len--;
	}
	return 1;
}

/* RFC 8259 section 6; 0 when the text is not one number, whole. */
static int take_apart(struct slice text, struct parts *p)
{
	*p = (struct parts){0};
	p->negative = take_char(&text, '-');
	p->whole = take_digits(&text);
	if (!p->whole.len || (p->whole.len > 1 && *p->whole.ptr == '0'))
		return 0;
	if (take_char(&text, '.')) {
		p->fraction = take_digits(&text);
		if (!p->fraction.len)
			return 0;
	}
	return take_exponent(&text, p) && text.len == 0;
}

int number_valid(struct slice text)
{
	struct parts p;
	return take_apart(text, &p);
}

static char digit_at(const struct parts *p, size_t i)
{
	return i < p->whole.len ? p->whole.ptr[i] : p->fraction.ptr[i - p->whole.len];
}

/* Zero has no significant digits. */
static struct digits significant(const struct parts *p)
{
	size_t end = p->whole.len + p->fraction.len, first = 0;
	while (first < end && digit_at(p, first) == '0')
		first++;
	while (end > first && digit_at(p, end - 1) == '0')
		end--;
	return (struct digits){p, first, end - first, (int64_t)p->whole.len - 1 - (int64_t)first};
}

static int exponent_is_small(const struct parts *p)
{
	return p->exponent.len <= SMALL_EXPONENT;
}

static int64_t small_exponent(const struct parts *p)
{
	int64_t n = 0;
	for (size_t i = 0; i < p->exponent.len; i++)
		n = n * 10 + (p->exponent.ptr[i] - '0');
	return p->exponent_negative ? -n : n;
}

static int same_digits(const struct digits *a, const struct digits *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (digit_at(a->p, a->first + i) != digit_at(b->p, b->first + i))
			return 0;
	return 1;
}

/*
 * |exponent| + change as decimal text, for exponents above 10^18: the change is smaller than the length of a text, so
 * the sign stays. Appends at most exponent.len + 1 digits.
 */
static void put_long_exponent(struct slice exponent, int64_t change, struct buf *out)
{
	size_t n = exponent.len + 1;
	char *to = buf_room(out, n);
	if (!to)
		return;
	int64_t carry = change;
	for (size_t i = n; i-- > 0;) {
		int64_t sum = (i ? exponent.ptr[i - 1] - '0' : 0) + carry;
		int64_t digit = ((sum % 10) + 10) % 10;
		carry = (sum - digit) / 10;
		to[i] = (char)('0' + digit);
	}
	size_t zeros = 0;
	while (zeros + 1 < n && to[zeros] == '0')
		zeros++;
	memmove(to, to + zeros, n - zeros);
	out->len += n - zeros;
	out->ptr[out->len] = 0;
}

static void put_digits(const struct digits *d, size_t from, size_t to, struct buf *out)
{
	for (size_t i = from; i < to; i++)
		buf_ch(out, digit_at(d->p, d->first + i));
}

static void put_zeros(int64_t n, struct buf *out)
{
	while (n-- > 0)
		buf_ch(out, '0');
}

/* The first digit stands at 10^power. */
static void put_plain(const struct digits *d, int64_t power, struct buf *out)
{
	size_t whole = power < 0 ? 0 : (size_t)power + 1;
	if (whole > d->n)
		whole = d->n;
	put_digits(d, 0, whole, out);
	if (power < 0)
		buf_ch(out, '0');
	else
		put_zeros(power + 1 - (int64_t)whole, out);
	if (whole == d->n)
		return;
	buf_ch(out, '.');
	put_zeros(-power - 1, out);
	put_digits(d, whole, d->n, out);
}

static int64_t plain_length(const struct digits *d, int64_t power)
{
	int64_t n = (int64_t)d->n;
	if (power < 0)
		return n - power;
	return power + 1 > n ? power + 1 : n;
}

static void put_scientific(const struct digits *d, struct buf *out)
{
	put_digits(d, 0, 1, out);
	if (d->n > 1) {
		buf_ch(out, '.');
		put_digits(d, 1, d->n, out);
	}
	buf_ch(out, 'e');
	if (exponent_is_small(d->p)) {
		int64_t power = d->shift + small_exponent(d->p);
		if (power < 0)
			buf_ch(out, '-');
		buf_u64(out, power < 0 ? -(uint64_t)power : (uint64_t)power);
		return;
	}
	if (d->p->exponent_negative)
		buf_ch(out, '-');
	put_long_exponent(d->p->exponent, d->p->exponent_negative ? -d->shift : d->shift, out);
}

void number_canonical(struct slice text, struct buf *out)
{
	struct parts p;
	if (!take_apart(text, &p)) {
		buf_adds(out, text);
		return;
	}
	struct digits d = significant(&p);
	if (!d.n) {
		buf_ch(out, '0');
		return;
	}
	if (p.negative)
		buf_ch(out, '-');
	if (exponent_is_small(&p)) {
		int64_t power = d.shift + small_exponent(&p);
		if (power < PLAIN_DIGITS && power > -PLAIN_DIGITS && plain_length(&d, power) <= PLAIN_DIGITS) {
			put_plain(&d, power, out);
			return;
		}
	}
	put_scientific(&d, out);
}

/* Texts with an exponent of more than 18 digits: rare, so their canonical texts may cost memory. */
static int same_canonical(struct slice a, struct slice b)
{
	struct buf x = BUF_INIT(SIZE_MAX), y = BUF_INIT(SIZE_MAX);
	number_canonical(a, &x);
	number_canonical(b, &y);
	int same = slice_eq(buf_slice(&x), buf_slice(&y));
	buf_release(&x);
	buf_release(&y);
	return same;
}

int number_eq(struct slice a, struct slice b)
{
	struct parts p, q;
	if (slice_eq(a, b))
		return 1;
	if (!take_apart(a, &p) || !take_apart(b, &q))
		return 0;
	struct digits x = significant(&p), y = significant(&q);
	if (!x.n || !y.n)
		return x.n == y.n;
	if (p.negative != q.negative || !same_digits(&x, &y))
		return 0;
	if (exponent_is_small(&p) && exponent_is_small(&q))
		return x.shift + small_exponent(&p) == y.shift + small_exponent(&q);
	return same_canonical(a, b);
}

/*
 * As numeric_in counts: 16383 is the limit of written digits after the point (trailing zeros included), 131072 of
 * digits before it. An exponent of more than nine digits is refused even for zero.
 */
int number_fits_numeric(struct slice text)
{
	struct parts p;
	if (!take_apart(text, &p) || p.exponent.len > 9)
		return 0;
	int64_t exponent = small_exponent(&p);
	struct digits d = significant(&p);
	return (int64_t)p.fraction.len - exponent <= 16383 && (!d.n || d.shift + exponent + 1 <= 131072);
}

int number_to_i64(struct slice text, long long *out)
{
	struct parts p;
	if (!take_apart(text, &p))
		return 0;
	struct digits d = significant(&p);
	if (!d.n) {
		*out = 0;
		return 1;
	}
	if (!exponent_is_small(&p))
		return 0;
	int64_t power = d.shift + small_exponent(&p);
	if (power > 18 || power + 1 < (int64_t)d.n)
		return 0;
	long long n = 0;
	for (int64_t i = 0; i <= power; i++) {
		int digit = (size_t)i < d.n ? digit_at(&p, d.first + (size_t)i) - '0' : 0;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, p.negative ? -digit : digit, &n))
			return 0;
	}
	*out = n;
	return 1;
}
