/*
 * mapping_docs: documents and stored rows for tests of the mapping. A row goes through what a database does to it: JSON
 * cells lose the order of their members and the spelling of their numbers, everything moves to other memory. Threads:
 * tests have one.
 */
#ifndef TESTS_UNIT_MAPPING_DOCS_H
#define TESTS_UNIT_MAPPING_DOCS_H

#include "base/utf8.h"
#include "migrate/mapping.h"
#include "sql/tables.h"

#include <string.h>

static const struct profile_kind kind_form = {
    .name = {"XFormInstance", 13}, .stored_as = {"XFormInstance", 13}, .processed = 1, .compared = 1};
static const struct profile_kind kind_archived = {
    .name = {"XFormArchived", 13}, .stored_as = {"XFormArchived", 13}, .compared = 1};
static const struct profile_kind kind_submission = {
    .name = {"HQSubmission", 12}, .stored_as = {"XFormInstance", 13}, .processed = 1, .compared = 1};
static const struct profile_kind kind_deleted = {
    .name = {"XFormInstance-Deleted", 21}, .stored_as = {"XFormInstance-Deleted", 21}, .deleted = 1, .compared = 1};
static const struct profile_kind kind_plain = {
    .name = {"Thing", 5}, .stored_as = {"Thing", 5}, .cls = PROFILE_DOCUMENT, .compared = 1};

static inline struct json read_text(struct slice text, struct arena *a)
{
	struct json v;
	struct err err = ERR_INIT;
	if (json_read(text, a, 0, &v, NULL, &err) != 0)
		fail_msg("%.*s: %s", SLICE_ARG(text), err.msg);
	return v;
}

/* A document of the domain "demo" as the feed gives it; text must be JSON. */
static inline struct mapping_doc doc_of_text(struct slice text, const struct profile_kind *kind, struct arena *a)
{
	struct json *doc = ARENA_NEW(a, struct json);
	*doc = read_text(text, a);
	return (struct mapping_doc){
	    .domain = SLICE("demo"),
	    .id = json_get_text(doc, "_id"),
	    .rev = json_get_text(doc, "_rev"),
	    .kind = kind,
	    .doc_type = kind->name,
	    .doc = doc,
	    .bytes = text,
	    .odd = json_odd(doc),
	};
}

static inline struct slice stored_json(struct slice cell, struct arena *a)
{
	struct json v = read_text(cell, a);
	assert_int_equal(json_odd(&v), 0);
	return json_to_text(&v, JSON_CANONICAL, a);
}

static inline int is_one_of(int column, const int *list)
{
	for (; *list >= 0; list++)
		if (*list == column)
			return 1;
	return 0;
}

/* json and bytes: column numbers, ended by -1; all others are text. */
static inline struct sql_row stored_row(const struct sql_row *row, int columns, const int *json, const int *bytes,
					struct arena *a)
{
	struct sql_row out = {ARENA_ARRAY(a, (size_t)columns, struct slice)};
	for (int i = 0; i < columns; i++) {
		struct slice cell = row->cells[i];
		if (!cell.ptr)
			continue;
		if (is_one_of(i, json))
			out.cells[i] = stored_json(cell, a);
		else
			out.cells[i] = arena_slice(a, cell);
		if (!is_one_of(i, bytes)) {
			assert_int_equal(utf8_bad_at(cell), cell.len);
			assert_int_equal(utf8_odd(cell), 0);
		}
	}
	return out;
}

static const int form_json[] = {FORM_BODY, FORM_EXTRA, -1}, form_bytes[] = {FORM_RAW, -1};
static const int txn_json[] = {TXN_ACTIONS, -1}, txn_bytes[] = {TXN_RAW, -1};
static const int doc_json[] = {DOC_BODY, -1}, doc_bytes[] = {DOC_RAW, -1};
static const int case_json[] = {CASE_PROPERTIES, CASE_EXTRA, -1}, case_bytes[] = {CASE_RAW, -1};
static const int att_json[] = {ATT_EXTRA, -1}, no_columns[] = {-1};

static inline struct sql_row stored_form(const struct sql_row *row, struct arena *a)
{
	return stored_row(row, FORM_COLUMNS, form_json, form_bytes, a);
}

static inline struct sql_rows stored_rows(const struct sql_rows *rows, int columns, const int *json, const int *bytes,
					  struct arena *a)
{
	struct sql_rows out = {0};
	for (size_t i = 0; i < rows->n; i++) {
		struct sql_row row = stored_row(&rows->v[i], columns, json, bytes, a);
		ARENA_PUSH(a, &out, row);
	}
	return out;
}

static inline void assert_same_json(const struct json *got, const struct json *wanted, struct arena *a)
{
	struct slice g = json_to_text(got, JSON_CANONICAL, a), w = json_to_text(wanted, JSON_CANONICAL, a);
	if (!json_eq(got, wanted))
		fail_msg("\ngot    %.*s\nwanted %.*s", SLICE_ARG(g), SLICE_ARG(w));
}

static inline void assert_json_text(const struct json *got, const char *wanted, struct arena *a)
{
	struct json w = read_text(slice_of(wanted), a);
	assert_same_json(got, &w, a);
}

static inline void assert_text(struct slice got, const char *wanted)
{
	if (!wanted ? got.ptr != NULL : !got.ptr || !slice_is(got, wanted))
		fail_msg("got %.*s, wanted %s", got.ptr ? (int)got.len : 4, got.ptr ? got.ptr : "NULL",
			 wanted ? wanted : "NULL");
}

#endif
