/* recorded.c */
#include "config.h"

#include "tests/server/recorded.h"

#include "tests/server/files.h"
#include "tests/server/server.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 30)

struct recording {
	struct buf request; /* the line; the slices below point into it */
	struct buf answer;
	struct slice method, target, body, user; /* user.ptr NULL: anonymous */
};

struct recorded {
	struct recording *list;
	size_t count;
};

/* What follows `flag` on the line, up to the next space (or the end, for -d). */
static struct slice argument(struct slice line, const char *flag, int to_end)
{
	const char *at = memmem(line.ptr, line.len, flag, strlen(flag));
	struct slice found = SLICE_NONE;

	if (!at)
		return found;
	found.ptr = at + strlen(flag);
	found.len = (size_t)(line.ptr + line.len - found.ptr);
	if (!to_end && memchr(found.ptr, ' ', found.len))
		found.len = (size_t)((const char *)memchr(found.ptr, ' ', found.len) - found.ptr);
	return found;
}

static int read_line(struct recording *r)
{
	struct slice line = buf_slice(&r->request), host;
	const char *path;

	while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	host = argument(line, "http://", 0);
	path = host.ptr ? memchr(host.ptr, '/', host.len) : NULL;
	if (!path)
		return -1;
	r->target = (struct slice){path, host.len - (size_t)(path - host.ptr)};
	r->body = argument(line, " -d ", 1);
	r->user = argument(line, "-u ", 0);
	r->method = argument(line, "-X ", 0);
	if (!r->method.ptr)
		r->method = r->body.ptr ? SLICE("POST") : SLICE("GET");
	return 0;
}

static int load_one(struct recorded *r, const char *dir, struct slice name, struct err *err)
{
	struct recording *made;
	struct buf path = BUF_INIT(4096);
	int rc;

	r->list = xgrow(r->list, (r->count + 1) * sizeof(*r->list));
	made = &r->list[r->count++];
	*made = (struct recording){.request = BUF_INIT(FILE_MAX), .answer = BUF_INIT(FILE_MAX)};
	buf_fmt(&path, "%s/%.*s.request", dir, SLICE_ARG(name));
	rc = file_read(path.ptr, &made->request, err);
	buf_clear(&path);
	buf_fmt(&path, "%s/%.*s.http", dir, SLICE_ARG(name));
	if (!rc)
		rc = file_read(path.ptr, &made->answer, err);
	if (!rc && read_line(made))
		rc = err_set(err, ERR_USAGE, "%s/%.*s.request names no http:// address", dir, SLICE_ARG(name));
	buf_release(&path);
	return rc;
}

int recorded_load(const char *dir, struct recorded **out, struct err *err)
{
	struct recorded *r = xalloc(sizeof(*r));
	DIR *d = opendir(dir);
	struct dirent *entry;
	int rc = d ? 0 : err_sys(err, ERR_USAGE, errno, "%s", dir);

	while (!rc && (entry = readdir(d))) {
		struct slice name = slice_of(entry->d_name), ending = SLICE(".request");

		if (name.len > ending.len &&
		    slice_is((struct slice){name.ptr + name.len - ending.len, ending.len}, ending.ptr))
			rc = load_one(r, dir, (struct slice){name.ptr, name.len - ending.len}, err);
	}
	if (d)
		closedir(d);
	if (rc)
		recorded_free(r);
	*out = rc ? NULL : r;
	return rc;
}

void recorded_free(struct recorded *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		buf_release(&r->list[i].request);
		buf_release(&r->list[i].answer);
	}
	free(r->list);
	free(r);
}

/* How well the credentials fit: 2 the same, 1 some where any were recorded, 0 otherwise. */
static int fit(const struct recording *r, const struct request *req)
{
	struct buf wanted = BUF_INIT(4096);
	int same;

	if (!r->user.ptr)
		return req->authorization.ptr || req->cookie.ptr ? 0 : 2;
	if (slice_is(r->user, "USER:PASSWORD"))
		return 1;
	buf_str(&wanted, "Basic ");
	base64_write(r->user, &wanted);
	same = req->authorization.ptr && slice_eq(req->authorization, buf_slice(&wanted));
	buf_release(&wanted);
	return same ? 2 : 0;
}

int recorded_answer(struct conn *c)
{
	const struct recorded *r = c->site->recorded;
	const struct recording *best = NULL;
	int best_fit = 0;
	size_t head_len;

	for (size_t i = 0; r && i < r->count; i++) {
		const struct recording *one = &r->list[i];
		int f = fit(one, &c->req);

		if (f > best_fit && slice_eq(one->method, c->req.method) && slice_eq(one->target, c->req.target) &&
		    slice_eq(one->body, c->req.body)) {
			best = one;
			best_fit = f;
		}
	}
	if (!best)
		return 0;
	head_len = best->answer.len;
	if (best->answer.len && memmem(best->answer.ptr, best->answer.len, "\r\n\r\n", 4))
		head_len = (size_t)((const char *)memmem(best->answer.ptr, best->answer.len, "\r\n\r\n", 4) -
				    best->answer.ptr) +
			   4;
	c->head_left += head_len;
	buf_adds(&c->out, buf_slice(&best->answer));
	c->close = 1;
	return 1;
}
