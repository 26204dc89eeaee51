/*
 * url: what --source and --target name, and how they may be shown. The password is kept apart and is never in `shown`.
 * Parsing follows RFC 3986; the authority's userinfo is percent-decoded. Threads: one thread at a time.
 */
#ifndef SETTLE_BASE_URL_H
#define SETTLE_BASE_URL_H

#include "base/arena.h"
#include "base/err.h"

enum url_scheme { URL_HTTP, URL_HTTPS, URL_FILE, URL_STDIN, URL_POSTGRES, URL_SQLITE };

struct url {
	enum url_scheme scheme;
	const char *text;     /* as given (may hold the password): never log it */
	const char *shown;    /* redacted: password replaced by ***, query values of secret-looking keys too */
	const char *base;     /* http: "http://host:port" without userinfo and path */
	const char *user;     /* decoded, or NULL */
	const char *password; /* decoded, or NULL */
	const char *path;     /* http: path with leading '/', still encoded, no trailing '/'; file, sqlite: the path */
	int has_password;     /* a password stood in the URL: warn */
};

/* --source: http[s]://, file:PATH, file:-. Everything in *out lives in the arena. ERR_USAGE names what is wrong. */
MUST_CHECK int url_parse_source(const char *text, struct arena *a, struct url *out, struct err *err);
/* --target: postgres[ql]://, a libpq keyword string (has a '='), sqlite:PATH. */
MUST_CHECK int url_parse_target(const char *text, struct arena *a, struct url *out, struct err *err);

#endif
