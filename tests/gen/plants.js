'use strict';
/*
 * Planted differences. A plant works on the life of the domain before the Couch documents are made (`life`: it may add forms and cases),
 * or on finished documents (`documents`). Each returns the ids it touched; `effect` says what the expectation must then hold for each id, so
 * that the generator notices when a plant does not bite: 'diff', 'change' (a diff now, explained later), 'none'.
 */

const { format, instant, formatSeconds } = require('./dates.js');
const { inOrder } = require('./fold.js');
const { plainCase, markDeleted } = require('./cases.js');

const DAY = 86400 * 1000000;

/* ---- helpers for plants in the life of the domain ---- */

/* a case of its own: registered, then updated n times; nobody else uses it */
function ownCase(t, n, more = {}) {
	const { c, time, user, block } = t.registration('patient', more);
	const forms = [t.forms.add({ time, user, blocks: [block] })];
	c.closed = true;
	for (let i = 0; i < n; i++)
		forms.push(t.one({ update: t.properties(2), ...more.visit }, { user }, c));
	c.planted = true;
	return { c, user, forms };
}

function asArchived(form) {
	form.doc_type = 'XFormArchived';
	form.history = [{ doc_type: 'XFormOperation', user: 'nora', date: form.received_on, operation: 'archive' }];
}

function asDeleted(t, form) {
	form.doc_type = 'XFormInstance-Deleted';
	form['-deletion_id'] = t.rng.hex(12);
	form['-deletion_date'] = format(instant(form.received_on) + DAY);
}

/* The Couch document of a case made from all its forms as if they still counted. */
const fromAllForms = (c) => {
	c.documentFromAllForms = true;
	return c.id;
};

const LIFE = {
	touchOnlyForm: { effect: 'none', life: (t) => {
		const { c, user } = ownCase(t, 1);
		t.one({}, { user }, c);
		return c.id;
	} },
	archivedCreator: { effect: 'none', life: (t) => {
		const { c, forms } = ownCase(t, 2);
		asArchived(forms[0]);
		c.openedBy = t.forms.users[3].id; /* Couch keeps who opened it */
		return c.id;
	} },
	allFormsArchived: { effect: 'diff', life: (t) => {
		const { c, forms } = ownCase(t, 1);
		forms.forEach(asArchived);
		return fromAllForms(c);
	} },
	allFormsDeleted: { effect: 'change', life: (t) => {
		const { c, forms } = ownCase(t, 1);
		forms.forEach((form) => asDeleted(t, form));
		return fromAllForms(c);
	} },
	someFormsDeleted: { effect: 'diff', life: (t) => {
		const { c, forms } = ownCase(t, 1);
		asArchived(forms[0]);
		asDeleted(t, forms[1]);
		return fromAllForms(c);
	} },
	formsNoLongerMention: { effect: 'change', life: (t) => {
		const { c, forms } = ownCase(t, 1);
		c.blocks = t.blocksByCase((form) => forms.includes(form)).get(c.id);
		forms.forEach((form) => {
			for (const key of ['case', 'item', 'subcase_0'])
				delete form.form[key];
		});
		return c.id;
	} },
	archivedFormStillInCouch: { effect: 'change', life: (t) => {
		const { c, forms } = ownCase(t, 3);
		asArchived(forms[2]);
		return fromAllForms(c);
	} },
	deletedWithForms: { effect: 'none', life: (t) => {
		const { c } = ownCase(t, 2);
		c.deleted = true;
		return c.id;
	} },
	deletedWithoutDeletionId: { effect: 'none', life: (t) => {
		const { c } = ownCase(t, 1);
		c.deleted = true;
		c.lostDeletion = true;
		return c.id;
	} },
	deletedWithoutForms: { effect: 'none', life: (t) => {
		const { c, forms } = ownCase(t, 1);
		forms.forEach((form) => asDeleted(t, form));
		c.deleted = true;
		return fromAllForms(c);
	} },
	deletedDiffers: { effect: 'change', life: (t) => {
		const { c } = ownCase(t, 1);
		c.deleted = true;
		c.edit = (doc) => {
			doc.name = `${doc.name} (deleted)`;
		};
		return c.id;
	} },
	withoutCouchCase: { effect: 'diff', life: (t) => {
		const { c } = ownCase(t, 1);
		c.noDocument = true;
		return c.id;
	} },
	tombstoneWithForms: { effect: 'none', life: (t) => {
		const { c } = ownCase(t, 1);
		c.tombstone = true;
		return c.id;
	} },
	wrongDomain: { effect: 'diff', life: (t) => {
		const { c } = ownCase(t, 1);
		c.otherDomain = true;
		return c.id;
	} },
	goneForm: { effect: 'diff', life: (t) => {
		const { c, forms } = ownCase(t, 2);
		c.blocks = t.blocksByCase((form) => forms.includes(form)).get(c.id);
		t.forms.all.splice(t.forms.all.indexOf(forms[2]), 1);
		if (t.rng.chance(500))
			asArchived(forms[1]);
		return c.id;
	} },
	emptyName: { effect: 'diff', life: (t) => {
		const { c, user } = ownCase(t, 1);
		t.one({ update: { case_name: '' } }, { user }, c);
		return c.id;
	} },
	emptyExternalId: { effect: 'diff', life: (t) => {
		const { c, user } = ownCase(t, 1);
		t.one({ update: { external_id: 'EX-1' } }, { user }, c);
		t.one({ update: { external_id: '' } }, { user }, c);
		return c.id;
	} },
	emptyOwner: { effect: 'none', life: (t) => {
		const { c, user } = ownCase(t, 1);
		t.one({ update: { owner_id: '' } }, { user }, c);
		c.edit = (doc) => {
			doc.owner_id = '';
		};
		return c.id;
	} },
	emptyIndex: { effect: 'diff', life: (t) => {
		const { c, user } = ownCase(t, 1, { index: { parent: { '@case_type': 'household', '#text': t.rng.pick(t.order).id } } });
		t.one({ index: { parent: { '@case_type': 'household', '#text': '' } } }, { user }, c);
		return c.id;
	} },
	indexNeverThere: { effect: 'none', life: (t) => {
		const { c, user } = ownCase(t, 1);
		t.one({ index: { parent: { '@case_type': 'household', '#text': '' } } }, { user }, c);
		return c.id;
	} },
	indexChanged: { effect: 'none', life: (t) => {
		const reference = () => ({ parent: { '@case_type': 'household', '#text': t.rng.pick(t.order).id } });
		const { c, user } = ownCase(t, 1, { index: reference() });
		t.one({ index: reference() }, { user }, c);
		return c.id;
	} },
	sameInstant: { effect: 'none', life: (t) => {
		const { c, user } = ownCase(t, 1);
		const time = Math.ceil(t.forms.nextTime() / 1000000) * 1000000;
		const first = t.one({ update: { village: 'A' } }, { user, time }, c);
		const second = t.one({ update: { village: 'B' } }, { user, time }, c);
		first.received_on = formatSeconds(time);
		second.received_on = format(time);
		t.forms.time = time;
		return c.id;
	} },
	/* Couch took two forms the other way round; a rebuild of it agrees with SQL */
	swapped: { effect: 'change', life: (t) => {
		const { c, user } = ownCase(t, 0);
		t.one({ update: { village: 'first' } }, { user }, c);
		t.one({ update: { village: 'second' } }, { user }, c);
		c.couchOrder = (blocks) => [blocks[0], blocks[2], blocks[1]];
		return c.id;
	} },
	/* as before, but a rebuild does not help (an empty name counts in Couch only): sorting SQL like Couch makes both equal */
	sorted: { effect: 'change', life: (t) => {
		const { c, user } = ownCase(t, 0);
		t.one({ update: { village: 'first', case_name: 'Kept' } }, { user }, c);
		t.one({ update: { village: 'second', case_name: '' } }, { user }, c);
		c.couchOrder = (blocks) => [blocks[0], blocks[2], blocks[1]];
		return c.id;
	} },
};

/* ---- plants on finished documents: pick(doc) says which cases will do ---- */

const propertyOf = (doc) => Object.keys(doc).find((k) => ['village', 'notes', 'phone', 'muac', 'weight'].includes(k) && doc[k] !== '');
const hasProperty = (doc) => propertyOf(doc) !== undefined;
const isOpen = (doc) => !doc.closed;
const attached = (doc) => Object.keys(doc.case_attachments || {}).length > 0;
const indexed = (n) => (doc) => doc.indices.length === n;
const hasCreate = (doc) => doc.actions.some((a) => a.action_type === 'create');
const other = (text, suffix = '-other') => `${text || 'x'}${suffix}`;

function set(key, change, pick) {
	return { effect: 'change', pick, edit: (doc, rng) => {
		doc[key] = change(doc[key], doc, rng);
	} };
}

const DOCUMENTS = {
	propertyChanged: { effect: 'change', pick: hasProperty, edit: (doc) => {
		const key = propertyOf(doc);
		doc[key] = other(doc[key], ' é');
	} },
	propertyOnlyInCouch: set('shoe_size', () => '39'),
	propertyOnlyInSql: { effect: 'change', pick: hasProperty, edit: (doc) => {
		delete doc[propertyOf(doc)];
	} },
	propertyIsNumber: { effect: 'change', pick: (doc) => /^\d+\.[1-9]$/.test(doc.weight || ''), edit: (doc) => {
		doc.weight = Number(doc.weight);
	} },
	propertyIsObject: { effect: 'change', pick: hasProperty, edit: (doc) => {
		const key = propertyOf(doc);
		doc[key] = { nested: doc[key] };
	} },
	propertyDate: { effect: 'change', pick: (doc) => /^\d{4}-/.test(doc.dob || ''), edit: (doc) => {
		doc.dob = doc.dob === '2001-01-01' ? '2001-01-02' : '2001-01-01';
	} },
	propertyDateTime: { effect: 'none', pick: (doc) => instant(doc.last_seen_at) !== null, edit: (doc) => {
		doc.last_seen_at = '2001-01-01T01:01:01Z';
	} },
	propertyNull: { effect: 'none', pick: () => true, edit: (doc) => {
		doc.shoe_size = null;
	} },
	name: set('name', (v) => other(v)),
	type: set('type', (v) => other(v)),
	owner: set('owner_id', (v) => other(v)),
	externalId: set('external_id', (v) => other(v), (doc) => doc.hq_user_id === undefined),
	modifier: set('user_id', (v) => other(v), (doc) => typeof doc.user_id === 'string'),
	closedInCouch: { effect: 'change', pick: isOpen, edit: (doc) => {
		Object.assign(doc, { closed: true, closed_on: doc.modified_on, closed_by: doc.opened_by });
	} },
	openInCouch: { effect: 'change', pick: (doc) => doc.closed, edit: (doc) => {
		Object.assign(doc, { closed: false, closed_on: null, closed_by: '' });
	} },
	openedByWithCreate: { effect: 'diff', pick: hasCreate, edit: (doc) => {
		doc.opened_by = other(doc.opened_by);
	} },
	openedByWithoutCreate: { effect: 'none', pick: (doc) => !hasCreate(doc) && doc.actions.length > 0, edit: (doc) => {
		doc.opened_by = other(doc.opened_by);
	} },
	openedOnFarOff: { effect: 'none', pick: (doc) => doc.opened_on !== null, edit: (doc) => {
		doc.opened_on = '2009-02-03T04:05:06.700000Z';
	} },
	formIdOnlyInCouch: { effect: 'change', pick: () => true, edit: (doc, rng) => {
		doc.xform_ids.push(rng.hex(32));
	} },
	formIdOnlyInSql: { effect: 'change', pick: (doc) => doc.xform_ids.length > 1, edit: (doc) => {
		const acting = doc.actions.map((a) => a.xform_id);
		doc.xform_ids.splice(doc.xform_ids.findIndex((id) => acting.includes(id)), 1);
	} },
	/* named by an action too, and nowhere to be found */
	formMissing: { effect: 'diff', pick: (doc) => doc.actions.length > 0, edit: (doc, rng) => {
		const id = rng.hex(32);
		doc.xform_ids.push(id);
		doc.actions.push({ ...doc.actions[doc.actions.length - 1], action_type: 'update', xform_id: id });
	} },
	indexField: { effect: 'change', pick: indexed(1), edit: (doc) => {
		doc.indices[0].referenced_id = other(doc.indices[0].referenced_id);
	} },
	indexType: { effect: 'change', pick: indexed(1), edit: (doc) => {
		doc.indices[0].referenced_type = other(doc.indices[0].referenced_type);
	} },
	indexOnlyInSql: { effect: 'change', pick: indexed(1), edit: (doc) => {
		doc.indices = [];
	} },
	indexOnlyInCouch: { effect: 'change', pick: indexed(0), edit: (doc, rng) => {
		doc.indices.push({ doc_type: 'CommCareCaseIndex', identifier: 'extra', referenced_type: 'clinic', referenced_id: rng.hex(32), relationship: 'child' });
	} },
	indexThirdInCouch: { effect: 'change', pick: indexed(2), edit: (doc, rng) => {
		doc.indices.push({ doc_type: 'CommCareCaseIndex', identifier: 'zone', referenced_type: 'zone', referenced_id: rng.hex(32), relationship: 'child' });
	} },
	indexOrder: { effect: 'none', pick: indexed(2), edit: (doc) => {
		doc.indices.reverse();
	} },
	attachmentSize: { effect: 'change', pick: attached, edit: (doc) => {
		Object.values(doc.case_attachments)[0].attachment_size += 1;
	} },
	attachmentOnlyInSql: { effect: 'change', pick: attached, edit: (doc) => {
		doc.case_attachments = {};
	} },
	attachmentOnlyInCouch: { effect: 'change', pick: (doc) => !attached(doc), edit: (doc) => {
		doc.case_attachments = { scan: { doc_type: 'CommCareCaseAttachment', identifier: 'scan', attachment_src: 's.png', attachment_size: 12 } };
	} },
	userIdRenamed: { effect: 'none', pick: (doc) => Boolean(doc.user_id), edit: (doc, rng) => {
		doc['@user_id'] = doc.user_id;
		doc.user_id = rng.pick([null, '']);
	} },
	userIdRenamedDiffers: { effect: 'change', pick: (doc) => Boolean(doc.user_id), edit: (doc) => {
		doc['@user_id'] = other(doc.user_id);
		delete doc.user_id;
	} },
	userIdTwice: { effect: 'change', pick: (doc) => Boolean(doc.user_id), edit: (doc) => {
		doc['@user_id'] = doc.user_id;
	} },
	dateModifiedRenamed: { effect: 'none', pick: () => true, edit: (doc) => {
		doc['@date_modified'] = doc.modified_on;
		delete doc.modified_on;
	} },
	hqUserIdDiffers: { effect: 'change', pick: (doc) => doc.hq_user_id !== undefined, edit: (doc) => {
		doc.hq_user_id = other(doc.hq_user_id);
	} },
	restored: { effect: 'none', pick: () => true, edit: (doc, rng) => {
		Object.assign(doc, { '-deletion_id': rng.hex(12), '-deletion_date': '2015-05-05T05:05:05Z' });
	} },
	severalAtOnce: { effect: 'change', pick: (doc) => hasProperty(doc) && isOpen(doc), edit: (doc) => {
		doc[propertyOf(doc)] = 'something else';
		doc.name = other(doc.name);
		doc.shoe_size = '40';
		Object.assign(doc, { closed: true, closed_on: doc.modified_on, closed_by: doc.opened_by });
	} },
};

/* A Couch case no form ever spoke of. */
function orphan(rng, domain, user) {
	const doc = plainCase(rng, domain, rng.id(), inOrder([]));
	const date = '2012-03-04T05:06:07.000000Z';
	return Object.assign(doc, {
		type: 'patient', name: 'Left behind', external_id: '', owner_id: user, user_id: user, opened_by: user, opened_on: date, modified_on: date,
		server_modified_on: date, village: 'Zomba', version: '1.0',
	});
}

module.exports = { LIFE, DOCUMENTS, orphan, markDeleted };
