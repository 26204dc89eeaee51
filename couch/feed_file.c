#include "config.h"

#include "couch/couch_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PACKED_CHUNK ((size_t)128 * 1024)
#define STOP_POLL_MS 100

enum packing { PACKING_UNKNOWN, PACKING_PLAIN, PACKING_GZIP };

struct feed_file {
	struct feed_input in; /* first: cast back from it */
	const atomic_int *stop;
	int fd;
	enum packing packing;
	int ended;       /* the file has no more bytes */
	int member_open; /* gzip: inside a member, its trailer not yet seen */
	z_stream z;      /* next_in/avail_in: what of `packed` is left, plain files too */
	char packed[PACKED_CHUNK];
};

/* Waits with an eye on the stop flag: a pipe may be silent for long. */
static int wait_readable(struct feed_file *f, struct err *err)
{
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	for (;;) {
		if (couch_stopped(f->stop))
			return couch_stop_error(err);
		int n = poll(&p, 1, STOP_POLL_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_SOURCE, errno, "cannot wait for the feed");
	}
}

/* Reads from disk or pipe; *got = 0 at the end. */
static int read_fd(struct feed_file *f, char *room, size_t size, size_t *got, struct err *err)
{
	for (;;) {
		int rc = wait_readable(f, err);
		if (rc)
			return rc;
		ssize_t n = read(f->fd, room, size);
		if (n >= 0) {
			*got = (size_t)n;
			f->in.raw_bytes += (uint64_t)n;
			f->ended = n == 0;
			return 0;
		}
		if (errno != EINTR && errno != EAGAIN)
			return err_sys(err, ERR_SOURCE, errno, "cannot read the feed");
	}
}

/* More packed bytes behind the ones that are left. */
static int refill(struct feed_file *f, struct err *err)
{
	size_t left = f->z.avail_in, got = 0;
	if (f->ended)
		return 0;
	if (left)
		memmove(f->packed, f->z.next_in, left);
	int rc = read_fd(f, f->packed + left, sizeof(f->packed) - left, &got, err);
	f->z.next_in = (Bytef *)f->packed;
	f->z.avail_in = (uInt)(left + got);
	return rc;
}

static int is_packed_as(const struct feed_file *f, const char *magic, size_t len)
{
	return f->z.avail_in >= len && memcmp(f->z.next_in, magic, len) == 0;
}

/* Tells gzip from plain by the first bytes, and names what settle does not unpack. */
static int detect(struct feed_file *f, struct err *err)
{
	while (f->z.avail_in < 6 && !f->ended) {
		int rc = refill(f, err);
		if (rc)
			return rc;
	}
	if (is_packed_as(f, "\x28\xb5\x2f\xfd", 4) ||
	    is_packed_as(f,
			 "\xfd"
			 "7zXZ",
			 5) ||
	    is_packed_as(f, "BZh", 3) || is_packed_as(f, "PK\x03\x04", 4)) {
		err_set(err, ERR_SOURCE, "packed with something other than gzip");
		err_hint(err, "unpack it first, and give it as file:- through a pipe");
		return ERR_SOURCE;
	}
	f->packing = is_packed_as(f, "\x1f\x8b", 2) ? PACKING_GZIP : PACKING_PLAIN;
	if (f->packing == PACKING_GZIP && inflateInit2(&f->z, 15 + 16) != Z_OK)
		return err_set(err, ERR_INTERNAL, "zlib cannot be set up");
	f->member_open = f->packing == PACKING_GZIP;
	return 0;
}

static int read_plain(struct feed_file *f, char *room, size_t size, size_t *got, struct err *err)
{
	size_t left = f->z.avail_in;
	if (!left)
		return f->ended ? 0 : read_fd(f, room, size, got, err);
	*got = left < size ? left : size;
	memcpy(room, f->z.next_in, *got);
	f->z.next_in += *got;
	f->z.avail_in -= (uInt)*got;
	return 0;
}

static int gzip_error(struct feed_file *f, const char *what, struct err *err)
{
	uint64_t at = f->in.raw_bytes - f->z.avail_in;
	err_set(err, ERR_SOURCE, "gzip: %s at packed byte %" PRIu64, what, at);
	err_hint(err, "test it with gzip -t; the recording is damaged or incomplete");
	return ERR_SOURCE;
}

/* One turn of inflate. *more = it may give more bytes. */
static int inflate_some(struct feed_file *f, int *more, struct err *err)
{
	*more = 1;
	if (!f->z.avail_in) {
		int rc = refill(f, err);
		if (rc)
			return rc;
	}
	if (!f->z.avail_in && f->ended) {
		*more = 0;
		return f->member_open ? gzip_error(f, "the file ends too early", err) : 0;
	}
	if (!f->member_open) { /* gzip files may be joined end to end */
		inflateReset(&f->z);
		f->member_open = 1;
	}
	int z = inflate(&f->z, Z_NO_FLUSH);
	if (z == Z_STREAM_END)
		f->member_open = 0;
	else if (z != Z_OK && z != Z_BUF_ERROR)
		return gzip_error(f, f->z.msg ? f->z.msg : "damaged data", err);
	return 0;
}

/* What was unpacked before a damaged place is given out first; the error comes with the next call. */
static int read_gzip(struct feed_file *f, char *room, size_t size, size_t *got, struct err *err)
{
	int more = 1, rc = 0;
	f->z.next_out = (Bytef *)room;
	f->z.avail_out = (uInt)size;
	while (!rc && more && f->z.avail_out == size)
		rc = inflate_some(f, &more, err);
	*got = size - f->z.avail_out;
	return *got ? 0 : rc;
}

static int feed_file_read(struct feed_input *in, char *room, size_t size, size_t *got, struct err *err)
{
	struct feed_file *f = (struct feed_file *)in;
	*got = 0;
	if (f->packing == PACKING_UNKNOWN) {
		int rc = detect(f, err);
		if (rc)
			return rc;
	}
	return f->packing == PACKING_GZIP ? read_gzip(f, room, size, got, err) : read_plain(f, room, size, got, err);
}

static void feed_file_close(struct feed_input *in)
{
	struct feed_file *f = (struct feed_file *)in;
	if (f->packing == PACKING_GZIP)
		inflateEnd(&f->z);
	if (f->fd > STDERR_FILENO)
		close(f->fd);
	free(f);
}

static int open_path(const struct url *url, int *fd, int64_t *size, struct err *err)
{
	struct stat st;
	*size = -1;
	if (url->scheme == URL_STDIN) {
		*fd = STDIN_FILENO;
		return 0;
	}
	*fd = open(url->path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(err, ERR_SOURCE, errno, "cannot open %s", url->path);
	if (fstat(*fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		close(*fd);
		return err_set(err, ERR_SOURCE, "%s is no file", url->path);
	}
	if (S_ISREG(st.st_mode))
		*size = st.st_size;
	return 0;
}

int feed_file_open(struct feed_input **out, const struct couch_options *o, struct err *err)
{
	int fd;
	int64_t size;
	int rc = open_path(o->url, &fd, &size, err);
	if (rc)
		return rc;
	struct feed_file *f = calloc(1, sizeof(*f));
	if (!f) {
		if (fd > STDERR_FILENO)
			close(fd);
		return err_set(err, ERR_INTERNAL, "out of memory");
	}
	f->in = (struct feed_input){.read = feed_file_read, .close = feed_file_close, .size = size};
	f->stop = o->stop;
	f->fd = fd;
	*out = &f->in;
	return 0;
}
