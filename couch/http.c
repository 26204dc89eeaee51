#include "config.h"

#include "base/clock.h"
#include "couch/couch_internal.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#define INBOX_PAUSE ((size_t)256 * 1024)
#define RECEIVE_BYTES 131072L /* at a time; libcurl begins with less */
#define INBOX_MAX ((size_t)16 * 1024 * 1024)
#define REFUSAL_MAX ((size_t)64 * 1024)
#define POLL_MS 100
#define CONNECT_TIMEOUT_S 10
#define STALL_TIMEOUT_S 60

struct http {
	struct couch_options o;
	const char *user;
	CURL *easy;
	CURLM *multi;
	CURLU *address;
	struct curl_slist *headers;
	struct buf inbox;   /* bytes that came and were not given out */
	struct buf refusal; /* the body when the status is no success */
	uint64_t received;  /* body bytes, refusals too: tells a stall */
	int under_way;      /* easy is in multi */
	int paused;         /* the inbox was full */
	int done;           /* libcurl has finished with `result` */
	CURLcode result;
	char detail[CURL_ERROR_SIZE];
};

/* libcurl wants this once a process, before any thread uses it. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_once_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

long http_status(const struct http *h)
{
	long status = 0;
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

int http_is_success(long status)
{
	return status >= 200 && status < 300;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http *h = context;
	size_t n = size * count;
	if (!http_is_success(http_status(h))) {
		buf_add(&h->refusal, bytes, n);
		h->received += n;
		return n;
	}
	if (h->inbox.len >= INBOX_PAUSE) {
		h->paused = 1;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&h->inbox, bytes, n);
	h->received += n;
	return n;
}

/* ---- setting up ---- */

static const char *password_of(const struct http *h)
{
	return h->o.password ? h->o.password : h->o.url->password;
}

/* A password given outright is used; otherwise .netrc may know one. */
static void set_login(struct http *h)
{
	h->user = h->o.user ? h->o.user : h->o.url->user;
	curl_easy_setopt(h->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	if (h->user && password_of(h)) {
		curl_easy_setopt(h->easy, CURLOPT_USERNAME, h->user);
		curl_easy_setopt(h->easy, CURLOPT_PASSWORD, password_of(h));
	} else {
		curl_easy_setopt(h->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
}

/* libcurl looks a user's password up in .netrc only when the user stands in the address. */
static int set_address(struct http *h, const char *url)
{
	int bad = curl_url_set(h->address, CURLUPART_URL, url, 0) != CURLUE_OK;
	if (!bad && h->user && !password_of(h))
		bad = curl_url_set(h->address, CURLUPART_USER, h->user, CURLU_URLENCODE) != CURLUE_OK;
	return bad || curl_easy_setopt(h->easy, CURLOPT_CURLU, h->address) != CURLE_OK;
}

static void set_options(struct http *h)
{
	long connect = h->o.connect_timeout_s > 0 ? h->o.connect_timeout_s : CONNECT_TIMEOUT_S;
	curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->detail);
	curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	curl_easy_setopt(h->easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, connect);
	curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
	set_login(h);
}

int http_open(struct http **out, const struct couch_options *o, struct err *err)
{
	*out = NULL;
	pthread_once(&curl_once, curl_once_init);
	struct http *h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(err, ERR_INTERNAL, "out of memory");
	h->o = *o;
	h->inbox = (struct buf)BUF_INIT(INBOX_MAX);
	h->refusal = (struct buf)BUF_INIT(REFUSAL_MAX);
	h->easy = curl_easy_init();
	h->multi = curl_multi_init();
	h->address = curl_url();
	h->headers = curl_slist_append(NULL, "Accept: application/json");
	if (h->headers)
		h->headers = curl_slist_append(h->headers, "Content-Type: application/json");
	if (!h->easy || !h->multi || !h->address || !h->headers) {
		http_close(h);
		return err_set(err, ERR_INTERNAL, "libcurl cannot be set up");
	}
	set_options(h);
	*out = h;
	return 0;
}

static void drop_request(struct http *h)
{
	if (h->under_way)
		curl_multi_remove_handle(h->multi, h->easy);
	h->under_way = 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	drop_request(h);
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	curl_url_cleanup(h->address);
	curl_slist_free_all(h->headers);
	buf_release(&h->inbox);
	buf_release(&h->refusal);
	free(h);
}

/* ---- one request ---- */

/* method NULL: GET. */
static void set_method(struct http *h, const char *method, struct slice body)
{
	curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (!method)
		return;
	curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, method);
	if (!body.ptr)
		return;
	curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(h->easy, CURLOPT_COPYPOSTFIELDS, body.ptr);
}

int http_begin(struct http *h, const char *url, struct err *err)
{
	return http_send(h, NULL, url, SLICE_NONE, err);
}

int http_send(struct http *h, const char *method, const char *url, struct slice body, struct err *err)
{
	drop_request(h);
	set_method(h, method, body);
	buf_clear(&h->inbox);
	buf_clear(&h->refusal);
	h->received = 0;
	h->paused = h->done = 0;
	h->detail[0] = '\0';
	if (set_address(h, url))
		return err_set(err, ERR_USAGE, "%s is no address that can be asked", h->o.url->shown);
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return err_set(err, ERR_INTERNAL, "libcurl takes no request");
	h->under_way = 1;
	return 0;
}

struct slice http_refusal(const struct http *h)
{
	return buf_slice(&h->refusal);
}

static int finish(struct http *h, struct err *err)
{
	const char *location = NULL;
	long status = http_status(h);
	if (h->result != CURLE_OK)
		return http_transport_error((int)h->result, h->detail, err);
	if (http_is_success(status))
		return 0;
	curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &location);
	return http_status_error(status, buf_slice(&h->refusal), h->user, location, err);
}

static int perform(struct http *h, struct err *err)
{
	int running, queued;
	CURLMsg *m;
	CURLMcode code = curl_multi_perform(h->multi, &running);
	if (code != CURLM_OK)
		return err_set(err, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
	while ((m = curl_multi_info_read(h->multi, &queued))) {
		if (m->msg != CURLMSG_DONE)
			continue;
		h->done = 1;
		h->result = m->data.result;
	}
	return 0;
}

static int stall_error(const struct http *h, int seconds, struct err *err)
{
	if (h->received)
		err_set(err, ERR_SOURCE, "the connection was lost: nothing came for %d seconds", seconds);
	else
		err_set(err, ERR_SOURCE, "no answer within %d seconds", seconds);
	return couch_mark(err, CURLE_OPERATION_TIMEDOUT, 1);
}

/* Until bytes lie in the inbox or the request is done. Only the time spent waiting here counts as a stall. */
static int wait_for_bytes(struct http *h, struct err *err)
{
	int stall_s = h->o.stall_timeout_s > 0 ? h->o.stall_timeout_s : STALL_TIMEOUT_S;
	int64_t last = clock_mono_us();
	uint64_t seen = h->received;
	for (;;) {
		int rc = perform(h, err);
		if (rc || h->inbox.len || h->done)
			return rc;
		if (couch_stopped(h->o.stop))
			return couch_stop_error(err);
		int64_t at = clock_mono_us();
		if (h->received != seen) {
			seen = h->received;
			last = at;
		} else if (at - last > (int64_t)stall_s * 1000000) {
			return stall_error(h, stall_s, err);
		}
		curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
	}
}

int http_read(struct http *h, struct slice *bytes, struct err *err)
{
	int rc = 0;
	*bytes = SLICE("");
	buf_clear(&h->inbox);
	if (h->paused) {
		h->paused = 0;
		curl_easy_pause(h->easy, CURLPAUSE_CONT);
	}
	if (!h->inbox.len && !h->done)
		rc = wait_for_bytes(h, err);
	if (!rc && !h->inbox.len)
		rc = finish(h, err);
	*bytes = buf_slice(&h->inbox);
	return rc;
}
