#!/usr/bin/env node
'use strict';
/*
 * A whole invented domain, from a seed: the recorded changes feed of a CouchDB database, and what its migration must find.
 *
 *   node tests/gen/domain.js --seed N [--forms N] [--cases N] [--domain NAME] [--continuous] [--plain] --out DIR
 *
 * Writes DIR/demo.json.gz (with --plain DIR/demo.json) and DIR/expected.json. The same options give the same bytes on every machine.
 * Without --forms or --cases the seed chooses the size. See tests/gen/README.md for what expected.json says.
 */

const fs = require('fs');
const path = require('path');
const { Rng } = require('./prng.js');
const { gzip } = require('./gzip.js');
const { Timeline } = require('./timeline.js');
const { caseDocument, plainCase } = require('./cases.js');
const { LIFE, DOCUMENTS, orphan, markDeleted } = require('./plants.js');
const { inOrder } = require('./fold.js');
const { expectation, isProcessed } = require('./expect.js');

function usage(message) {
	process.stderr.write(`domain.js: ${message}\nusage: domain.js --seed N [--forms N] [--cases N] [--domain NAME] [--continuous] [--plain] --out DIR\n`);
	process.exit(2);
}

function options(argv) {
	const o = { domain: 'demo-clinic', continuous: false, plain: false };
	for (let i = 0; i < argv.length; i++) {
		const name = argv[i].replace(/^--/, '');
		if (name === 'continuous' || name === 'plain')
			o[name] = true;
		else if (['seed', 'forms', 'cases', 'domain', 'out'].includes(name) && i + 1 < argv.length)
			o[name] = argv[++i];
		else
			usage(`cannot read option ${argv[i]}`);
	}
	for (const name of ['seed', 'forms', 'cases']) {
		if (o[name] !== undefined && !/^\d{1,9}$/.test(o[name]))
			usage(`--${name} needs a number`);
		if (o[name] !== undefined)
			o[name] = Number(o[name]);
	}
	if (o.seed === undefined || o.out === undefined)
		usage('--seed and --out are needed');
	return o;
}

class Domain {
	constructor(o) {
		this.rng = new Rng(o.seed);
		this.name = o.domain;
		const cases = this.rng.range(60, 300);
		this.ncases = o.cases || cases;
		this.nforms = o.forms || this.ncases * this.rng.range(3, 6);
		this.docs = [];
		this.tombstones = [];
		this.plants = [];
	}

	generate() {
		this.life = new Timeline(this.rng, this.name);
		const room = Math.floor(this.ncases / 5);
		this.life.run(this.nforms - 3 * room, this.ncases - room);
		this.plantLife(room);
		this.caseDocuments();
		this.plantDocuments();
		this.formPlants();
		this.others();
		this.docs.push(...this.life.forms.all);
		this.rows();
	}

	note(plant, id, effect) {
		this.plants.push({ plant, id, effect });
	}

	/* every plant once, further ones while there is room */
	plantLife(room) {
		const names = Object.keys(LIFE);
		for (let i = 0; i < Math.max(names.length, room); i++) {
			const name = i < names.length ? names[i] : this.rng.pick(names);
			this.note(name, LIFE[name].life(this.life), LIFE[name].effect);
		}
	}

	caseDocuments() {
		const processed = this.life.blocksByCase(isProcessed);
		const every = this.life.blocksByCase(() => true);
		this.caseDocs = new Map();
		for (const c of this.life.order) {
			const counted = c.documentFromAllForms ? every.get(c.id) : processed.get(c.id);
			this.caseDocument(c, inOrder(c.blocks || counted || every.get(c.id)), !c.blocks && !counted);
		}
	}

	caseDocument(c, blocks, deleted) {
		const { rng } = this;
		if (c.noDocument)
			return;
		if (c.tombstone) {
			this.tombstones.push(c.id);
			return;
		}
		const doc = c.couchOrder ? plainCase(rng, this.name, c.id, c.couchOrder(blocks)) : caseDocument(rng, this.name, c.id, blocks);
		if (c.deleted || deleted)
			markDeleted(rng, doc);
		if (c.lostDeletion) {
			delete doc['-deletion_id'];
			delete doc['-deletion_date'];
		}
		if (c.otherDomain)
			doc.domain = `${this.name}-old`;
		if (c.openedBy)
			doc.opened_by = c.openedBy;
		if (c.edit)
			c.edit(doc);
		this.docs.push(doc);
		if (!c.planted && !deleted)
			this.caseDocs.set(c.id, doc);
	}

	plantDocuments() {
		const { rng } = this;
		const free = rng.shuffle([...this.caseDocs.values()]);
		const names = Object.keys(DOCUMENTS);
		const wanted = Math.max(names.length, Math.floor(this.ncases / 6));
		for (let i = 0; i < wanted && free.length > 0; i++) {
			const name = i < names.length ? names[i] : rng.pick(names);
			const plant = DOCUMENTS[name];
			const at = free.findIndex((doc) => (plant.pick || (() => true))(doc));
			if (at < 0)
				continue;
			const [doc] = free.splice(at, 1);
			plant.edit(doc, rng);
			this.note(name, doc._id, plant.effect);
		}
		for (let i = 0; i < rng.range(2, 6); i++) {
			const doc = orphan(rng, this.name, 'u-0001');
			this.docs.push(doc);
			this.note('noFormsAtAll', doc._id, 'change');
		}
	}

	/* differences and oddities of forms */
	formPlants() {
		const { rng } = this;
		const forms = this.life.forms.all.filter((f) => ['XFormInstance', 'XFormArchived'].includes(f.doc_type) && (f.form.meta || {}).userID);
		const take = () => forms.splice(rng.int(forms.length), 1)[0];
		for (let i = 0; i < rng.range(2, 8); i++) {
			const form = take();
			form.user_id = i % 3 === 1 ? null : `${form.form.meta.userID}-top`;
			this.note('formUserId', form._id, 'diff');
		}
		for (let i = 0; i < rng.range(2, 6); i++) {
			const form = take();
			const same = { user_id: form.form.meta.userID, uid: form._id, location_: [], migrating_blobs_from_couch: true, problem: null };
			const [key, value] = rng.pick(Object.entries(same));
			form[key] = form[key] || value; /* a form with a problem keeps it: without, it would count */
			this.note('formLegacyField', form._id, 'none');
		}
	}

	/* documents of other kinds, other domains, design documents, tombstones */
	others() {
		const { rng } = this;
		const rev = () => `${rng.range(1, 9)}-${rng.hex(32)}`;
		const add = (doc) => this.docs.push({ _id: doc._id || rng.id(), _rev: rev(), ...doc });
		const each = (low, high, make) => {
			for (let i = rng.range(low, high); i > 0; i--)
				add(make(i));
		};
		const domain = this.name;
		each(2, 9, (i) => ({ doc_type: 'CommCareUser', domain, username: `chw${i}@${domain}.example.org`, user_data: { level: i, ratio: i / 4 } }));
		each(1, 5, (i) => ({ doc_type: 'Group', domain, name: `Team ${i} é`, users: ['u-0001', 'u-0002'], case_sharing: i % 2 === 0 }));
		each(1, 5, (i) => ({ doc_type: 'FixtureDataItem', domain, fields: { name: { field_list: [{ field_value: `v${i}`, properties: {} }] } }, sort_key: i - 1.5 }));
		each(1, 2, () => ({ _id: `app-${rng.hex(8)}`, doc_type: 'Application', domain, version: 12, modules: [], langs: ['en', 'por'], build_spec: null }));
		each(3, 20, () => ({ doc_type: 'XFormInstance', domain: `${domain}-2`, form: { '#type': 'data' }, received_on: '2016-01-01T00:00:00Z' }));
		each(2, 10, () => ({ doc_type: 'CommCareCase', domain: 'elsewhere', name: 'not ours', xform_ids: [], actions: [] }));
		each(1, 3, () => ({ doc_type: 'CommCareUser', username: 'no domain at all' }));
		each(1, 3, (i) => ({ _id: `_design/view${i}`, language: 'javascript', views: { all: { map: 'function (doc) { emit(doc._id); }' } } }));
		for (let i = rng.range(3, 12); i > 0; i--)
			this.tombstones.push(rng.id());
	}

	tombstone(id) {
		const { rng } = this;
		const doc = { _id: id, _rev: `${rng.range(2, 5)}-${rng.hex(32)}`, _deleted: true };
		if (rng.chance(250))
			Object.assign(doc, { doc_type: 'XFormInstance', domain: this.name, why: 'a tombstone may have a body' });
		return doc;
	}

	rows() {
		const { rng } = this;
		const docs = rng.shuffle(this.docs.concat(this.tombstones.map((id) => this.tombstone(id))));
		const tail = `g1AAAA${rng.hex(16)}`;
		let n = 0;
		this.feed = docs.map((doc) => {
			n += rng.chance(100) ? rng.range(2, 4) : 1; /* later changes of the same document hide earlier sequences */
			const row = { seq: `${n}-${tail}${n.toString(36)}`, id: doc._id, changes: [{ rev: doc._rev }] };
			if (doc._deleted)
				row.deleted = true;
			row.doc = doc;
			return row;
		});
	}

	text(continuous) {
		const end = { last_seq: this.feed[this.feed.length - 1].seq, pending: 0 };
		const rows = this.feed.map((row) => JSON.stringify(row));
		if (continuous)
			return `${rows.join('\n')}\n${JSON.stringify(end)}\n`;
		return `{"results":[\n${rows.join(',\n')}\n],\n"last_seq":${JSON.stringify(end.last_seq)},"pending":0}\n`;
	}
}

/* A plant that does not bite, or a difference nobody planted, is a fault of the generator. */
function verify(domain, expected) {
	const ids = (list) => new Set(list.map((f) => f.id));
	const [now, later, changes] = [ids(expected.now.diffs), ids(expected.later.diffs), ids(expected.later.changes)];
	const planted = new Set();
	const wrong = [];
	for (const { plant, id, effect } of domain.plants) {
		planted.add(id);
		const holds = { none: !now.has(id), diff: now.has(id) && later.has(id), change: now.has(id) && !later.has(id) }[effect];
		if (!holds)
			wrong.push(`${plant} ${id}: wanted ${effect}, now ${now.has(id)}, later ${later.has(id)}, change ${changes.has(id)}`);
	}
	for (const f of expected.now.diffs) {
		if (!planted.has(f.id))
			wrong.push(`${f.kind} ${f.id}: nobody planted ${JSON.stringify(f.diffs)}`);
	}
	if (wrong.length)
		throw new Error(`the generator contradicts itself:\n${wrong.join('\n')}`);
}

function main() {
	const o = options(process.argv.slice(2));
	const domain = new Domain(o);
	domain.generate();
	const expected = expectation(domain.feed, o.domain);
	verify(domain, expected);
	const text = Buffer.from(domain.text(o.continuous));
	fs.mkdirSync(o.out, { recursive: true });
	fs.writeFileSync(path.join(o.out, o.plain ? 'demo.json' : 'demo.json.gz'), o.plain ? text : gzip(text));
	const answer = { domain: o.domain, seed: o.seed, ...expected, plants: domain.plants };
	fs.writeFileSync(path.join(o.out, 'expected.json'), `${JSON.stringify(answer, null, 1)}\n`);
}

main();
