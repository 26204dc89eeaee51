'use strict';
/* Form documents: builds one from its blocks, in the shapes of DOCUMENTS section 1. */

const { format, formatSeconds } = require('./dates.js');
const { V2 } = require('./blocks.js');
const words = require('./words.js');

const MINUTE = 60 * 1000000;

class Forms {
	/* start: instant of the first submission */
	constructor(rng, domain, start) {
		this.rng = rng;
		this.domain = domain;
		this.time = start;
		this.all = [];
		this.users = words.users.map((name, i) => ({ name, id: i === 7 ? 'u/7 imported' : `u-${String(i).padStart(4, '0')}` }));
	}

	/* instants grow by two seconds at least, so that whole-second texts keep the order */
	nextTime() {
		this.time += 2000000 + this.rng.int(14000) * 1000000 + this.rng.int(1000000);
		return this.time;
	}

	user() {
		return this.rng.pick(this.users);
	}

	/* A version 2 block. spec: {create, update, close, index, attachment, date, noUser, noDate} */
	block(caseId, spec, time, user) {
		const block = { '@case_id': caseId };
		const date = spec.date || format(time - this.rng.range(1, 600) * MINUTE);
		if (!spec.noDate)
			block['@date_modified'] = date;
		if (!spec.noUser)
			block['@user_id'] = user.id;
		block['@xmlns'] = V2;
		for (const part of ['create', 'update', 'index', 'attachment']) {
			if (part in spec)
				block[part] = spec[part];
		}
		if (spec.close)
			block.close = '';
		return block;
	}

	/* A version 1 block: no namespace, case_type_id in create, no index, no attachment. */
	oldBlock(caseId, spec, time) {
		const block = { case_id: caseId, date_modified: spec.date || format(time - this.rng.range(1, 90) * MINUTE) };
		if (spec.create) {
			const { case_type, ...rest } = spec.create;
			block.create = { case_type_id: case_type, ...rest };
		}
		if (spec.update)
			block.update = spec.update;
		if (spec.close)
			block.close = '';
		return block;
	}

	answers() {
		const { rng } = this;
		const form = { weight: `${rng.range(2, 90)}.${rng.int(10)}`, notes: rng.pick(words.notes) };
		if (rng.chance(500))
			form.group_a = { q1: rng.pick(['yes', 'no', '']), q2: `2016-0${rng.range(1, 9)}-1${rng.int(10)}`, 'odd/key@#': rng.pick(words.villages) };
		if (rng.chance(200))
			form.repeat = [{ cname: rng.pick(words.given) }, { cname: rng.pick(words.given) }];
		return form;
	}

	/* Where blocks stand: at the top, in a group, or one in each repeated item. */
	place(form, blocks) {
		const { rng } = this;
		const one = blocks.length === 1 ? blocks[0] : blocks;
		if (blocks.length === 0)
			return;
		if (rng.chance(700))
			form.case = one;
		else if (blocks.length > 1 && rng.chance(500))
			form.item = blocks.map((block, i) => ({ nth: String(i + 1), case: block }));
		else
			form.subcase_0 = { case: one, why: rng.pick(['new', 'follow up']) };
	}

	meta(id, time, user) {
		return {
			'@xmlns': 'http://openrosa.org/jr/xforms', deviceID: this.rng.pick(['867', 'A1:B2', 'cloudcare']),
			timeStart: format(time - 9 * MINUTE), timeEnd: format(time - MINUTE), username: user.name, userID: user.id, instanceID: id,
			appVersion: { '@xmlns': 'http://commcarehq.org/xforms', '#text': '2.0' },
		};
	}

	blobs(files) {
		const { rng } = this;
		const type = rng.pick(['BlobMeta', 'BlobMetaRef']);
		const key = type === 'BlobMeta' ? 'id' : 'key';
		const out = { 'form.xml': { doc_type: type, [key]: rng.hex(8), content_type: 'text/xml', content_length: rng.range(600, 4000) } };
		for (const [name, file] of Object.entries(files || {}))
			out[name] = { doc_type: type, [key]: rng.hex(8), ...file };
		return out;
	}

	/* options: id, time, user, blocks, xmlns pair, files, body (further answers), fields (further or other top-level fields) */
	add(options) {
		const { rng } = this;
		const id = options.id || rng.id();
		const time = options.time || this.nextTime();
		const user = options.user || this.user();
		const [name, xmlns] = options.kind || rng.pick(words.forms);
		const form = { '#type': options.root || 'data', '@name': name, '@uiVersion': '1', '@version': '12', '@xmlns': xmlns };
		Object.assign(form, options.plain ? {} : this.answers(), options.body);
		this.place(form, options.blocks || []);
		form.meta = this.meta(id, time, user);
		const doc = {
			_id: id, _rev: `${rng.range(1, 4)}-${rng.hex(32)}`, doc_type: 'XFormInstance', domain: this.domain, xmlns, app_id: 'app-1',
			build_id: rng.pick(['build-8', 'build-9', null]), received_on: rng.chance(60) ? formatSeconds(time) : format(time),
			server_modified_on: format(time + 1000000 + rng.int(1000000)), form, history: [], initial_processing_complete: true,
			partial_submission: false, auth_context: { doc_type: 'DefaultAuthContext' },
			openrosa_headers: { HTTP_X_OPENROSA_VERSION: '1.0' }, submit_ip: `10.0.0.${rng.range(2, 250)}`,
			path: `/a/${this.domain}/receiver/`, last_sync_token: rng.chance(300) ? rng.hex(32) : null,
			date_header: rng.pick([null, null, null, 'Tue, 05 Apr 2016 06:07:08 GMT']), external_blobs: this.blobs(options.files),
			'#export_tag': ['domain', 'xmlns'],
		};
		if (rng.chance(300))
			Object.assign(doc, { computed_: {}, computed_modified_on_: null });
		Object.assign(doc, options.fields);
		for (const [key, value] of Object.entries(doc)) {
			if (value === undefined)
				delete doc[key];
		}
		this.all.push(doc);
		return doc;
	}
}

module.exports = { Forms, MINUTE };
