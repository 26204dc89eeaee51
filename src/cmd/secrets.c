#include "config.h"

#include "cmd/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_MAX 4096

void secret_scrub(const char *given, const char *shown)
{
	char *to = (char *)(uintptr_t)given;
	size_t n = strlen(given), shown_len = strlen(shown);
	if (strcmp(given, shown) == 0)
		return;
	memset(to, 0, n);
	memcpy(to, shown, shown_len < n ? shown_len : n);
}

static int read_first_line(int fd, const char *path, char *line, struct err *err)
{
	size_t len = 0;
	ssize_t n = 1;
	while (n > 0 && len < PASSWORD_MAX) {
		n = read(fd, line + len, PASSWORD_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return err_sys(err, ERR_USAGE, errno, "cannot read password file %s", path);
	line[len] = 0;
	line[strcspn(line, "\r\n")] = 0;
	if (!*line)
		return err_set(err, ERR_USAGE, "the first line of password file %s is empty", path);
	return 0;
}

static int password_of_file(struct cmd_context *c, const char *path, const char **out, struct err *err)
{
	char line[PASSWORD_MAX + 1];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, ERR_USAGE, errno, "cannot open password file %s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 077)
		log_at(c->log, LOG_WARN, "password file %s can be read by others; chmod 600 it", path);
	int rc = read_first_line(fd, path, line, err);
	close(fd);
	if (rc == 0)
		*out = arena_str(c->arena, slice_of(line));
	explicit_bzero(line, sizeof(line));
	return rc;
}

int source_password(struct cmd_context *c, const char **out, struct err *err)
{
	const char *variable = getenv("SETTLE_SOURCE_PASSWORD");
	*out = NULL;
	if (c->global->source_password_file)
		return password_of_file(c, c->global->source_password_file, out, err);
	if (variable && *variable)
		*out = variable;
	return 0;
}
