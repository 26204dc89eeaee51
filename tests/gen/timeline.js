'use strict';
/*
 * A domain's life: submissions in order of arrival, each registering, updating, closing ... cases. Everything of DOCUMENTS section 5
 * occurs here; how often is the mixture, which depends on the seed.
 */

const { blocksOf, DEVICE_REPORT } = require('./blocks.js');
const { Forms, MINUTE } = require('./forms.js');
const { format } = require('./dates.js');
const words = require('./words.js');

const IMPORT = ['Bulk import', 'http://commcarehq.org/case-importer'];

class Timeline {
	constructor(rng, domain) {
		this.rng = rng;
		this.forms = new Forms(rng, domain, Date.UTC(2015, 0, 5) * 1000);
		this.cases = new Map(); /* id -> {id, type, closed, photo, indices:Set} */
		this.order = [];
		this.mix = this.mixture();
	}

	mixture() {
		const { rng } = this;
		const about = (w) => rng.range(Math.ceil(w / 2), w + Math.ceil(w / 2));
		return [
			[about(600), 'visit'], [about(40), 'visitTwice'], [about(40), 'close'], [about(12), 'bulk'], [about(40), 'hostIndex'],
			[about(30), 'photo'], [about(10), 'photoRemoved'], [about(40), 'oldVisit'], [about(30), 'touch'], [about(60), 'survey'],
			[about(8), 'deviceReport'], [about(15), 'ledger'], [about(20), 'hqSubmission'], [about(15), 'withoutXmlns'],
			[about(12), 'withoutXml'], [about(14), 'oddDate'], [about(14), 'userFromMeta'], [about(10), 'dateFromForm'],
			[about(15), 'known'], [about(10), 'location'], [about(20), 'archived'], [about(15), 'softDeleted'], [about(12), 'duplicate'],
			[about(12), 'error'], [about(10), 'problem'], [about(8), 'unprocessed'], [about(15), 'nullProcessed'], [about(15), 'edited'],
			[about(8), 'errorLog'], [about(6), 'emptyProblem'], [about(8), 'specials'],
		];
	}

	/* about `nforms` forms and `ncases` cases; every kind of submission at least once when there is room */
	run(nforms, ncases) {
		const once = this.rng.shuffle(this.mix.map(([, kind]) => kind));
		this.register('plain');
		while (this.forms.all.length < nforms) {
			const formsLeft = Math.max(1, nforms - this.forms.all.length);
			const casesLeft = ncases - this.cases.size;
			if (casesLeft > 0 && this.rng.int(formsLeft) < casesLeft)
				this.register();
			else if (once.length && this.cases.size > Math.min(30, ncases - 1))
				this[once.pop()]();
			else
				this[this.rng.weighted(this.mix)]();
		}
	}

	remember(id, type, more) {
		const c = { id, type, closed: false, photo: false, indices: new Set(), ...more };
		this.cases.set(id, c);
		this.order.push(c);
		return c;
	}

	/* an open case, rather a recent one */
	someCase(wanted = () => true) {
		const { rng, order } = this;
		for (let tries = 0; tries < 40; tries++) {
			const span = rng.chance(600) ? Math.min(order.length, 80) : order.length;
			const c = order[order.length - 1 - rng.int(span)];
			if (!c.closed && wanted(c))
				return c;
		}
		return order[order.length - 1];
	}

	name() {
		return `${this.rng.pick(words.given)} ${this.rng.pick(words.family)}`;
	}

	value(property) {
		const { rng } = this;
		if (['edd', 'dob', 'next_visit'].includes(property))
			return `201${rng.range(0, 8)}-0${rng.range(1, 9)}-${rng.range(10, 28)}`;
		if (property === 'last_seen_at')
			return format(this.forms.time);
		if (['weight', 'muac', 'visit_count', 'phone'].includes(property))
			return `${rng.range(1, 99)}.${rng.int(10)}`;
		return rng.pick(rng.chance(500) ? words.villages : words.notes);
	}

	properties(n) {
		const out = {};
		for (let i = 0; i < n; i++) {
			const property = this.rng.pick(words.properties);
			out[property] = this.value(property);
		}
		return out;
	}

	caseId() {
		const { rng } = this;
		const id = rng.chance(15) ? `hh/${rng.hex(6)} é` : rng.id();
		return this.cases.has(id) ? this.caseId() : id;
	}

	/* ---- registrations ---- */

	register(how) {
		const kinds = [[60, 'plain'], [15, 'household'], [6, 'oldStyle'], [4, 'openAndShut'], [3, 'updateFirst'], [3, 'userCase'], [1, 'longName']];
		this[`register_${how || this.rng.weighted(kinds)}`]();
	}

	createPart(type, user, name) {
		const create = { case_name: name || this.name(), case_type: type, owner_id: user.id };
		if (this.rng.chance(60))
			create.favourite = 'thrown away';
		return create;
	}

	registration(type, more = {}, name) {
		const time = this.forms.nextTime();
		const user = more.user || this.forms.user();
		const c = this.remember(this.caseId(), type);
		const update = this.properties(this.rng.range(1, 4));
		if (this.rng.chance(300))
			update.external_id = `PT-${this.rng.int(10000)}`;
		if (this.rng.chance(100))
			update.date_opened = this.rng.pick(['2014-04-05', '2014-04-05T06:00:00.000000Z']);
		const spec = { create: this.createPart(type, user, name), update, ...more };
		return { c, time, user, block: this.forms.block(c.id, spec, time, user) };
	}

	register_plain() {
		const { time, user, block, c } = this.registration(this.rng.pick(words.types));
		this.forms.add({ time, user, blocks: [block], kind: words.forms[0] });
		return c;
	}

	register_household() {
		const { time, user, block, c } = this.registration('household');
		const child = this.remember(this.caseId(), 'child');
		const index = { parent: { '@case_type': 'household', '@relationship': 'child', '#text': c.id } };
		if (this.rng.chance(300))
			delete index.parent['@relationship'];
		child.indices.add('parent');
		const spec = { create: this.createPart('child', user), update: this.properties(2), index };
		this.forms.add({ time, user, blocks: [block, this.forms.block(child.id, spec, time, user)], kind: words.forms[4] });
	}

	register_oldStyle() {
		const { time, user, c } = this.registration('patient');
		const spec = { create: this.createPart('patient', user), update: this.properties(2) };
		c.old = true;
		this.forms.add({ time, user, blocks: [this.forms.oldBlock(c.id, spec, time)], kind: words.forms[0] });
	}

	register_openAndShut() {
		const { time, user, block, c } = this.registration('referral', { close: true });
		c.closed = true;
		this.forms.add({ time, user, blocks: [block], kind: words.forms[0] });
	}

	/* the update arrives before the create */
	register_updateFirst() {
		const early = this.forms.nextTime();
		const { time, user, block, c } = this.registration('patient');
		const update = this.forms.block(c.id, { update: this.properties(2) }, early, user);
		this.forms.add({ time: early, user, blocks: [update] });
		this.forms.add({ time, user, blocks: [block], kind: words.forms[0] });
	}

	register_userCase() {
		const user = this.forms.user();
		const { time, block, c } = this.registration('commcare-user', { user });
		delete block.update.external_id;
		block.update.hq_user_id = user.id;
		c.hqUser = user.id;
		this.forms.add({ time, user, blocks: [block], kind: words.forms[0] });
	}

	register_longName() {
		const long = `${'a very long name, é '.repeat(20)}`.slice(0, 256);
		const { time, user, block } = this.registration('patient', {}, long);
		this.forms.add({ time, user, blocks: [block], kind: words.forms[0] });
	}

	/* ---- later submissions ---- */

	/* one block for one case */
	one(spec, options = {}, c = this.someCase()) {
		const time = options.time || this.forms.nextTime();
		const user = options.user || this.forms.user();
		return this.forms.add({ ...options, time, user, blocks: [this.forms.block(c.id, spec, time, user)] });
	}

	visit() {
		const date = this.rng.chance(100) ? { date: format(this.forms.time - 9000 * MINUTE) } : {};
		return this.one({ update: this.properties(this.rng.range(1, 3)), ...date });
	}

	visitTwice() {
		const time = this.forms.nextTime();
		const user = this.forms.user();
		const c = this.someCase();
		const block = () => this.forms.block(c.id, { update: this.properties(2) }, time, user);
		this.forms.add({ time, user, blocks: [block(), block()] });
	}

	close() {
		const c = this.someCase();
		c.closed = true;
		this.one({ update: this.properties(1), close: true }, { kind: words.forms[3] }, c);
	}

	bulk() {
		const time = this.forms.nextTime();
		const user = this.forms.users[7];
		const chosen = new Set();
		for (let i = 0; i < 10; i++)
			chosen.add(this.someCase());
		const blocks = [...chosen].map((c) => this.forms.block(c.id, { update: this.properties(2) }, time, user));
		const doc = this.forms.add({ time, user, blocks, kind: IMPORT, root: 'system', plain: true });
		doc.form.meta.deviceID = 'corehq.apps.case_importer.do_import';
		doc.form.meta.appVersion = { '@xmlns': 'http://commcarehq.org/xforms' };
	}

	hostIndex() {
		const c = this.someCase((x) => !x.indices.has('host'));
		const host = this.rng.pick(this.order);
		c.indices.add('host');
		this.one({ index: { host: { '@case_type': host.type, '@relationship': 'extension', '#text': host.id } } }, {}, c);
	}

	photo(c = this.someCase()) {
		c.photo = true;
		const file = `p${this.rng.int(100)}.jpg`;
		const files = { [file]: { content_type: 'image/jpeg', content_length: this.rng.range(1000, 90000) } };
		return this.one({ update: this.properties(1), attachment: { photo: { '@from': 'local', '@src': file } } }, { files }, c);
	}

	photoRemoved() {
		const c = this.someCase((x) => x.photo);
		c.photo = false;
		this.one({ update: this.properties(1), attachment: { photo: '' } }, {}, c);
	}

	oldVisit() {
		const c = this.someCase((x) => x.old);
		const time = this.forms.nextTime();
		const close = this.rng.chance(100);
		c.closed = c.closed || close;
		this.forms.add({ time, blocks: [this.forms.oldBlock(c.id, { update: this.properties(2), close }, time)] });
	}

	touch() {
		const spec = this.rng.pick([{}, { update: '' }, { create: '', index: '' }]);
		return this.one(spec, { kind: ['Look up', 'http://openrosa.org/formdesigner/look-1'] });
	}

	survey() {
		this.forms.add({ blocks: [] });
	}

	deviceReport() {
		const report = { '@xmlns': DEVICE_REPORT, log_subreport: { case: { '@case_id': 'not-a-case', update: { x: '1' } } } };
		this.forms.add({ body: { device_report: report } });
	}

	ledger() {
		const c = this.someCase();
		const balance = {
			'@xmlns': 'http://commcarehq.org/ledger/v1', '@entity-id': c.id, '@section-id': 'stock', '@date': format(this.forms.time),
			entry: [{ '@id': 'product-a', '@quantity': '40' }, { '@id': 'product-b', '@quantity': String(this.rng.int(200)) }],
		};
		const transfer = {
			'@xmlns': 'http://commcarehq.org/ledger/v1', '@src': c.id, '@dest': this.rng.pick(this.order).id, '@section-id': 'stock',
			'@date': format(this.forms.time), entry: { '@id': 'product-a', '@quantity': '7' },
		};
		const body = this.rng.chance(500) ? { balance } : { transfer };
		this.one({ update: this.properties(1) }, { body }, c);
	}

	hqSubmission() {
		this.one({ update: this.properties(2) }, { fields: { doc_type: 'HQSubmission' } });
	}

	withoutXmlns() {
		const doc = this.one({ update: this.properties(1) });
		if (this.rng.chance(500))
			doc.xmlns = null;
		else
			delete doc.xmlns;
		delete doc.form['@xmlns'];
	}

	withoutXml() {
		const doc = this.one({ update: this.properties(1) });
		delete doc.external_blobs['form.xml'];
	}

	oddDate() {
		const date = this.rng.pick(['2015-08-014', '08-14-2015', '08/14/15 10:11:12', '2015-08-14']);
		this.one({ update: this.properties(1), date });
	}

	userFromMeta() {
		this.one({ update: this.properties(1), noUser: true });
	}

	dateFromForm() {
		this.one({ update: this.properties(1), noDate: true });
	}

	known() {
		const update = this.rng.pick([{ case_name: this.name() }, { owner_id: this.forms.user().id }, { external_id: `X-${this.rng.int(999)}` },
			{ case_type: this.rng.pick(words.types) }]);
		this.one({ update }, {}, this.someCase((c) => !c.hqUser));
	}

	location() {
		this.one({ update: { location_id: `loc-${this.rng.int(9)}` } });
	}

	specials() {
		this.one({ update: { notes: '<b>&amp; "x" \'y\' ]]></b> \u00a0\u2028', gps: '-15.8 35.0 0 0' } });
	}

	/* ---- forms that change nothing ---- */

	archived() {
		const history = [{ doc_type: 'XFormOperation', user: 'nora', date: format(this.forms.time), operation: 'archive' }];
		return this.one({ update: { village: 'archived' } }, { fields: { doc_type: 'XFormArchived', history } });
	}

	softDeleted() {
		const fields = { doc_type: 'XFormInstance-Deleted', '-deletion_id': this.rng.hex(12), '-deletion_date': format(this.forms.time) };
		return this.one({ update: { village: 'deleted' } }, { fields });
	}

	duplicate() {
		this.one({ update: { village: 'duplicate' } }, { fields: { doc_type: 'XFormDuplicate', problem: 'Form is a duplicate of another!' } });
	}

	error() {
		this.one({ update: { village: 'error' } }, { fields: { doc_type: 'XFormError', problem: 'IllegalCaseId: case id is blank' } });
	}

	problem() {
		this.one({ update: { village: 'problem' } }, { fields: { problem: 'PostSaveError: something went wrong' } });
	}

	emptyProblem() {
		this.one({ update: { village: 'fine' } }, { fields: { problem: this.rng.pick(['', null]) } });
	}

	unprocessed() {
		this.one({ update: { village: 'never processed' } }, { fields: { initial_processing_complete: false } });
	}

	nullProcessed() {
		this.one({ update: { village: 'processed' } }, { fields: { initial_processing_complete: null } });
	}

	errorLog() {
		const { rng } = this;
		const doc = this.forms.add({ fields: { doc_type: 'SubmissionErrorLog', problem: 'XMLSyntaxError: no element found', md5: rng.hex(32) } });
		doc.form = {};
		delete doc.xmlns;
	}

	/* the old version keeps the blocks of before under a new id; the edited form changes the case in its place */
	edited() {
		const c = this.someCase();
		const user = this.forms.user();
		const current = this.one({ update: { village: 'edited', muac: '12.5' } }, { user }, c);
		const edit = format(this.forms.time + 5 * MINUTE);
		const old = this.one({ update: { village: 'before the edit', weight: '1.0' } }, { user }, c);
		old.doc_type = 'XFormDeprecated';
		Object.assign(old, { orig_id: current._id, deprecated_date: edit, received_on: current.received_on });
		Object.assign(current, { deprecated_form_id: old._id, edited_on: edit });
		current.history = [{ doc_type: 'XFormOperation', user: user.id, date: edit, operation: 'edit' }];
	}

	/* blocks of all forms by case, whether processed or not: [{form, block}] */
	blocksByCase(wanted) {
		const out = new Map();
		for (const form of this.forms.all.filter(wanted)) {
			for (const block of blocksOf(form)) {
				if (!out.has(block.caseId))
					out.set(block.caseId, []);
				out.get(block.caseId).push(block);
			}
		}
		return out;
	}
}

module.exports = { Timeline };
