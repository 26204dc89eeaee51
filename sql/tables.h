/*
 * tables: column numbers of the tables in DESIGN.md section 7; the struct sql_table values are in sql/tables.c, in this order.
 * "raw" holds the exact document bytes whenever a JSON or text cell could not give back an equal value. Pure data.
 */
#ifndef SQL_TABLES_H
#define SQL_TABLES_H

#define SQL_SCHEMA_VERSION 1

enum sql_forms_column {
	FORM_DOMAIN, FORM_ID, FORM_DOC_TYPE, FORM_XMLNS, FORM_USER_ID, FORM_APP_ID, FORM_RECEIVED_ON, FORM_SERVER_MODIFIED_ON,
	FORM_DELETED_ON, FORM_DELETION_ID, FORM_BODY, FORM_EXTRA, FORM_RAW, FORM_COUCH_REV, FORM_DELETED, FORM_COLUMNS
}; /* key: domain, form_id */

enum sql_case_transactions_column {
	TXN_DOMAIN, TXN_CASE_ID, TXN_FORM_ID, TXN_POSITION, TXN_SERVER_DATE, TXN_ORIGINAL_SERVER_DATE, TXN_KIND, TXN_ACTIONS,
	TXN_RAW, TXN_COLUMNS
}; /* key: domain, case_id, form_id, position */

enum sql_cases_column {
	CASE_DOMAIN, CASE_ID, CASE_DOC_TYPE, CASE_TYPE, CASE_NAME, CASE_OWNER_ID, CASE_EXTERNAL_ID, CASE_LOCATION_ID,
	CASE_OPENED_ON, CASE_OPENED_BY, CASE_MODIFIED_ON, CASE_MODIFIED_BY, CASE_SERVER_MODIFIED_ON, CASE_CLOSED,
	CASE_CLOSED_ON, CASE_CLOSED_BY, CASE_DELETED, CASE_DELETED_ON, CASE_DELETION_ID, CASE_PROPERTIES, CASE_EXTRA, CASE_RAW,
	CASE_COUCH_REV, CASE_COLUMNS
}; /* key: domain, case_id */

enum sql_case_indices_column {
	INDEX_DOMAIN, INDEX_CASE_ID, INDEX_IDENTIFIER, INDEX_REFERENCED_TYPE, INDEX_REFERENCED_ID, INDEX_RELATIONSHIP,
	INDEX_COLUMNS
}; /* key: domain, case_id, identifier */

enum sql_attachments_column {
	ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID, ATT_NAME, ATT_CONTENT_TYPE, ATT_LENGTH, ATT_DIGEST, ATT_REFERENCE, ATT_BYTES,
	ATT_EXTRA, ATT_COLUMNS
}; /* key: domain, owner_kind ('form', 'case', 'document'), owner_id, name */

enum sql_form_operations_column { OP_DOMAIN, OP_FORM_ID, OP_POSITION, OP_USER, OP_DATE, OP_OPERATION, OP_COLUMNS }; /* key: domain, form_id, position */

enum sql_documents_column { DOC_DOMAIN, DOC_ID, DOC_TYPE, DOC_BODY, DOC_RAW, DOC_COUCH_REV, DOC_DELETED, DOC_COLUMNS }; /* key: domain, doc_id */

enum sql_migration_column {
	MIG_DOMAIN, MIG_STATUS, MIG_WAS_LIVE, MIG_EPOCH, MIG_HOLDER, MIG_HOLDER_SINCE, MIG_SOURCE, MIG_SOURCE_IDENTITY,
	MIG_PROFILE, MIG_SETTINGS, MIG_TRAIL_HEAD, MIG_COLUMNS
}; /* key: domain */

enum sql_checkpoint_column {
	CKPT_DOMAIN, CKPT_SEQ, CKPT_PASS, CKPT_READ, CKPT_WRITTEN, CKPT_UNCHANGED, CKPT_DELETED, CKPT_SKIPPED, CKPT_REJECTED,
	CKPT_BYTES, CKPT_UPDATED_ON, CKPT_COLUMNS
}; /* key: domain */

enum sql_dirty_case_column { DIRTY_DOMAIN, DIRTY_CASE_ID, DIRTY_COLUMNS }; /* no key: duplicates allowed, indexed by (domain, case_id) */

enum sql_conflict_column { CONF_DOMAIN, CONF_DOC_ID, CONF_REV, CONF_BODY, CONF_COLUMNS }; /* key: domain, doc_id, rev */

#endif
