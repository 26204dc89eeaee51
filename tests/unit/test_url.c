#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/url.h"

#include <string.h>

static struct arena a = ARENA_INIT;

static struct url source(const char *text)
{
	struct url u;
	struct err err = ERR_INIT;
	if (url_parse_source(text, &a, &u, &err) != 0)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(u.text, text);
	return u;
}

static struct url target(const char *text)
{
	struct url u;
	struct err err = ERR_INIT;
	if (url_parse_target(text, &a, &u, &err) != 0)
		fail_msg("%s: %s", text, err.msg);
	assert_string_equal(u.text, text);
	return u;
}

static void test_url_source__plain_http(void **state)
{
	(void)state;
	struct url u = source("http://couch.example:5984/demo/");
	assert_int_equal(u.scheme, URL_HTTP);
	assert_string_equal(u.base, "http://couch.example:5984");
	assert_string_equal(u.path, "/demo");
	assert_string_equal(u.shown, "http://couch.example:5984/demo");
	assert_null(u.user);
	assert_null(u.password);
	assert_int_equal(u.has_password, 0);
}

static void test_url_source__userinfo_is_decoded_and_hidden(void **state)
{
	(void)state;
	struct url u = source("HTTPS://ann%40x:s%3Ac:r%2Fet@[2001:db8::1]:6984/a%2Fb/c");
	assert_int_equal(u.scheme, URL_HTTPS);
	assert_string_equal(u.user, "ann@x");
	assert_string_equal(u.password, "s:c:r/et");
	assert_int_equal(u.has_password, 1);
	assert_string_equal(u.base, "https://[2001:db8::1]:6984");
	assert_string_equal(u.path, "/a%2Fb/c");
	assert_string_equal(u.shown, "https://ann%40x:***@[2001:db8::1]:6984/a%2Fb/c");
	u = source("http://ann@h/db");
	assert_string_equal(u.user, "ann");
	assert_null(u.password);
	assert_int_equal(u.has_password, 0);
	assert_string_equal(u.shown, "http://ann@h/db");
	u = source("http://ann:@h/db");
	assert_string_equal(u.password, "");
	assert_int_equal(u.has_password, 1);
	u = source("http://ann:p@ss@h/db"); /* an '@' that should have been escaped */
	assert_string_equal(u.password, "p@ss");
	assert_string_equal(u.shown, "http://ann:***@h/db");
}

static void test_url_source__files(void **state)
{
	(void)state;
	struct url u = source("file:feeds/a b%20.json.gz");
	assert_int_equal(u.scheme, URL_FILE);
	assert_string_equal(u.path, "feeds/a b%20.json.gz");
	assert_string_equal(u.shown, "file:feeds/a b%20.json.gz");
	assert_string_equal(source("file:///tmp/x").path, "/tmp/x");
	assert_string_equal(source("file:/tmp/x").path, "/tmp/x");
	assert_int_equal(source("file:-").scheme, URL_STDIN);
	assert_int_equal(source("file:./-").scheme, URL_FILE);
}

static void test_url_target__postgres_uri(void **state)
{
	(void)state;
	struct url u = target("postgres://ann:geheim@h1:5432,h2:5433/db?sslmode=require&application_name=x");
	assert_int_equal(u.scheme, URL_POSTGRES);
	assert_string_equal(u.user, "ann");
	assert_string_equal(u.password, "geheim");
	assert_string_equal(u.shown, "postgres://ann:***@h1:5432,h2:5433/db?sslmode=require&application_name=x");
	u = target("postgresql:///db?host=/run/pg&pass%77ord=geheim&sslpassword=gehe%69m&passfile=/home/x&user=ann");
	assert_int_equal(u.has_password, 1);
	assert_string_equal(u.password, "geheim");
	assert_string_equal(u.shown,
			    "postgresql:///db?host=/run/pg&pass%77ord=***&sslpassword=***&passfile=/home/x&user=ann");
	assert_string_equal(target("postgres://").shown, "postgres://");
	assert_string_equal(target("postgres://:5433/db").shown, "postgres://:5433/db");
	assert_string_equal(target("postgres://[::1]:5433/db").shown, "postgres://[::1]:5433/db");
	assert_int_equal(target("postgres://h/db?passfile=/home/x").has_password, 0);
	assert_string_equal(target("postgres://h/db?a&b=").shown, "postgres://h/db?a&b=");
}

static void test_url_target__keyword_string(void **state)
{
	(void)state;
	struct url u = target(" host = h  password='ge he\\'im' user=ann dbname=d ");
	assert_int_equal(u.scheme, URL_POSTGRES);
	assert_string_equal(u.user, "ann");
	assert_string_equal(u.password, "ge he'im");
	assert_int_equal(u.has_password, 1);
	assert_string_equal(u.shown, "host=h password=*** user=ann dbname=d");
	u = target("password=a\\ b dbname='my db'");
	assert_string_equal(u.password, "a b");
	assert_string_equal(u.shown, "password=*** dbname='my db'");
	assert_int_equal(target("dbname=x").has_password, 0);
	assert_string_equal(target("dbname=").shown, "dbname=");
}

static void test_url_target__sqlite(void **state)
{
	(void)state;
	struct url u = target("sqlite:out/demo.db");
	assert_int_equal(u.scheme, URL_SQLITE);
	assert_string_equal(u.path, "out/demo.db");
	assert_string_equal(u.shown, "sqlite:out/demo.db");
	assert_string_equal(target("sqlite:///tmp/a=b.db").path, "/tmp/a=b.db");
}

static void test_url_source__refusals_name_the_mistake(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} bad[] = {
	    {"", "must begin with"},
	    {"couch.example/geheim", "must begin with"},
	    {"postgres://ann:geheim@h/db", "must begin with"},
	    {"http://h", "names no database"},
	    {"http://h:5984/", "names no database"},
	    {"http:///db", "no host"},
	    {"http://u:geheim@/db", "no host"},
	    {"http://h:geheim/db", "not a port"},
	    {"http://u:ge/heim@h/db", "not a port"},
	    {"http://h:99999/db", "not a port"},
	    {"http://h:99999999999999999999/db", "not a port"},
	    {"http://u:12/geheim@h/db", "'@' behind the host"},
	    {"http://u:12?geheim@h/db", "'@' behind the host"},
	    {"http://[::1/db", "not closed"},
	    {"http://[::1]x/db", "not closed"},
	    {"http://u:geheim%2@h/db", "two hex digits"},
	    {"http://%zz:geheim@h/db", "two hex digits"},
	    {"http://u:geheim%00@h/db", "two hex digits"},
	    {"http://h/d%b", "two hex digits"},
	    {"http://h/geheim db", "blank"},
	    {"http://h/db\n", "control"},
	    {"http://h/db?password=geheim", "'?' part"},
	    {"http://h/db#geheim", "'#' part"},
	    {"file:", "no file"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct url u;
		struct err err = ERR_INIT;
		assert_int_equal(url_parse_source(bad[i].text, &a, &u, &err), ERR_USAGE);
		if (!strstr(err.msg, bad[i].part))
			fail_msg("%s: %s", bad[i].text, err.msg);
		assert_null(strstr(err.msg, "geheim"));
		assert_null(strstr(err.hint, "geheim"));
	}
}

static void test_url_target__refusals_name_the_mistake(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} bad[] = {
	    {"", "must begin with"},
	    {"geheim", "must begin with"},
	    {"mysql://ann:geheim@h/db", "must begin with"},
	    {"sqlite:", "no SQLite file"},
	    {"sqlite::memory:", "no SQLite file"},
	    {"postgres://ann:ge/heim@h/db", "not a port"},
	    {"postgres://ann:1/geheim@h/db", "'@' behind the host"},
	    {"postgres://h:geheim/db", "not a port"},
	    {"postgres://:geheim/db", "not a port"},
	    {"postgres://h1,h2:geheim/db", "not a port"},
	    {"postgres://u:%@h/db", "two hex digits"},
	    {"postgres://h/db?%zz=geheim", "two hex digits"},
	    {"host=h geheim", "pairs of key=value"},
	    {"=geheim", "pairs of key=value"},
	    {"host=h password='geheim", "'password' is not closed"},
	    {"password='geheim\\'", "'password' is not closed"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct url u;
		struct err err = ERR_INIT;
		assert_int_equal(url_parse_target(bad[i].text, &a, &u, &err), ERR_USAGE);
		if (!strstr(err.msg, bad[i].part))
			fail_msg("%s: %s", bad[i].text, err.msg);
		assert_null(strstr(err.msg, "geheim"));
		assert_null(strstr(err.hint, "geheim"));
	}
}

static int release_arena(void **state)
{
	(void)state;
	arena_release(&a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_url_source__plain_http),
	    cmocka_unit_test(test_url_source__userinfo_is_decoded_and_hidden),
	    cmocka_unit_test(test_url_source__files),
	    cmocka_unit_test(test_url_target__postgres_uri),
	    cmocka_unit_test(test_url_target__keyword_string),
	    cmocka_unit_test(test_url_target__sqlite),
	    cmocka_unit_test(test_url_source__refusals_name_the_mistake),
	    cmocka_unit_test(test_url_target__refusals_name_the_mistake),
	};
	return cmocka_run_group_tests(tests, NULL, release_arena);
}
