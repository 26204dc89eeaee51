#include "config.h"

#include "sql/sql_internal.h"
#include "sql/tables.h"

#define KEY SQL_NOT_NULL

const struct sql_table sql_forms = {
    "forms",
    FORM_COLUMNS,
    2,
    {
	[FORM_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[FORM_ID] = {"form_id", SQL_TEXT, KEY},
	[FORM_DOC_TYPE] = {"doc_type", SQL_TEXT, SQL_NOT_NULL},
	[FORM_XMLNS] = {"xmlns", SQL_TEXT, 0},
	[FORM_USER_ID] = {"user_id", SQL_TEXT, 0},
	[FORM_APP_ID] = {"app_id", SQL_TEXT, 0},
	[FORM_RECEIVED_ON] = {"received_on", SQL_TIME, 0},
	[FORM_SERVER_MODIFIED_ON] = {"server_modified_on", SQL_TIME, 0},
	[FORM_DELETED_ON] = {"deleted_on", SQL_TIME, 0},
	[FORM_DELETION_ID] = {"deletion_id", SQL_TEXT, 0},
	[FORM_BODY] = {"body", SQL_JSON, 0},
	[FORM_EXTRA] = {"extra", SQL_JSON, 0},
	[FORM_RAW] = {"raw", SQL_BYTES, 0},
	[FORM_COUCH_REV] = {"couch_rev", SQL_TEXT, 0},
	[FORM_DELETED] = {"deleted", SQL_BOOL, SQL_NOT_NULL},
    },
};

const struct sql_table sql_case_transactions = {
    "case_transactions",
    TXN_COLUMNS,
    4,
    {
	[TXN_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[TXN_CASE_ID] = {"case_id", SQL_TEXT, KEY},
	[TXN_FORM_ID] = {"form_id", SQL_TEXT, KEY},
	[TXN_POSITION] = {"position", SQL_INT, KEY},
	[TXN_SERVER_DATE] = {"server_date", SQL_TIME, 0},
	[TXN_ORIGINAL_SERVER_DATE] = {"original_server_date", SQL_TIME, 0},
	[TXN_KIND] = {"kind", SQL_TEXT, SQL_NOT_NULL},
	[TXN_ACTIONS] = {"actions", SQL_JSON, 0},
	[TXN_RAW] = {"raw", SQL_BYTES, 0},
    },
};

const struct sql_table sql_cases = {
    "cases",
    CASE_COLUMNS,
    2,
    {
	[CASE_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[CASE_ID] = {"case_id", SQL_TEXT, KEY},
	[CASE_DOC_TYPE] = {"doc_type", SQL_TEXT, SQL_NOT_NULL},
	[CASE_TYPE] = {"type", SQL_TEXT, 0},
	[CASE_NAME] = {"name", SQL_TEXT, 0},
	[CASE_OWNER_ID] = {"owner_id", SQL_TEXT, 0},
	[CASE_EXTERNAL_ID] = {"external_id", SQL_TEXT, 0},
	[CASE_LOCATION_ID] = {"location_id", SQL_TEXT, 0},
	[CASE_OPENED_ON] = {"opened_on", SQL_TIME, 0},
	[CASE_OPENED_BY] = {"opened_by", SQL_TEXT, 0},
	[CASE_MODIFIED_ON] = {"modified_on", SQL_TIME, 0},
	[CASE_MODIFIED_BY] = {"modified_by", SQL_TEXT, 0},
	[CASE_SERVER_MODIFIED_ON] = {"server_modified_on", SQL_TIME, 0},
	[CASE_CLOSED] = {"closed", SQL_BOOL, SQL_NOT_NULL},
	[CASE_CLOSED_ON] = {"closed_on", SQL_TIME, 0},
	[CASE_CLOSED_BY] = {"closed_by", SQL_TEXT, 0},
	[CASE_DELETED] = {"deleted", SQL_BOOL, SQL_NOT_NULL},
	[CASE_DELETED_ON] = {"deleted_on", SQL_TIME, 0},
	[CASE_DELETION_ID] = {"deletion_id", SQL_TEXT, 0},
	[CASE_PROPERTIES] = {"properties", SQL_JSON, 0},
	[CASE_EXTRA] = {"extra", SQL_JSON, 0},
	[CASE_RAW] = {"raw", SQL_BYTES, 0},
	[CASE_COUCH_REV] = {"couch_rev", SQL_TEXT, 0},
    },
};

const struct sql_table sql_case_indices = {
    "case_indices",
    INDEX_COLUMNS,
    3,
    {
	[INDEX_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[INDEX_CASE_ID] = {"case_id", SQL_TEXT, KEY},
	[INDEX_IDENTIFIER] = {"identifier", SQL_TEXT, KEY},
	[INDEX_REFERENCED_TYPE] = {"referenced_type", SQL_TEXT, 0},
	[INDEX_REFERENCED_ID] = {"referenced_id", SQL_TEXT, 0},
	[INDEX_RELATIONSHIP] = {"relationship", SQL_TEXT, 0},
    },
};

const struct sql_table sql_attachments = {
    "attachments",
    ATT_COLUMNS,
    4,
    {
	[ATT_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[ATT_OWNER_KIND] = {"owner_kind", SQL_TEXT, KEY},
	[ATT_OWNER_ID] = {"owner_id", SQL_TEXT, KEY},
	[ATT_NAME] = {"name", SQL_TEXT, KEY},
	[ATT_CONTENT_TYPE] = {"content_type", SQL_TEXT, 0},
	[ATT_LENGTH] = {"length", SQL_INT, 0},
	[ATT_DIGEST] = {"digest", SQL_TEXT, 0},
	[ATT_REFERENCE] = {"reference", SQL_TEXT, 0},
	[ATT_BYTES] = {"bytes", SQL_BYTES, 0},
	[ATT_EXTRA] = {"extra", SQL_JSON, 0},
    },
};

const struct sql_table sql_form_operations = {
    "form_operations",
    OP_COLUMNS,
    3,
    {
	[OP_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[OP_FORM_ID] = {"form_id", SQL_TEXT, KEY},
	[OP_POSITION] = {"position", SQL_INT, KEY},
	[OP_USER] = {"user_id", SQL_TEXT, 0},
	[OP_DATE] = {"date", SQL_TIME, 0},
	[OP_OPERATION] = {"operation", SQL_TEXT, 0},
    },
};

const struct sql_table sql_documents = {
    "documents",
    DOC_COLUMNS,
    2,
    {
	[DOC_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[DOC_ID] = {"doc_id", SQL_TEXT, KEY},
	[DOC_TYPE] = {"doc_type", SQL_TEXT, 0},
	[DOC_BODY] = {"body", SQL_JSON, 0},
	[DOC_RAW] = {"raw", SQL_BYTES, 0},
	[DOC_COUCH_REV] = {"couch_rev", SQL_TEXT, 0},
	[DOC_DELETED] = {"deleted", SQL_BOOL, SQL_NOT_NULL},
    },
};

const struct sql_table sql_migration = {
    "settle_migration",
    MIG_COLUMNS,
    1,
    {
	[MIG_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[MIG_STATUS] = {"status", SQL_TEXT, SQL_NOT_NULL},
	[MIG_WAS_LIVE] = {"was_live", SQL_BOOL, SQL_NOT_NULL},
	[MIG_EPOCH] = {"epoch", SQL_INT, SQL_NOT_NULL},
	[MIG_HOLDER] = {"holder", SQL_TEXT, 0},
	[MIG_HOLDER_SINCE] = {"holder_since", SQL_TIME, 0},
	[MIG_SOURCE] = {"source", SQL_TEXT, 0},
	[MIG_SOURCE_IDENTITY] = {"source_identity", SQL_JSON, 0},
	[MIG_PROFILE] = {"profile", SQL_TEXT, 0},
	[MIG_SETTINGS] = {"settings", SQL_JSON, 0},
	[MIG_TRAIL_HEAD] = {"trail_head", SQL_TEXT, 0},
    },
};

const struct sql_table sql_checkpoint = {
    "settle_checkpoint",
    CKPT_COLUMNS,
    1,
    {
	[CKPT_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[CKPT_SEQ] = {"seq", SQL_TEXT, 0},
	[CKPT_PASS] = {"pass", SQL_INT, 0},
	[CKPT_READ] = {"read", SQL_INT, 0},
	[CKPT_WRITTEN] = {"written", SQL_INT, 0},
	[CKPT_UNCHANGED] = {"unchanged", SQL_INT, 0},
	[CKPT_DELETED] = {"deleted", SQL_INT, 0},
	[CKPT_SKIPPED] = {"skipped", SQL_INT, 0},
	[CKPT_REJECTED] = {"rejected", SQL_INT, 0},
	[CKPT_BYTES] = {"bytes", SQL_INT, 0},
	[CKPT_UPDATED_ON] = {"updated_on", SQL_TIME, 0},
    },
};

const struct sql_table sql_dirty_case = {
    "settle_dirty_case",
    DIRTY_COLUMNS,
    0,
    {
	[DIRTY_DOMAIN] = {"domain", SQL_TEXT, SQL_NOT_NULL},
	[DIRTY_CASE_ID] = {"case_id", SQL_TEXT, SQL_NOT_NULL},
    },
};

/* The body is text, not JSON: there is no raw beside it, and a losing revision is kept as it was read. */
const struct sql_table sql_conflict = {
    "settle_conflict",
    CONF_COLUMNS,
    3,
    {
	[CONF_DOMAIN] = {"domain", SQL_TEXT, KEY},
	[CONF_DOC_ID] = {"doc_id", SQL_TEXT, KEY},
	[CONF_REV] = {"rev", SQL_TEXT, KEY},
	[CONF_BODY] = {"body", SQL_TEXT, 0},
    },
};

const struct sql_table sql_schema_table = {
    "settle_schema",
    1,
    0,
    {{"version", SQL_INT, SQL_NOT_NULL}},
};

const struct sql_table *const sql_all_tables[] = {
    &sql_forms,     &sql_case_transactions, &sql_cases,      &sql_case_indices, &sql_attachments, &sql_form_operations,
    &sql_documents, &sql_migration,         &sql_checkpoint, &sql_dirty_case,   &sql_conflict,    NULL,
};

const struct sql_index sql_all_indexes[] = {
    {"settle_dirty_case_case_id", &sql_dirty_case, SQL_INDEX_AT_ONCE, 2, {DIRTY_DOMAIN, DIRTY_CASE_ID}},
    {"forms_doc_type", &sql_forms, 0, 2, {FORM_DOMAIN, FORM_DOC_TYPE}},
    {"forms_received_on", &sql_forms, 0, 2, {FORM_DOMAIN, FORM_RECEIVED_ON}},
    {"case_transactions_form_id", &sql_case_transactions, 0, 2, {TXN_DOMAIN, TXN_FORM_ID}},
    {"cases_doc_type", &sql_cases, 0, 3, {CASE_DOMAIN, CASE_DOC_TYPE, CASE_TYPE}},
    {"cases_owner_id", &sql_cases, 0, 2, {CASE_DOMAIN, CASE_OWNER_ID}},
    {"case_indices_referenced_id", &sql_case_indices, 0, 2, {INDEX_DOMAIN, INDEX_REFERENCED_ID}},
    {"documents_doc_type", &sql_documents, 0, 2, {DOC_DOMAIN, DOC_TYPE}},
    {.name = NULL},
};
