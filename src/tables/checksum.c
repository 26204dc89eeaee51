/*
 * What a table holds as two numbers that do not depend on the order of rows: how many there are, and the sum of 64 bits
 * of each row's MD5. MD5 because every server of every version has it and computes the same. It is against accidents,
 * not against forgers.
 */
#include "config.h"

#include "tables/tables_internal.h"

const char *checksum_sql(const char *columns, const char *select, struct arena *a)
{
	return arena_printf(
		   a,
		   "SELECT count(*), COALESCE(sum(('x' || substr(md5(t), 1, 16))::bit(64)::bigint::numeric), 0) "
		   "FROM (SELECT ROW(%s)::text AS t FROM (%s) q) x",
		   columns, select)
	    .ptr;
}

int content_of(struct pgc *c, const char *sql, struct arena *a, struct content *out, struct err *err)
{
	PGresult *res = NULL;
	int rc = pgc_exec(c, sql, &res, err);
	if (rc == 0)
		*out = (struct content){pgc_int(res, 0, 0), pgc_text(res, 0, 1, a)};
	PQclear(res);
	return rc;
}
