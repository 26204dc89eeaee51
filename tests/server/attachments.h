/* attachments: the _attachments of one leaf: read from what was sent, written as stubs or with data. Threads: one. */
#ifndef SETTLE_TESTS_ATTACHMENTS_H
#define SETTLE_TESTS_ATTACHMENTS_H

#include "tests/server/edit.h"

enum attachments_form { ATTACHMENTS_STUBS, ATTACHMENTS_DATA };
/* Writes ,"_attachments":{...}, or nothing when there are none. One whose bytes are not known stays a stub. */
void attachments_write(const struct leaf *leaf, enum attachments_form form, struct buf *out);

enum attachments_origin { ATTACHMENTS_OF_CLIENT, ATTACHMENTS_OF_REPLICATOR };
/* Fills leaf->atts. A stub takes the bytes of the parent's attachment; a replicator's stub may also stand alone. */
const struct refusal *attachments_read(struct leaf *leaf, const struct json *atts, const struct leaf *parent,
				       enum attachments_origin origin, struct arena *a);
const struct attachment *leaf_attachment(const struct leaf *leaf, struct slice name); /* or NULL */

#endif
