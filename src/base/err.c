#include "config.h"

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Messages of libraries end in line feeds, and ids may hold anything: one line comes out, in any case. */
static void make_one_line(char *text)
{
	size_t len = 0;
	for (size_t i = 0; text[i]; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == 0x7f)
			c = ' ';
		if (c == ' ' && (len == 0 || (text[i] != ' ' && text[len - 1] == ' ')))
			continue;
		text[len++] = (char)c;
	}
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = 0;
}

/* Formats into out; what does not fit ends in "..." and never in half a UTF-8 character. */
static PRINTF_LIKE(3, 0) void format_line(char *out, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, size, fmt, ap);
	if (n < 0)
		snprintf(out, size, "(unprintable message)");
	else if ((size_t)n >= size) {
		size_t cut = size - sizeof("...");
		while (cut && ((unsigned char)out[cut] & 0xc0) == 0x80)
			cut--;
		memcpy(out + cut, "...", sizeof("..."));
	}
	make_one_line(out);
}

static void set_line(struct err *err, enum err_code code, const char *msg)
{
	size_t len = strlen(msg);
	*err = (struct err){.code = code};
	memcpy(err->msg, msg, len < sizeof(err->msg) ? len + 1 : sizeof(err->msg));
	err->msg[sizeof(err->msg) - 1] = 0;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	if (!err)
		return code;
	/* By way of a copy: the arguments may point into *err. */
	char msg[sizeof(err->msg)];
	va_list ap;
	va_start(ap, fmt);
	format_line(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	set_line(err, code, msg);
	return code;
}

/* Puts `a` and `b` together in *err, cutting `a` so that `b`, the shorter and more telling part, stays whole. */
static void join(char *out, size_t size, const char *a, const char *sep, const char *b)
{
	size_t tail = strlen(sep) + strlen(b);
	size_t room = tail < size / 2 ? size - 1 - tail : size / 2;
	size_t len = strlen(a);
	if (len > room) {
		len = room;
		while (len && ((unsigned char)a[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(out, size, "%.*s%s%s", (int)len, a, sep, b);
}

int err_sys(struct err *err, enum err_code code, int errno_value, const char *fmt, ...)
{
	if (!err)
		return code;
	char head[sizeof(err->msg)], msg[sizeof(err->msg)], why[128];
	va_list ap;
	va_start(ap, fmt);
	format_line(head, sizeof(head), fmt, ap);
	va_end(ap);
	join(msg, sizeof(msg), head, ": ", strerror_r(errno_value, why, sizeof(why)));
	set_line(err, code, msg);
	err->native = errno_value;
	return code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	if (!err)
		return ERR_INTERNAL;
	char head[sizeof(err->msg)], msg[sizeof(err->msg)];
	va_list ap;
	va_start(ap, fmt);
	format_line(head, sizeof(head), fmt, ap);
	va_end(ap);
	join(msg, sizeof(msg), head, ": ", err->msg);
	memcpy(err->msg, msg, sizeof(msg));
	return err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	if (!err)
		return ERR_INTERNAL;
	char hint[sizeof(err->hint)];
	va_list ap;
	va_start(ap, fmt);
	format_line(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	memcpy(err->hint, hint, sizeof(hint));
	return err->code;
}

int err_exit_code(const struct err *err)
{
	if (err->code == ERR_BUSY)
		return ERR_STATE;
	return err->code >= ERR_USAGE && err->code <= ERR_INTERNAL ? (int)err->code : (int)ERR_INTERNAL;
}
