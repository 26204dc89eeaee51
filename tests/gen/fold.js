'use strict';
/*
 * Blocks -> case, by the rules of the Couch and of the SQL form processor; and the two JSON shapes of the result.
 * The differences between the processors are the three switches below.
 */

const { instant, blockDate } = require('./dates.js');

const COUCH = { emptyOverwrites: true, emptyIndexRemoves: false, hqUserIdIsExternalId: false };
const SQL = { emptyOverwrites: false, emptyIndexRemoves: true, hqUserIdIsExternalId: true };

function emptyCase(caseId) {
	return {
		caseId, known: {}, opened_by: '', modified_on: null, location_id: null, closed: false, closed_on: null, closed_by: null,
		properties: {}, indices: [], attachments: new Map(), formIds: [], server_modified_on: null, applied: [],
	};
}

function setKnown(c, known, dialect) {
	for (const [key, value] of Object.entries(known)) {
		if (value !== '' || dialect.emptyOverwrites)
			c.known[key] = key === 'opened_on' ? blockDate(value) || c.known.opened_on : value;
	}
}

function setProperties(c, properties, dialect) {
	for (const [key, value] of Object.entries(properties)) {
		if (key === 'location_id') {
			c.location_id = value;
			continue;
		}
		if (key === 'name') {
			c.known.name = value;
			continue;
		}
		if (key === 'hq_user_id' && dialect.hqUserIdIsExternalId && value !== '')
			c.known.external_id = value;
		c.properties[key] = value;
	}
}

function setIndex(c, index, dialect) {
	const at = c.indices.findIndex((i) => i.identifier === index.identifier);
	if (at < 0 && index.referenced_id !== '')
		c.indices.push({ ...index });
	else if (at >= 0 && index.referenced_id === '' && dialect.emptyIndexRemoves)
		c.indices.splice(at, 1);
	else if (at >= 0)
		c.indices[at] = { ...index };
}

function setAttachment(c, attachment) {
	if (attachment.removed)
		c.attachments.delete(attachment.name);
	else
		c.attachments.set(attachment.name, attachment);
}

function opened(c, block) {
	if (!c.known.opened_on)
		c.known.opened_on = block.date;
	if (!c.opened_by)
		c.opened_by = block.user;
}

const ACTIONS = {
	create(c, action, block, dialect) {
		setKnown(c, action.known, dialect);
		opened(c, block);
	},
	update(c, action, block, dialect) {
		setKnown(c, action.known, dialect);
		setProperties(c, action.properties, dialect);
	},
	close(c, action, block) {
		c.closed = true;
		c.closed_on = block.date;
		c.closed_by = block.user;
	},
	index(c, action, block, dialect) {
		action.indices.forEach((index) => setIndex(c, index, dialect));
	},
	attachment(c, action) {
		action.attachments.forEach((attachment) => setAttachment(c, attachment));
	},
};

function later(a, b) {
	return a !== null && instant(a) >= instant(b) ? a : b;
}

function afterBlock(c, block) {
	if (block.user)
		c.known.user_id = block.user;
	c.modified_on = later(c.modified_on, block.date);
	opened(c, block);
	if (!c.known.owner_id)
		c.known.owner_id = block.user;
}

function apply(c, block, dialect) {
	if (!c.formIds.includes(block.formId))
		c.formIds.push(block.formId);
	c.server_modified_on = block.receivedOn;
	if (block.actions.length === 0)
		return;
	for (const action of block.actions)
		ACTIONS[action.action](c, action, block, dialect);
	afterBlock(c, block);
	c.applied.push(block);
}

/* blocks of one case, in the order given */
function fold(caseId, blocks, dialect) {
	const c = emptyCase(caseId);
	blocks.forEach((block) => apply(c, block, dialect));
	return c;
}

function received(block) {
	const us = instant(block.receivedOn);
	return us === null ? Infinity : us;
}

/* order of application: received_on as an instant, form id bytes, position in the form */
function inOrder(blocks) {
	const compare = (a, b) => {
		const [ra, rb] = [received(a), received(b)];
		if (ra !== rb)
			return ra < rb ? -1 : 1;
		return Buffer.compare(Buffer.from(a.formId), Buffer.from(b.formId)) || a.position - b.position;
	};
	return [...blocks].sort(compare);
}

const orNull = (v) => (v === undefined || v === '' ? null : v);

function sqlIndices(c) {
	return c.indices.map((i) => ({ case_id: c.caseId, ...i }));
}

function sqlAttachments(c) {
	const out = {};
	for (const [name, a] of c.attachments)
		out[name] = { name, content_length: a.content_length, content_type: a.content_type };
	return out;
}

/* The SQL side of a case. couch: its Couch document (for the doc type and the deletion), or null. */
function sqlCase(c, domain, couch) {
	const out = {
		...c.properties,
		_id: c.caseId, doc_type: couch ? couch.doc_type : 'CommCareCase', domain,
		type: c.known.type || '', name: orNull(c.known.name), external_id: orNull(c.known.external_id),
		owner_id: c.known.owner_id || '', user_id: c.known.user_id || '', modified_by: c.known.user_id || '',
		opened_on: orNull(c.known.opened_on), opened_by: c.opened_by, modified_on: c.modified_on, closed: c.closed,
		closed_on: c.closed_on, closed_by: orNull(c.closed_by), server_modified_on: c.server_modified_on,
		location_id: orNull(c.location_id), xform_ids: c.formIds, actions: [], indices: sqlIndices(c),
		case_attachments: sqlAttachments(c), backend_id: 'sql',
	};
	if (couch && couch.doc_type === 'CommCareCase-Deleted') {
		out.deletion_id = orNull(couch['-deletion_id']);
		out.deleted_on = orNull(couch['-deletion_date']);
	}
	return out;
}

function couchIndices(c) {
	return c.indices.map((i) => ({ doc_type: 'CommCareCaseIndex', ...i }));
}

function couchAttachment(name, a) {
	return {
		doc_type: 'CommCareCaseAttachment', identifier: name, attachment_src: a.src, attachment_from: a.from || 'local',
		attachment_name: null, attachment_size: a.content_length, attachment_properties: {}, server_mime: a.content_type,
		server_md5: null,
	};
}

function couchAttachments(c) {
	const out = {};
	for (const [name, a] of c.attachments)
		out[name] = couchAttachment(name, a);
	return out;
}

function actionDocument(block, action) {
	const attachments = {};
	for (const a of action.attachments || [])
		attachments[a.name] = a.removed ? { doc_type: 'CommCareCaseAttachment', identifier: a.name } : couchAttachment(a.name, a);
	return {
		doc_type: 'CommCareCaseAction', action_type: action.action, date: block.date, server_date: block.receivedOn,
		user_id: block.user, xform_id: block.formId, xform_xmlns: block.xmlns || null, xform_name: block.formName || null,
		sync_log_id: block.syncLog, updated_known_properties: action.known || {},
		updated_unknown_properties: action.properties || {},
		indices: (action.indices || []).map((i) => ({ doc_type: 'CommCareCaseIndex', ...i })), attachments, deprecated: false,
	};
}

/* The fields of a Couch case document that its forms decide. xform_ids: only forms with an action. */
function couchCase(c, domain) {
	const k = c.known;
	const out = {
		_id: c.caseId, doc_type: 'CommCareCase', domain, type: orNull(k.type), name: k.name === undefined ? null : k.name,
		external_id: k.external_id === undefined ? null : k.external_id, owner_id: k.owner_id || '', user_id: k.user_id || '',
		opened_by: c.opened_by, closed_by: c.closed_by || '', opened_on: orNull(k.opened_on), modified_on: c.modified_on,
		closed: c.closed, closed_on: c.closed_on, server_modified_on: c.server_modified_on, ...c.properties,
		xform_ids: [...new Set(c.applied.map((b) => b.formId))],
		actions: c.applied.flatMap((b) => b.actions.map((a) => actionDocument(b, a))),
		indices: couchIndices(c), case_attachments: couchAttachments(c),
	};
	if (c.location_id !== null)
		out.location_id = c.location_id;
	return out;
}

module.exports = { COUCH, SQL, fold, inOrder, sqlCase, couchCase };
