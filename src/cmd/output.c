#include "config.h"

#include "cmd/output.h"

#include <errno.h>
#include <unistd.h>

static ssize_t write_some(void *cookie, const char *bytes, size_t len)
{
	struct output *o = cookie;
	ssize_t n;
	do
		n = write(o->fd, bytes, len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && !o->error)
		o->error = errno;
	return n < 0 ? 0 : n;
}

int output_open(struct output *o, int fd, struct err *err)
{
	cookie_io_functions_t functions = {.write = write_some};
	*o = (struct output){.fd = fd};
	o->stream = fopencookie(o, "w", functions);
	if (!o->stream)
		return err_sys(err, ERR_INTERNAL, errno, "cannot open standard output");
	setvbuf(o->stream, NULL, isatty(fd) ? _IOLBF : _IOFBF, 1 << 16);
	return 0;
}

int output_close(struct output *o, struct err *err)
{
	if (!o->stream)
		return 0;
	fclose(o->stream);
	o->stream = NULL;
	if (close(o->fd) != 0 && !o->error)
		o->error = errno;
	if (!o->error || o->error == EPIPE)
		return 0;
	return err_sys(err, ERR_INTERNAL, o->error, "cannot write to standard output");
}
