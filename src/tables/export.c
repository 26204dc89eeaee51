/* A source table as a CSV file (RFC 4180, a line of names first), as it is stored: for keeping, not for loading. */
#include "config.h"

#include "base/pct.h"
#include "tables/tables_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tables of the same name in several schemas have a file each. */
static const char *csv_path(const struct session *s, const char *dir, const struct tables_row *row)
{
	struct buf name = BUF_INIT(4096);
	if (s->job.schemas.n > 1 && *row->source_schema) {
		pct_file_name(slice_of(row->source_schema), &name);
		buf_ch(&name, '.');
	}
	pct_file_name(slice_of(row->source), &name);
	const char *path = arena_printf(s->a, "%s/%s.csv", dir, buf_slice(&name).ptr).ptr;
	buf_release(&name);
	return path;
}

static int open_csv(const char *dir, const char *path, FILE **out, struct err *err)
{
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_sys(err, ERR_USAGE, errno, "cannot make directory %s", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	*out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (*out)
		return 0;
	err_sys(err, ERR_USAGE, errno, "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	return ERR_USAGE;
}

static void put_field(FILE *f, struct slice text)
{
	int quote = 0;
	for (size_t i = 0; i < text.len; i++)
		quote |= text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
	if (!quote && text.len) {
		fwrite(text.ptr, 1, text.len, f);
		return;
	}
	if (!text.ptr) /* NULL is nothing, "" an empty text */
		return;
	fputc('"', f);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			fputc('"', f);
		fputc(text.ptr[i], f);
	}
	fputc('"', f);
}

static int export_lite(struct session *s, const struct tables_row *row, FILE *f, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	const char *sql = arena_printf(s->a, "SELECT * FROM %s", ident(s->a, row->source)).ptr;
	int there = 0;
	int rc = lite_stmt(s->lite, sql, &stmt, err);
	for (int i = 0; rc == 0 && i < lite_columns(stmt); i++) {
		fputs(i ? "," : "", f);
		put_field(f, slice_of(lite_column_name(stmt, i)));
	}
	fputs("\r\n", f);
	while (rc == 0 && (rc = lite_step(stmt, &there, err)) == 0 && there) {
		for (int i = 0; i < lite_columns(stmt); i++) {
			fputs(i ? "," : "", f);
			put_field(f, lite_text(stmt, i));
		}
		fputs("\r\n", f);
	}
	lite_done(stmt);
	return rc;
}

static int export_server(struct session *s, const struct tables_row *row, FILE *f, struct err *err)
{
	char *data;
	int n;
	PGresult *res;
	int rc = pgc_exec(&s->source,
			  arena_printf(s->a, "COPY (SELECT * FROM ONLY %s) TO STDOUT (FORMAT csv, HEADER)",
				       qualified(s->a, row->source_schema, row->source))
			      .ptr,
			  NULL, err);
	if (rc)
		return rc;
	while ((n = PQgetCopyData(s->source.conn, &data, 0)) > 0) {
		fwrite(data, 1, (size_t)n, f);
		PQfreemem(data);
	}
	while ((res = PQgetResult(s->source.conn)) != NULL) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK && rc == 0)
			rc = pgc_fail(&s->source, res, err);
		PQclear(res);
	}
	return rc;
}

int export_csv(struct session *s, const struct tables_row *row, const char *dir, struct err *err)
{
	const char *path = csv_path(s, dir, row);
	FILE *f = NULL;
	int rc = open_csv(dir, path, &f, err);
	if (rc)
		return rc;
	rc = s->sqlite ? export_lite(s, row, f, err) : export_server(s, row, f, err);
	if (rc == 0 && fflush(f) != 0)
		rc = err_sys(err, ERR_USAGE, errno, "cannot write %s", path);
	if (rc == 0 && ferror(f)) /* an earlier write; why is forgotten */
		rc = err_set(err, ERR_USAGE, "cannot write %s", path);
	if (fclose(f) != 0 && rc == 0)
		rc = err_sys(err, ERR_USAGE, errno, "cannot write %s", path);
	return rc;
}
