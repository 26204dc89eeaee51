/*
 * bare_sqlite FROM TO: what storing alone costs. Copies every table of the SQLite file FROM (its CREATE TABLE with the
 * primary key, no further index) into the fresh file TO by prepared inserts, 1000 rows a transaction, journal and cache
 * as settle has them. Rows are read into memory first, batch by batch in the order in which they were stored; only the
 * inserting side is timed. Prints "WALL CPU ROWS": seconds, seconds of CPU, rows.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 1000

struct stopwatch {
	double wall, cpu;
	double wall_start, cpu_start;
};

struct copy {
	sqlite3 *from, *to;
	struct stopwatch time;
	long long rows;
};

struct batch {
	sqlite3_value **cells;
	int columns, rows;
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void stopwatch_start(struct stopwatch *s)
{
	s->wall_start = now(CLOCK_MONOTONIC);
	s->cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);
}

static void stopwatch_stop(struct stopwatch *s)
{
	s->wall += now(CLOCK_MONOTONIC) - s->wall_start;
	s->cpu += now(CLOCK_PROCESS_CPUTIME_ID) - s->cpu_start;
}

static void must(sqlite3 *db, int rc, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	fprintf(stderr, "bare_sqlite: %s: %s\n", what, sqlite3_errmsg(db));
	exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;

	must(db, sqlite3_prepare_v2(db, sql, -1, &s, NULL), sql);
	return s;
}

static void exec(sqlite3 *db, const char *sql)
{
	must(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static void read_batch(sqlite3_stmt *select, struct batch *b)
{
	b->rows = 0;
	while (b->rows < BATCH && sqlite3_step(select) == SQLITE_ROW) {
		sqlite3_value **row = b->cells + (size_t)b->rows * (size_t)b->columns;
		for (int i = 0; i < b->columns; i++)
			row[i] = sqlite3_value_dup(sqlite3_column_value(select, i));
		b->rows++;
	}
}

static void insert_batch(struct copy *c, sqlite3_stmt *insert, const struct batch *b)
{
	stopwatch_start(&c->time);
	exec(c->to, "BEGIN");
	for (int r = 0; r < b->rows; r++) {
		for (int i = 0; i < b->columns; i++)
			sqlite3_bind_value(insert, i + 1, b->cells[r * b->columns + i]);
		must(c->to, sqlite3_step(insert), "insert");
		sqlite3_reset(insert);
	}
	exec(c->to, "COMMIT");
	stopwatch_stop(&c->time);
	c->rows += b->rows;
}

static void release_batch(struct batch *b)
{
	for (int i = 0; i < b->rows * b->columns; i++)
		sqlite3_value_free(b->cells[i]);
}

static sqlite3_stmt *prepare_insert(sqlite3 *to, const char *table, int columns)
{
	sqlite3_str *sql = sqlite3_str_new(to);

	sqlite3_str_appendf(sql, "INSERT INTO \"%w\" VALUES (?", table);
	for (int i = 1; i < columns; i++)
		sqlite3_str_appendall(sql, ",?");
	sqlite3_str_appendchar(sql, 1, ')');
	char *text = sqlite3_str_finish(sql);
	sqlite3_stmt *s = prepare(to, text);
	sqlite3_free(text);
	return s;
}

static void copy_table(struct copy *c, const char *table)
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" NOT INDEXED", table);
	sqlite3_stmt *select = prepare(c->from, sql);
	struct batch b = {.columns = sqlite3_column_count(select)};

	sqlite3_free(sql);
	b.cells = calloc(BATCH * (size_t)b.columns, sizeof(sqlite3_value *));
	if (!b.cells)
		exit(1);
	sqlite3_stmt *insert = prepare_insert(c->to, table, b.columns);
	do { /* a short batch is the last: stepping on would begin the table again */
		read_batch(select, &b);
		insert_batch(c, insert, &b);
		release_batch(&b);
	} while (b.rows == BATCH);
	must(c->from, sqlite3_finalize(select), table);
	sqlite3_finalize(insert);
	free(b.cells);
}

static void copy_tables(struct copy *c)
{
	sqlite3_stmt *tables = prepare(c->from, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
						" AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");

	while (sqlite3_step(tables) == SQLITE_ROW) {
		exec(c->to, (const char *)sqlite3_column_text(tables, 1));
		copy_table(c, (const char *)sqlite3_column_text(tables, 0));
	}
	must(c->from, sqlite3_finalize(tables), "tables");
}

int main(int argc, char **argv)
{
	struct copy c = {0};

	if (argc != 3) {
		fprintf(stderr, "usage: bare_sqlite FROM TO\n");
		return 2;
	}
	must(c.from, sqlite3_open_v2(argv[1], &c.from, SQLITE_OPEN_READONLY, NULL), argv[1]);
	must(c.to, sqlite3_open(argv[2], &c.to), argv[2]);
	exec(c.to, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384; "
		   "PRAGMA wal_autocheckpoint=16384");
	copy_tables(&c);
	stopwatch_start(&c.time);
	sqlite3_close(c.to); /* the last checkpoint of the WAL belongs to storing */
	stopwatch_stop(&c.time);
	sqlite3_close(c.from);
	printf("%.3f %.3f %lld\n", c.time.wall, c.time.cpu, c.rows);
	return 0;
}
