/*
 * lag: how long after the source's answer a document is visible in PostgreSQL. Writes documents into a CouchDB database at a steady rate and
 * polls the target for them; prints median, p99 and the largest, in milliseconds.
 * usage: lag DB-URL CONNINFO WRITES-A-SECOND SECONDS
 */
#include "config.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lag {
	const char *url;
	int rate, total;
	int64_t *answered, *visible; /* by number, microseconds */
	atomic_int written, failed;
};

static size_t drop(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

static int put(CURL *curl, const struct lag *l, int n)
{
	char url[1024];
	long status = 0;

	snprintf(url, sizeof(url), "%s/lag-%08d", l->url, n);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
	curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "{\"doc_type\":\"Lag\",\"text\":\"a short document\"}");
	if (curl_easy_perform(curl) != CURLE_OK)
		return -1;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 201 ? 0 : -1;
}

static void *write_all(void *arg)
{
	struct lag *l = arg;
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	int64_t begin = clock_mono_us();

	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	for (int n = 0; n < l->total; n++) {
		while (clock_mono_us() - begin < (int64_t)n * 1000000 / l->rate)
			clock_sleep_ms(1);
		if (put(curl, l, n)) {
			atomic_store(&l->failed, 1);
			break;
		}
		l->answered[n] = clock_mono_us();
		atomic_store(&l->written, n + 1);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return NULL;
}

/* Documents come in the order in which they were written. */
static int see(PGconn *conn, struct lag *l, int seen)
{
	char last[32];
	const char *params[1] = {last};
	PGresult *res;
	int n;

	snprintf(last, sizeof(last), "lag-%08d", seen - 1);
	res = PQexecParams(conn, "SELECT count(*) FROM documents WHERE doc_id > $1", 1, NULL, params, NULL, NULL, 0);
	n = PQresultStatus(res) == PGRES_TUPLES_OK ? (int)strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	PQclear(res);
	for (int i = seen; i < seen + n; i++)
		l->visible[i] = clock_mono_us();
	return seen + n;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(const struct lag *l)
{
	int64_t *lags = calloc((size_t)l->total, sizeof(*lags));

	for (int i = 0; i < l->total; i++)
		lags[i] = l->visible[i] > l->answered[i] ? l->visible[i] - l->answered[i] : 0;
	qsort(lags, (size_t)l->total, sizeof(*lags), by_size);
	printf("lag over %d writes at %d a second: median %.1f ms, p99 %.1f ms, largest %.1f ms\n", l->total, l->rate,
	       (double)lags[l->total / 2] / 1e3, (double)lags[l->total * 99 / 100] / 1e3, (double)lags[l->total - 1] / 1e3);
	free(lags);
}

int main(int argc, char **argv)
{
	struct lag l = {0};
	pthread_t writer;
	PGconn *conn;
	int seen = 0;

	if (argc != 5)
		return fprintf(stderr, "usage: lag DB-URL CONNINFO WRITES-A-SECOND SECONDS\n"), 2;
	l.url = argv[1];
	l.rate = (int)strtol(argv[3], NULL, 10);
	l.total = l.rate * (int)strtol(argv[4], NULL, 10);
	l.answered = calloc((size_t)l.total, sizeof(*l.answered));
	l.visible = calloc((size_t)l.total, sizeof(*l.visible));
	conn = PQconnectdb(argv[2]);
	if (PQstatus(conn) != CONNECTION_OK || curl_global_init(CURL_GLOBAL_DEFAULT))
		return fprintf(stderr, "lag: %s", PQerrorMessage(conn)), 1;
	pthread_create(&writer, NULL, write_all, &l);
	while (seen < l.total && !atomic_load(&l.failed)) {
		seen = see(conn, &l, seen);
		clock_sleep_ms(1);
	}
	pthread_join(writer, NULL);
	if (!atomic_load(&l.failed))
		report(&l);
	PQfinish(conn);
	free(l.answered);
	free(l.visible);
	return atomic_load(&l.failed);
}
