/* auth.c: one user, by password or by cookie. A cookie is user, time and a keyed digest of both, so it outlives a
 * restart. */
#include "config.h"

#include "tests/server/server.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#define COOKIE_SECONDS 600
#define MAC_SIZE 16

static const struct refusal wrong_password = {401, "unauthorized", "Name or password is incorrect."};
static const struct refusal bad_method = {405, "method_not_allowed", "Only GET,HEAD,POST,DELETE allowed"};

static int same(struct slice given, const char *wanted)
{
	return given.ptr && slice_is(given, wanted);
}

static void cookie_value(const struct site *site, time_t until, struct buf *out)
{
	unsigned char mac[MAC_SIZE];
	char hex[2 * MAC_SIZE + 1], time_text[24];
	struct buf signed_text = BUF_INIT(4096);

	snprintf(time_text, sizeof(time_text), "%llX", (unsigned long long)until);
	buf_fmt(&signed_text, "%s:%s:%s", site->user ? site->user : "", time_text,
		site->password ? site->password : "");
	crypto_generichash(mac, sizeof(mac), (const unsigned char *)signed_text.ptr, signed_text.len,
			   (const unsigned char *)site->uuid, 32);
	sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	buf_clear(&signed_text);
	buf_fmt(&signed_text, "%s:%s:%s", site->user ? site->user : "", time_text, hex);
	base64_write(buf_slice(&signed_text), out);
	buf_release(&signed_text);
	for (size_t i = 0; i < out->len; i++)
		out->ptr[i] = out->ptr[i] == '+' ? '-' : out->ptr[i] == '/' ? '_' : out->ptr[i];
	while (out->len && out->ptr[out->len - 1] == '=')
		out->len--;
}

static struct slice cookie_given(const struct conn *c)
{
	static const char name[] = "AuthSession=";
	const char *at;
	struct slice found = SLICE_NONE;

	if (!c->req.cookie.ptr)
		return found;
	at = memmem(c->req.cookie.ptr, c->req.cookie.len, name, sizeof(name) - 1);
	if (!at)
		return found;
	found.ptr = at + sizeof(name) - 1;
	while (found.ptr + found.len < c->req.cookie.ptr + c->req.cookie.len && found.ptr[found.len] != ';')
		found.len++;
	return found;
}

/* The time until which the given cookie says it holds; the digest tells whether that is true. */
static int cookie_holds(const struct conn *c)
{
	struct slice given = cookie_given(c);
	char text[512];
	size_t len;
	unsigned long long until;
	const char *colon;
	struct buf wanted = BUF_INIT(4096);
	int holds;

	if (given.len == 0 || sodium_base642bin((unsigned char *)text, sizeof(text) - 1, given.ptr, given.len, NULL,
						&len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return 0;
	text[len] = 0;
	colon = strchr(text, ':');
	if (!colon || sscanf(colon + 1, "%16llX:", &until) != 1 || until < (unsigned long long)time(NULL))
		return 0;
	cookie_value(c->site, (time_t)until, &wanted);
	holds = slice_eq(given, buf_slice(&wanted));
	buf_release(&wanted);
	return holds;
}

enum who { WHO_NOBODY, WHO_USER, WHO_WRONG };

static enum who by_password(const struct conn *c)
{
	static const char scheme[] = "Basic ";
	struct slice given = c->req.authorization;
	char text[1024];
	size_t len;
	const char *colon;

	if (!given.ptr || !slice_starts(given, SLICE("Basic ")))
		return WHO_NOBODY;
	if (sodium_base642bin((unsigned char *)text, sizeof(text) - 1, given.ptr + sizeof(scheme) - 1,
			      given.len - sizeof(scheme) + 1, NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL))
		return WHO_WRONG;
	text[len] = 0;
	colon = strchr(text, ':');
	if (!colon || !same((struct slice){text, (size_t)(colon - text)}, c->site->user) ||
	    strcmp(colon + 1, c->site->password) != 0)
		return WHO_WRONG;
	return WHO_USER;
}

int auth_check(struct conn *c)
{
	enum who who;

	if (!c->site->user)
		return 1;
	who = by_password(c);
	if (who == WHO_WRONG) {
		respond_refusal(c, &wrong_password);
		return -1;
	}
	return who == WHO_USER || cookie_holds(c);
}

static void set_cookie(const struct conn *c, struct buf *out)
{
	struct buf value = BUF_INIT(4096);
	time_t until = time(NULL) + COOKIE_SECONDS;
	char when[64];
	struct tm tm;

	gmtime_r(&until, &tm);
	strftime(when, sizeof(when), "%a, %d-%b-%Y %H:%M:%S GMT", &tm);
	cookie_value(c->site, until, &value);
	buf_str(out, "AuthSession=");
	buf_adds(out, buf_slice(&value));
	buf_fmt(out, "; Version=1; Expires=%s; Max-Age=%d; Path=/; HttpOnly", when, COOKIE_SECONDS);
	buf_release(&value);
}

/* name and password from JSON or from a form. */
static void login_fields(struct conn *c, struct slice *name, struct slice *password)
{
	struct json json;

	*name = *password = SLICE_NONE;
	if (c->req.content_type.ptr && slice_starts(c->req.content_type, SLICE("application/json"))) {
		if (json_read(c->req.body, &c->arena, 0, &json, NULL, NULL) == 0) {
			*name = json_get_text(&json, "name");
			*password = json_get_text(&json, "password");
		}
		return;
	}
	c->req.query = arena_slice(&c->arena, c->req.body);
	*name = query_get(c, "name");
	*password = query_get(c, "password");
}

static void login(struct conn *c)
{
	struct slice name, password;
	struct buf cookie = BUF_INIT(4096), body = BUF_INIT(4096);
	struct head head = {.status = 200, .flags = HEAD_SESSION};

	login_fields(c, &name, &password);
	if (!c->site->user || !same(name, c->site->user) || !same(password, c->site->password)) {
		head.status = 401;
		head.set_cookie = SLICE("AuthSession=; Version=1; Path=/; HttpOnly");
		respond_json_head(c, &head,
				  SLICE("{\"error\":\"unauthorized\",\"reason\":\"Name or password is incorrect.\"}"));
		return;
	}
	set_cookie(c, &cookie);
	head.set_cookie = buf_slice(&cookie);
	buf_str(&body, "{\"ok\":true,\"name\":");
	json_write_string(name, &body);
	buf_str(&body, ",\"roles\":[\"_admin\"]}");
	respond_json_head(c, &head, buf_slice(&body));
	buf_release(&cookie);
	buf_release(&body);
}

static void show_session(struct conn *c, int known)
{
	struct buf body = BUF_INIT(4096);

	buf_str(&body, "{\"ok\":true,\"userCtx\":{\"name\":");
	if (known && c->site->user)
		json_write_string(slice_of(c->site->user), &body);
	else
		buf_str(&body, "null");
	buf_fmt(&body, ",\"roles\":[%s]},\"info\":{\"authentication_handlers\":[\"cookie\",\"default\"]",
		known ? "\"_admin\"" : "");
	if (known && c->site->user)
		buf_fmt(&body, ",\"authenticated\":\"%s\"", c->req.authorization.ptr ? "default" : "cookie");
	buf_str(&body, "}}");
	respond_json_head(c, &(struct head){.status = 200, .flags = HEAD_SESSION}, buf_slice(&body));
	buf_release(&body);
}

void api_session(struct conn *c)
{
	int known;

	if (slice_is(c->req.method, "POST")) {
		login(c);
		return;
	}
	if (slice_is(c->req.method, "DELETE")) {
		respond_json_head(c,
				  &(struct head){.status = 200,
						 .flags = HEAD_SESSION,
						 .set_cookie = SLICE("AuthSession=; Version=1; Path=/; HttpOnly")},
				  SLICE("{\"ok\":true}"));
		return;
	}
	if (!slice_is(c->req.method, "GET") && !slice_is(c->req.method, "HEAD")) {
		respond_refusal(c, &bad_method);
		return;
	}
	known = auth_check(c);
	if (known >= 0)
		show_session(c, known);
}
