#include "config.h"

#include "base/url.h"

#include "base/pct.h"

#include <stdint.h>
#include <strings.h>

/* Errors here never repeat what was given: it may hold a password. */

static struct slice cut(struct slice s, size_t from)
{
	return (struct slice){s.ptr + from, s.len - from};
}

/* The part of s before the first character that is in `stops`, and what follows (which begins with that character). */
static struct slice until(struct slice s, const char *stops, struct slice *rest)
{
	size_t n = 0;
	while (n < s.len && !memchr(stops, s.ptr[n], strlen(stops)))
		n++;
	*rest = cut(s, n);
	return (struct slice){s.ptr, n};
}

static int starts_with_scheme(struct slice s, const char *scheme)
{
	size_t n = strlen(scheme);
	return s.len >= n && strncasecmp(s.ptr, scheme, n) == 0;
}

/* The percent-decoded text in the arena; NULL when a % is not followed by two hex digits, or gives U+0000. */
static const char *decode(struct slice s, struct arena *a)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	const char *out = NULL;
	if (pct_decode(s, &b) == 0 && !memchr(b.ptr ? b.ptr : "x", 0, b.ptr ? b.len : 1))
		out = arena_str(a, buf_slice(&b));
	buf_release(&b);
	return out;
}

static int has_control_or_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f)
			return 1;
	}
	return 0;
}

static int is_secret_key(struct slice key)
{
	if (slice_is(key, "passfile"))
		return 0;
	static const char *const words[] = {"pass", "secret", "token", "apikey", "api_key", "credential"};
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t n = strlen(words[w]);
		for (size_t i = 0; i + n <= key.len; i++) {
			if (strncasecmp(key.ptr + i, words[w], n) == 0)
				return 1;
		}
	}
	return 0;
}

/* Takes `user[:password]@` off the authority; *host is what remains. */
static int split_userinfo(struct slice authority, struct arena *a, struct url *out, struct slice *host, struct err *err)
{
	size_t at = authority.len;
	while (at && authority.ptr[at - 1] != '@')
		at--;
	*host = cut(authority, at);
	if (at == 0)
		return 0;
	struct slice colon, user = until((struct slice){authority.ptr, at - 1}, ":", &colon);
	out->user = decode(user, a);
	if (colon.len) {
		out->has_password = 1;
		out->password = decode(cut(colon, 1), a);
	}
	if (!out->user || (colon.len && !out->password)) {
		err_set(err, ERR_USAGE,
			"the user or password in the URL holds a '%%' that is not followed by two hex digits");
		return err_hint(err, "write a percent sign as %%25");
	}
	return 0;
}

static int check_port(struct slice port, struct err *err)
{
	unsigned value = 0;
	for (size_t i = 0; i < port.len; i++) {
		if (port.ptr[i] < '0' || port.ptr[i] > '9' ||
		    (value = value * 10 + (unsigned)(port.ptr[i] - '0')) > 65535) {
			err_set(err, ERR_USAGE, "what follows the host's ':' in the URL is not a port number");
			return err_hint(
			    err, "in a user name or password write '/' as %%2F, '?' as %%3F, '#' as %%23, '@' as %%40");
		}
	}
	return 0;
}

/* An '@' behind the authority means that a password holds an unescaped '/' or '?', and it would be shown as a path. */
static int check_no_at(struct slice rest, struct err *err)
{
	if (rest.len == 0 || !memchr(rest.ptr, '@', rest.len))
		return 0;
	err_set(err, ERR_USAGE, "there is an '@' behind the host of the URL");
	return err_hint(
	    err, "in a user name or password write '/' as %%2F, '?' as %%3F, '#' as %%23; elsewhere '@' as %%40");
}

/* One `host[:port]`, the host possibly an IPv6 address in brackets. */
static int check_host(struct slice host, struct err *err)
{
	struct slice name = host, port = SLICE("");
	if (host.len && host.ptr[0] == '[') {
		struct slice close;
		name = until(host, "]", &close);
		if (close.len == 0 || (close.len > 1 && close.ptr[1] != ':'))
			return err_set(err, ERR_USAGE, "the address in brackets in the URL is not closed");
		port = close.len > 1 ? cut(close, 2) : port;
	} else {
		struct slice colon;
		name = until(host, ":", &colon);
		port = colon.len ? cut(colon, 1) : port;
	}
	if (name.len == 0)
		return err_set(err, ERR_USAGE, "the URL names no host");
	return check_port(port, err);
}

static const char *shown_userinfo(const struct url *u, struct slice raw_user, struct arena *a)
{
	if (!u->user)
		return "";
	return arena_printf(a, "%.*s%s@", SLICE_ARG(raw_user), u->has_password ? ":***" : "").ptr;
}

static int parse_http(struct slice text, struct arena *a, struct url *out, struct err *err)
{
	out->scheme = starts_with_scheme(text, "https:") ? URL_HTTPS : URL_HTTP;
	const char *scheme = out->scheme == URL_HTTPS ? "https" : "http";
	if (has_control_or_blank(text))
		return err_set(err, ERR_USAGE, "the source URL holds a blank or a control character");
	struct slice path, host, ignored;
	struct slice authority = until(cut(text, strlen(scheme) + 3), "/?#", &path);
	int rc = split_userinfo(authority, a, out, &host, err);
	if (rc == 0)
		rc = check_host(host, err);
	if (rc == 0)
		rc = check_no_at(path, err);
	if (rc != 0)
		return rc;
	struct slice query;
	path = until(path, "?#", &query);
	if (query.len)
		return err_set(err, ERR_USAGE, "the source URL must end with the database: it has a '%c' part",
			       query.ptr[0]);
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	if (path.len == 0) {
		err_set(err, ERR_USAGE, "the source URL names no database");
		return err_hint(err, "put its name behind the host: http://HOST:5984/DATABASE");
	}
	if (!decode(path, a))
		return err_set(err, ERR_USAGE,
			       "the path of the source URL holds a '%%' that is not followed by two hex digits");
	out->base = arena_printf(a, "%s://%.*s", scheme, SLICE_ARG(host)).ptr;
	out->path = arena_str(a, path);
	const char *userinfo = shown_userinfo(out, until(authority, ":@", &ignored), a);
	out->shown = arena_printf(a, "%s://%s%.*s%s", scheme, userinfo, SLICE_ARG(host), out->path).ptr;
	return 0;
}

/* `file:PATH`, `sqlite:PATH`; also with an empty authority, `file:///PATH`. The path is taken as it is. */
static void parse_path(struct slice text, const char *prefix, struct arena *a, struct url *out)
{
	struct slice path = cut(text, strlen(prefix));
	if (slice_starts(path, SLICE("///")))
		path = cut(path, 2);
	out->path = arena_str(a, path);
	out->shown = arena_printf(a, "%s%s", prefix, out->path).ptr;
}

static struct slice begin(const char *text, struct arena *a, struct url *out)
{
	*out = (struct url){.base = "", .path = "", .shown = ""};
	out->text = arena_str(a, slice_of(text));
	return slice_of(out->text);
}

int url_parse_source(const char *text, struct arena *a, struct url *out, struct err *err)
{
	struct slice s = begin(text, a, out);
	if (starts_with_scheme(s, "http://") || starts_with_scheme(s, "https://"))
		return parse_http(s, a, out, err);
	if (!slice_starts(s, SLICE("file:"))) {
		err_set(err, ERR_USAGE, "the source must begin with http://, https:// or file:");
		return err_hint(err, "a database is http://HOST:5984/DATABASE, a recorded feed file:PATH or file:-");
	}
	out->scheme = URL_FILE;
	parse_path(s, "file:", a, out);
	if (out->path[0] == 0) {
		err_set(err, ERR_USAGE, "the source names no file");
		return err_hint(err, "write file:PATH, or file:- for standard input");
	}
	if (strcmp(out->path, "-") == 0)
		out->scheme = URL_STDIN;
	return 0;
}

/* ---- PostgreSQL: libpq reads the text itself; here it is understood as far as redacting needs ---- */

/* The query of a URI with the values of secret keys replaced; takes a password from it. */
static int redact_query(struct slice query, struct arena *a, struct url *out, struct buf *shown, struct err *err)
{
	while (query.len) {
		buf_ch(shown, query.ptr[0]); /* '?' or '&' */
		struct slice value, pair = until(cut(query, 1), "&", &query);
		struct slice key = until(pair, "=", &value);
		buf_adds(shown, key);
		const char *name = decode(key, a);
		if (!name)
			return err_set(
			    err, ERR_USAGE,
			    "the target URL's parameters hold a '%%' that is not followed by two hex digits");
		if (!is_secret_key(slice_of(name)) || !value.len) {
			buf_adds(shown, value);
			continue;
		}
		buf_str(shown, "=***");
		out->has_password = 1;
		if (strcmp(name, "password") == 0)
			out->password = decode(cut(value, 1), a);
	}
	return 0;
}

static int check_hosts(struct slice hosts, struct err *err)
{
	while (hosts.len) {
		struct slice host = until(hosts, ",", &hosts);
		int rc = host.len && host.ptr[0] != ':' ? check_host(host, err)
							: check_port(host.len ? cut(host, 1) : host, err);
		if (rc != 0)
			return rc;
		hosts = hosts.len ? cut(hosts, 1) : hosts;
	}
	return 0;
}

static int parse_pg_uri(struct slice text, size_t prefix, struct arena *a, struct url *out, struct err *err)
{
	struct buf shown = BUF_INIT(SIZE_MAX / 2);
	struct slice rest, query, host, ignored;
	struct slice authority = until(cut(text, prefix), "/?", &rest);
	int rc = split_userinfo(authority, a, out, &host, err);
	if (rc == 0)
		rc = check_hosts(host, err);
	if (rc == 0)
		rc = check_no_at(rest, err);
	if (rc != 0)
		goto out;
	struct slice path = until(rest, "?", &query);
	buf_add(&shown, text.ptr, prefix);
	buf_str(&shown, shown_userinfo(out, until(authority, ":@", &ignored), a));
	buf_adds(&shown, host);
	buf_adds(&shown, path);
	rc = redact_query(query, a, out, &shown, err);
	if (rc == 0)
		out->shown = arena_str(a, buf_slice(&shown));
out:
	buf_release(&shown);
	return rc;
}

static int is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_blanks(struct slice s, size_t i)
{
	while (i < s.len && is_blank(s.ptr[i]))
		i++;
	return i;
}

/* A value of a keyword string at *at, quoted or not, as libpq unescapes it; NULL when its quote is not closed. */
static const char *keyword_value(struct slice s, size_t *at, struct arena *a)
{
	char *value = arena_alloc(a, s.len + 1);
	size_t i = *at, len = 0;
	int quoted = i < s.len && s.ptr[i] == '\'';
	i += (size_t)quoted;
	while (i < s.len && (quoted ? s.ptr[i] != '\'' : !is_blank(s.ptr[i]))) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		value[len++] = s.ptr[i++];
	}
	value[len] = 0;
	*at = i + (size_t)quoted;
	return quoted && i == s.len ? NULL : value;
}

static void take_keyword(struct slice key, const char *value, struct url *out)
{
	if (slice_is(key, "user"))
		out->user = value;
	if (slice_is(key, "password"))
		out->password = value;
	if (is_secret_key(key))
		out->has_password = 1;
}

static int parse_keywords(struct slice s, struct arena *a, struct url *out, struct err *err)
{
	struct buf shown = BUF_INIT(SIZE_MAX / 2);
	int rc = 0;
	for (size_t i = skip_blanks(s, 0); i < s.len; i = skip_blanks(s, i)) {
		size_t start = i;
		while (i < s.len && s.ptr[i] != '=' && !is_blank(s.ptr[i]))
			i++;
		struct slice key = {s.ptr + start, i - start};
		i = skip_blanks(s, i);
		if (key.len == 0 || i == s.len || s.ptr[i] != '=') {
			rc = err_set(err, ERR_USAGE, "the target is neither a URL nor pairs of key=value");
			goto out;
		}
		i = skip_blanks(s, i + 1);
		size_t value_at = i;
		const char *value = keyword_value(s, &i, a);
		if (!value) {
			rc = err_set(err, ERR_USAGE, "a quote in the target's value of '%.*s' is not closed",
				     SLICE_ARG(key));
			goto out;
		}
		take_keyword(key, value, out);
		buf_fmt(&shown, "%s%.*s=", shown.len ? " " : "", SLICE_ARG(key));
		if (is_secret_key(key))
			buf_str(&shown, "***");
		else
			buf_add(&shown, s.ptr + value_at, i - value_at);
	}
	out->shown = arena_str(a, buf_slice(&shown));
out:
	buf_release(&shown);
	return rc;
}

int url_parse_target(const char *text, struct arena *a, struct url *out, struct err *err)
{
	struct slice s = begin(text, a, out);
	out->scheme = URL_POSTGRES;
	if (slice_starts(s, SLICE("postgresql://")))
		return parse_pg_uri(s, strlen("postgresql://"), a, out, err);
	if (slice_starts(s, SLICE("postgres://")))
		return parse_pg_uri(s, strlen("postgres://"), a, out, err);
	if (slice_starts(s, SLICE("sqlite:"))) {
		out->scheme = URL_SQLITE;
		parse_path(s, "sqlite:", a, out);
		if (out->path[0] && strcmp(out->path, ":memory:") != 0)
			return 0;
		err_set(err, ERR_USAGE, "the target names no SQLite file");
		return err_hint(err, "write sqlite:PATH");
	}
	if (memchr(s.ptr, '=', s.len))
		return parse_keywords(s, a, out, err);
	err_set(err, ERR_USAGE, "the target must begin with postgres:// or sqlite:, or be a libpq keyword string");
	return err_hint(err, "for example postgres://USER@HOST/DATABASE, 'host=HOST dbname=DATABASE', or sqlite:PATH");
}
