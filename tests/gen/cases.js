'use strict';
/* Couch case documents: what the Couch form processor would hold after the forms, with the clutter that old documents carry. */

const { format, formatSeconds, instant } = require('./dates.js');
const { COUCH, fold, inOrder, couchCase } = require('./fold.js');

const truncated = (text) => formatSeconds(instant(text));

function clutter(rng, doc) {
	Object.assign(doc, { version: '2.0', initial_processing_complete: true, '#export_tag': ['domain', 'type'], export_tag: [] });
	if (rng.chance(300))
		Object.assign(doc, { computed_: {}, computed_modified_on_: null, external_blobs: {} });
	if (rng.chance(100))
		doc.referrals = [];
	if (rng.chance(50))
		Object.assign(doc, { '@xmlns': 'http://commcarehq.org/case/transaction/v2', '@case_id': doc._id, case_id: doc._id });
	if (rng.chance(30))
		doc.location_ = [];
	if (rng.chance(30))
		doc.favourite_colour = null;
}

/* Same meaning, other spelling: what rules or set comparison must see through. */
function spelling(rng, doc, touches) {
	for (const key of ['opened_on', 'modified_on', 'server_modified_on', 'closed_on']) {
		if (doc[key] && rng.chance(150))
			doc[key] = truncated(doc[key]);
	}
	for (const key of ['name', 'external_id']) {
		if (doc[key] === null && rng.chance(400))
			doc[key] = '';
	}
	if (doc.closed_by === '' && rng.chance(300))
		doc.closed_by = rng.pick([null, undefined]);
	if (rng.chance(200))
		doc.xform_ids.push(...touches);
	if (rng.chance(80))
		rng.shuffle(doc.xform_ids);
	if (doc.indices.length > 1 && rng.chance(500))
		doc.indices.reverse();
	for (const index of doc.indices) {
		if (index.relationship === 'child' && rng.chance(150))
			delete index.relationship;
	}
	if (Object.keys(doc.case_attachments).length === 0 && rng.chance(200))
		delete doc.case_attachments;
	if (rng.chance(20) && doc.user_id)
		renamedUser(doc);
}

function renamedUser(doc) {
	doc['@user_id'] = doc.user_id;
	delete doc.user_id;
}

function rebuildAction(doc) {
	return {
		doc_type: 'CommCareCaseAction', action_type: 'rebuild', date: doc.modified_on, server_date: null, user_id: null, xform_id: null,
		sync_log_id: null, updated_known_properties: {}, updated_unknown_properties: {}, indices: [], attachments: {}, deprecated: true,
	};
}

/* The document after these blocks, in the order given. */
function plainCase(rng, domain, id, blocks) {
	const doc = couchCase(fold(id, blocks, COUCH), domain);
	doc._rev = `${Math.max(1, doc.actions.length)}-${rng.hex(32)}`;
	return doc;
}

function caseDocument(rng, domain, id, blocks) {
	const acting = new Set(blocks.filter((b) => b.actions.length).map((b) => b.formId));
	const touches = [...new Set(blocks.map((b) => b.formId))].filter((f) => !acting.has(f));
	const doc = plainCase(rng, domain, id, inOrder(blocks));
	clutter(rng, doc);
	spelling(rng, doc, touches);
	if (rng.chance(30))
		doc.actions.push(rebuildAction(doc));
	for (const key of Object.keys(doc)) {
		if (doc[key] === undefined)
			delete doc[key];
	}
	return doc;
}

function markDeleted(rng, doc) {
	doc.doc_type = 'CommCareCase-Deleted';
	doc['-deletion_id'] = rng.hex(12);
	doc['-deletion_date'] = format(instant(doc.server_modified_on) + 1000000);
	if (doc['@user_id'] !== undefined) {
		doc.user_id = doc['@user_id'];
		delete doc['@user_id'];
	}
}

module.exports = { caseDocument, plainCase, markDeleted, truncated };
