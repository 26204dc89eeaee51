#include "config.h"

#include "couch/couch_internal.h"

#include <curl/curl.h>
#include <stdio.h>

int couch_mark(struct err *err, int native, int retryable)
{
	if (!err)
		return ERR_SOURCE;
	err->native = native;
	err->retryable = retryable;
	return (int)err->code;
}

int couch_stop_error(struct err *err)
{
	return err_set(err, ERR_STOPPED, "stopped");
}

/* ---- what CouchDB says ---- */

static int read_error_body(struct slice body, struct arena *a, struct slice *name, struct slice *reason)
{
	struct json v;
	*name = *reason = SLICE_NONE;
	if (json_read(body, a, 0, &v, NULL, NULL) != 0)
		return 0;
	*name = json_get_text(&v, "error");
	*reason = json_get_text(&v, "reason");
	return name->ptr != NULL;
}

int couch_said(struct slice body, char out[COUCH_SAID_SIZE])
{
	struct arena a = ARENA_INIT;
	struct slice name, reason;
	int ok = read_error_body(body, &a, &name, &reason);
	out[0] = '\0';
	if (ok && reason.len)
		snprintf(out, COUCH_SAID_SIZE, "%.*s: %.*s", SLICE_ARG(name), SLICE_ARG(reason));
	else if (ok)
		snprintf(out, COUCH_SAID_SIZE, "%.*s", SLICE_ARG(name));
	arena_release(&a);
	return ok;
}

int couch_said_no_database(struct slice body)
{
	struct arena a = ARENA_INIT;
	struct slice name, reason;
	int no = read_error_body(body, &a, &name, &reason) &&
		 (slice_is(reason, "Database does not exist.") || slice_is(reason, "no_db_file"));
	arena_release(&a);
	return no;
}

/* ---- what HTTP says ---- */

static void refused_user(struct slice body, const char *user, struct err *err)
{
	char said[COUCH_SAID_SIZE];
	int known = couch_said(body, said);
	if (user)
		err_set(err, ERR_SOURCE, "the server refuses the user \"%s\"%s%s", user, known ? ": " : "", said);
	else
		err_set(err, ERR_SOURCE, "the server wants a user and a password%s%s", known ? ": " : "", said);
	err_hint(err,
		 "name the user in the URL (http://USER@HOST/DB); give the password in SETTLE_SOURCE_PASSWORD, with "
		 "--source-password-file, or in ~/.netrc");
}

static const char *status_hint(long status)
{
	switch (status) {
	case 403:
		return "the user lacks the right to read this database; see its _security document";
	case 404:
		return "no such database? its name is the last part of the URL";
	case 429:
		return "the server limits how fast it is asked; try again later, or with --max-rate";
	default:
		return NULL;
	}
}

int http_status_error(long status, struct slice body, const char *user, const char *location, struct err *err)
{
	char said[COUCH_SAID_SIZE];
	int known = couch_said(body, said);
	const char *hint = status_hint(status);
	if (status == 401)
		refused_user(body, user, err);
	else if (status == 404 && couch_said_no_database(body))
		err_set(err, ERR_SOURCE, "no such database (404 %s)", said);
	else if (known)
		err_set(err, ERR_SOURCE, "the server answered %ld %s", status, said);
	else
		err_set(err, ERR_SOURCE, "the server answered %ld, and not in CouchDB's way", status);
	if (status >= 300 && status < 400 && location)
		err_hint(err, "it points to %s: use that address", location);
	else if (hint)
		err_hint(err, "%s", hint);
	return couch_mark(err, (int)status, status == 408 || status == 429 || status >= 500);
}

/* ---- what the connection says ---- */

static int connect_error(int curl_code, const char *detail, struct err *err)
{
	if (curl_code == CURLE_COULDNT_RESOLVE_HOST)
		err_set(err, ERR_SOURCE, "the host's name is not known: %s", detail);
	else
		err_set(err, ERR_SOURCE, "cannot connect: %s", detail);
	err_hint(err, "does CouchDB run there, and may this machine reach it?");
	return couch_mark(err, curl_code, 1);
}

static int tls_error(int curl_code, const char *detail, struct err *err)
{
	err_set(err, ERR_SOURCE, "TLS: %s", detail);
	err_hint(err, "if the certificate comes from an authority of your own, put that authority's certificate into "
		      "/usr/local/share/ca-certificates and run update-ca-certificates; is this a port for https?");
	return couch_mark(err, curl_code, 0);
}

static int lost_error(int curl_code, const char *detail, struct err *err)
{
	err_set(err, ERR_SOURCE, "the connection was lost: %s", detail);
	return couch_mark(err, curl_code, 1);
}

int http_transport_error(int curl_code, const char *detail, struct err *err)
{
	if (!detail || !detail[0])
		detail = curl_easy_strerror((CURLcode)curl_code);
	switch (curl_code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		return connect_error(curl_code, detail, err);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return tls_error(curl_code, detail, err);
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return lost_error(curl_code, detail, err);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		err_set(err, ERR_SOURCE, "what answers there does not speak HTTP: %s", detail);
		return couch_mark(err, curl_code, 0);
	default:
		err_set(err, ERR_SOURCE, "%s", detail);
		return couch_mark(err, curl_code, 0);
	}
}
