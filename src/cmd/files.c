#include "config.h"

#include "cmd/print.h"

#include <errno.h>

int read_file(const char *path, struct arena *a, struct slice *out, struct err *err)
{
	struct buf b = BUF_INIT((size_t)1 << 30);
	FILE *f = fopen(path, "rbe");
	int rc = 0;
	if (!f)
		return err_sys(err, ERR_USAGE, errno, "cannot open %s", path);
	char *room;
	size_t n = 1;
	while (n > 0 && (room = buf_room(&b, 65536))) {
		n = fread(room, 1, 65536, f);
		b.len += n;
	}
	if (ferror(f))
		rc = err_sys(err, ERR_USAGE, errno, "cannot read %s", path);
	else if (b.failed)
		rc = err_set(err, ERR_USAGE, "%s is larger than 1 GiB", path);
	fclose(f);
	if (rc == 0)
		*out = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return rc;
}

int read_json_file(const char *path, struct arena *a, struct json *out, struct err *err)
{
	struct slice text;
	if (read_file(path, a, &text, err))
		return err->code;
	if (json_read(text, a, 0, out, NULL, err)) {
		err->code = ERR_USAGE;
		return err_prefix(err, "%s", path);
	}
	return 0;
}
