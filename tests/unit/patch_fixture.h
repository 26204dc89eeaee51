/* patch_fixture: the profile of CommCare and an arena for tests of the room patch/, and shorthands that must succeed.
 */
#ifndef TESTS_UNIT_PATCH_FIXTURE_H
#define TESTS_UNIT_PATCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "patch/patch.h"
#include "profile/profile.h"

struct fixture {
	struct arena a;
	struct profile commcare;
};

/* Of the whole group of tests. */
int setup(void **state);
int teardown(void **state);

extern const struct patch_stamp stamp;

/* The first members of a case of CouchDB; what follows begins with a comma or closes it. */
#define CASE                                                                                       \
	"{\"_id\":\"c\",\"type\":\"patient\",\"name\":\"N\",\"owner_id\":\"o\",\"user_id\":\"u\"," \
	"\"modified_on\":\"2015-01-01T00:00:00Z\",\"closed\":false"

struct json read_json(const char *text, struct arena *a);
struct diff_list read_diffs(const char *text, struct arena *a);
struct patch_plan plan_of(struct fixture *f, const char *couch, const char *diffs);
struct slice xml_of(const struct json *body, struct arena *a);
struct json read_xml(struct slice xml, struct arena *a);
void assert_json(const struct json *got, const char *wanted, struct arena *a);

#endif
