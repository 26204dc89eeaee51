#include "config.h"

#include "tests/unit/audit_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct audit *trail_open(const struct fixture *f, const char *domain, unsigned flags)
{
	struct audit *t = NULL;
	struct err err = ERR_INIT;
	if (audit_open(&t, f->dir, slice_of(domain), flags, &err))
		fail_msg("%s", err.msg);
	return t;
}

void trail_begin(struct audit *t)
{
	struct err err = ERR_INIT;
	if (audit_begin(t, &err))
		fail_msg("%s", err.msg);
}

void trail_put(struct audit *t, const char *path, struct slice bytes)
{
	struct err err = ERR_INIT;
	if (audit_put(t, slice_of(path), bytes, &err))
		fail_msg("%s", err.msg);
}

void trail_commit(struct audit *t, const char *event, unsigned flags, char id[AUDIT_ID_SIZE])
{
	static const struct audit_trailer trailers[] = {{"Status", {"live\nor not", 11}}, {"None", {NULL, 0}}};
	struct err err = ERR_INIT;
	struct audit_event e = {.event = event,
				.subject = SLICE("what\nhappened"),
				.text = SLICE("two\nlines"),
				.trailers = trailers,
				.n_trailers = 2,
				.time_us = 1700000000000000,
				.flags = flags};
	if (audit_commit(t, &e, id, &err))
		fail_msg("%s", err.msg);
}

const char *trail_read(struct audit *t, const char *path, struct arena *a)
{
	struct err err = ERR_INIT;
	struct slice bytes;
	int rc = audit_read(t, slice_of(path), a, &bytes, &err);
	if (rc == ERR_NOTFOUND)
		return NULL;
	if (rc)
		fail_msg("%s", err.msg);
	return arena_str(a, bytes);
}

int shell(const struct fixture *f, const char *fmt)
{
	struct buf b = BUF_INIT(4096);
	int rc;
	for (const char *c = fmt; *c; c++) {
		if (*c == '@')
			buf_str(&b, f->dir);
		else
			buf_ch(&b, *c);
	}
	rc = system(b.ptr);
	buf_release(&b);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

void assert_sound(const struct fixture *f)
{
	assert_int_equal(
	    shell(f, "git -C @/audit.git fsck --strict --no-dangling >@/fsck 2>&1 || { cat @/fsck; exit 1; }; "
		     "! grep -v '^notice' @/fsck"),
	    0);
}

struct audit_cursor *open_cursor(struct audit *t, const char *prefix)
{
	struct audit_cursor *c = NULL;
	struct err err = ERR_INIT;
	if (audit_cursor_open(&c, t, slice_of(prefix), &err))
		fail_msg("%s", err.msg);
	return c;
}

int next_file(struct audit_cursor *c, struct audit_file *out)
{
	struct err err = ERR_INIT;
	int more;
	if (audit_cursor_next(c, out, &more, &err))
		fail_msg("%s", err.msg);
	return more;
}

int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/settle-audit-XXXXXX");
	return mkdtemp(f->dir) ? 0 : -1;
}

int remove_fixture(void **state)
{
	struct fixture *f = *state;
	int rc = shell(f, "rm -rf @");
	arena_release(&f->a);
	free(f);
	return rc;
}
