/*
 * bench_sql TARGET ROWS BATCH: forms of about 1 KB put in batches, a transaction each; the same rows again (nothing
 * changes); and for comparison the same rows only appended (PostgreSQL: COPY alone; SQLite: bare prepared inserts).
 */
#include "config.h"

#include "base/clock.h"
#include "sql/tables.h"
#include "sql/target.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY 700

static struct slice hex(struct arena *a, uint64_t seed, int len)
{
	char *text = arena_alloc(a, (size_t)len + 1);
	for (int i = 0; i < len; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		text[i] = "0123456789abcdef"[seed >> 60];
	}
	return (struct slice){text, (size_t)len};
}

static void make_form(struct arena *a, const char *domain, long i, struct sql_row *row)
{
	struct slice *c = row->cells = ARENA_ARRAY(a, FORM_COLUMNS, struct slice);
	uint64_t seed = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) + 1;
	struct slice filler = hex(a, seed + 7, BODY - 150);

	c[FORM_DOMAIN] = slice_of(domain);
	c[FORM_ID] = hex(a, seed, 32);
	c[FORM_DOC_TYPE] = SLICE("XFormInstance");
	c[FORM_XMLNS] = SLICE("http://openrosa.org/formdesigner/0123456789");
	c[FORM_USER_ID] = hex(a, seed % 50, 32);
	c[FORM_APP_ID] = hex(a, 11, 32);
	c[FORM_RECEIVED_ON] = arena_printf(a, "2016-04-%02ldT06:07:%02ld.123456Z", 1 + i / 60 % 28, i % 60);
	c[FORM_SERVER_MODIFIED_ON] = c[FORM_RECEIVED_ON];
	c[FORM_BODY] = arena_printf(a,
				    "{\"@name\":\"visit %ld\",\"meta\":{\"userID\":\"%.*s\",\"timeStart\":\"x\"},"
				    "\"case\":{\"@case_id\":\"%.*s\",\"update\":{\"n\":%ld,\"note\":\"%.*s\"}}}",
				    i, SLICE_ARG(c[FORM_USER_ID]), SLICE_ARG(c[FORM_ID]), i, SLICE_ARG(filler));
	c[FORM_EXTRA] = SLICE("{\"path\":\"/a/demo/receiver\",\"submit_ip\":\"10.0.0.1\"}");
	c[FORM_COUCH_REV] = arena_printf(a, "1-%.*s", SLICE_ARG(hex(a, seed + 3, 32)));
	c[FORM_DELETED] = SLICE("f");
}

static void must(int rc, const struct err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s (%s) %s\n", err->msg, err->sqlstate, err->hint);
	exit(1);
}

enum mode { PUT, PUT_ONLY, APPEND };

static void load(struct sql_target *t, const char *domain, long rows, long batch, enum mode mode, const char *what)
{
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	struct sql_row *forms = calloc((size_t)batch, sizeof(*forms));
	enum sql_outcome *outcomes = calloc((size_t)batch, sizeof(*outcomes));
	int64_t spent = 0;
	long counts[3] = {0};

	for (long at = 0; at < rows; at += batch) {
		struct sql_row *back = NULL;
		for (long i = 0; i < batch; i++)
			make_form(&a, domain, at + i, &forms[i]);
		int64_t from = clock_mono_us();
		must(sql_begin(t, &err), &err);
		if (mode == APPEND)
			must(sql_insert(t, &sql_forms, forms, (size_t)batch, &err), &err);
		else
			must(sql_put(t, &sql_forms, forms, (size_t)batch, outcomes, &a, mode == PUT ? &back : NULL,
				     &err),
			     &err);
		must(sql_commit(t, &err), &err);
		spent += clock_mono_us() - from;
		for (long i = 0; i < batch && mode != APPEND; i++)
			counts[outcomes[i]]++;
		arena_reset(&a);
	}
	printf("%-22s %7.2f s  %8.0f rows/s  inserted %ld updated %ld same %ld\n", what, (double)spent / 1e6,
	       (double)rows / ((double)spent / 1e6), counts[0], counts[1], counts[2]);
	free(forms);
	free(outcomes);
	arena_release(&a);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct arena a = ARENA_INIT;
	struct sql_target *t = NULL;
	struct url url;

	if (argc != 4) {
		fprintf(stderr, "bench_sql TARGET ROWS BATCH\n");
		return 2;
	}
	must(url_parse_target(argv[1], &a, &url, &err), &err);
	must(sql_open(&t, &(struct sql_options){.url = &url, .flags = SQL_CREATE}, &err), &err);
	long rows = strtol(argv[2], NULL, 10), batch = strtol(argv[3], NULL, 10);
	load(t, "append", rows, batch, APPEND, "append only");
	must(sql_begin(t, &err), &err);
	must(sql_delete_range(t, &sql_forms, SLICE("append"), FORM_ID, SLICE_NONE, SLICE_NONE, &err), &err);
	must(sql_commit(t, &err), &err);
	load(t, "only", rows, batch, PUT_ONLY, "put, not read back");
	load(t, "put", rows, batch, PUT, "put and read back");
	load(t, "put", rows, batch, PUT, "put again");
	sql_close(t);
	arena_release(&a);
	return 0;
}
