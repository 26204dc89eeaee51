/* mapping_forms: texts of forms, and their mapping, which must succeed. */
#ifndef TESTS_UNIT_MAPPING_FORMS_H
#define TESTS_UNIT_MAPPING_FORMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mapping_docs.h"

/* The first members of a form, and its body; HEAD is followed by members and "}". */
#define BODY "\"form\":{\"#type\":\"data\",\"weight\":\"9.4\",\"meta\":{\"userID\":\"u1\"}}"
#define HEAD "{\"_id\":\"f1\",\"_rev\":\"1-a\",\"doc_type\":\"XFormInstance\",\"domain\":\"demo\","
/* The first members of a case block. */
#define BLOCK                                                   \
	"{\"@xmlns\":\"http://commcarehq.org/case/transaction/" \
	"v2\",\"@case_id\":\"c1\",\"@date_modified\":\"2016-01-01\",\"@user_id\":\"u1\","

struct mapping_form map_ok(const struct mapping_doc *d, struct arena *a);
struct json document_ok(const struct sql_row *row, struct arena *a);
/* As it comes back from a database. */
struct sql_row stored_ok(const char *text, const struct profile_kind *kind, struct arena *a);

#endif
