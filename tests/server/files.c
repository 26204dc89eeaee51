/* files.c */
#include "config.h"

#include "tests/server/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE ((size_t)1 << 20)

int file_read(const char *path, struct buf *out, struct err *err)
{
	gzFile f = gzopen(path, "rbe");
	int n = 0, rc = 0, code = Z_OK;

	if (!f)
		return err_sys(err, ERR_USAGE, errno, "%s", path);
	do {
		char *room = buf_room(out, PIECE);

		n = room ? gzread(f, room, PIECE) : 0;
		out->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	gzerror(f, &code);
	if (n < 0 || code == Z_BUF_ERROR)
		rc = err_set(err, ERR_USAGE, "%s cannot be read whole", path);
	gzclose(f);
	return rc ? rc : buf_check(out, path, err);
}

int file_write_whole(const char *path, struct slice text, struct err *err)
{
	struct buf part = BUF_INIT(4096);
	int fd, rc = 0;

	buf_fmt(&part, "%s.part", path);
	if (buf_check(&part, "the file name", err))
		return err->code;
	fd = open(part.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len)
		rc = err_sys(err, ERR_USAGE, errno, "%s", part.ptr);
	if (fd >= 0)
		close(fd);
	if (!rc && rename(part.ptr, path))
		rc = err_sys(err, ERR_USAGE, errno, "%s", path);
	buf_release(&part);
	return rc;
}
