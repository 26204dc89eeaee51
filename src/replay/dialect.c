/*
 * Where the two form processors differ, as data. The reserved names are the tags of a case block, and the fields of a
 * case that are computed and not said: an update that names one is kept in the transaction and changes nothing.
 */
#include "replay/replay.h"

#define CASE_TAGS                                                                                                  \
	"attachment", "case", "case_id", "case_name", "case_type", "case_type_id", "close", "commtrack", "create", \
	    "date_modified", "date_opened", "index", "referral", "update"

#define COMPUTED_FIELDS                                                                                     \
	"actions", "case_attachments", "closed", "closed_by", "closed_on", "doc_type", "domain", "indices", \
	    "modified_on", "opened_by", "opened_on", "server_modified_on", "type", "xform_ids"

static const char *const couch_reserved[] = {CASE_TAGS, COMPUTED_FIELDS, NULL};
static const char *const sql_reserved[] = {CASE_TAGS,    COMPUTED_FIELDS, "backend_id", "case_json",   "deleted",
					   "deleted_on", "deletion_id",   "id",         "modified_by", NULL};

const struct replay_dialect replay_dialect_couch = {
    .name = "couch",
    .empty_known_overwrites = 1,
    .defaults_need_create = 1,
    .reserved = couch_reserved,
};

const struct replay_dialect replay_dialect_sql = {
    .name = "sql",
    .empty_index_removes = 1,
    .hq_user_id_is_external_id = 1,
    .touch_adds_form = 1,
    .reserved = sql_reserved,
};

int replay_is_property(const struct replay_dialect *d, struct slice name)
{
	if (!slice_starts_with_letter(name))
		return 0;
	for (const char *const *r = d->reserved; *r; r++)
		if (slice_is(name, *r))
			return 0;
	return 1;
}
