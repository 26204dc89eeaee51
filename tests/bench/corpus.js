#!/usr/bin/env node
'use strict';
/*
 * A large clean domain for the bench:  node tests/bench/corpus.js --docs N --seed S [--forms F] [--differ 1] --out FILE
 *
 * F forms (4) to a case, so one document in five is a case; documents of about 1 KB; normal form, rows in order of arrival with the cases
 * of a group after its forms. No differences are expected, but with --differ: every Couch case has then another owner and a property that no
 * form gave it. Text is put together by hand and written in pieces: 200,000
 * documents take a few seconds and little memory.
 */

const fs = require('fs');
const { Rng } = require('../gen/prng.js');

const GROUP = 50; /* cases whose forms come interleaved */
const PIECE = 1 << 20;
const DOMAIN = 'bench';
const VILLAGES = ['Mulanje', 'Thyolo', 'Nkhata Bay', 'Dedza', 'Salima', 'São Tomé', 'Kasungu', 'Zomba'];
const V2 = 'http://commcarehq.org/case/transaction/v2';

function options(argv) {
	const o = { docs: '10000', seed: '1', forms: '4', differ: '' };
	for (let i = 0; i + 1 < argv.length; i += 2)
		o[argv[i].replace(/^--/, '')] = argv[i + 1];
	if (!o.out || argv.length % 2 || !/^\d+$/.test(o.docs) || !/^\d+$/.test(o.seed) || !/^[1-9]$/.test(o.forms)) {
		process.stderr.write('usage: corpus.js [--docs N] [--seed N] [--forms F] [--differ 1] --out FILE\n');
		process.exit(2);
	}
	return { docs: Number(o.docs), seed: Number(o.seed), forms: Number(o.forms), differ: Boolean(o.differ), out: o.out };
}

class Feed {
	constructor(path) {
		this.fd = fs.openSync(path, 'w');
		this.pending = '{"results":[\n';
		this.n = 0;
	}

	row(id, rev, doc) {
		const comma = this.n++ ? ',\n' : '';
		this.pending += `${comma}{"seq":"${this.n}-g1AAAACbeJzLYWBgYMpg","id":"${id}","changes":[{"rev":"${rev}"}],"doc":${doc}}`;
		if (this.pending.length >= PIECE)
			this.flush();
	}

	flush() {
		fs.writeSync(this.fd, this.pending);
		this.pending = '';
	}

	end() {
		this.pending += `\n],\n"last_seq":"${this.n}-g1AAAACbeJzLYWBgYMpg","pending":0}\n`;
		this.flush();
		fs.closeSync(this.fd);
	}
}

class Corpus {
	constructor(o) {
		this.rng = new Rng(o.seed);
		this.feed = new Feed(o.out);
		this.left = o.docs;
		this.forms = o.forms;
		this.differ = o.differ;
		this.clock = Date.UTC(2016, 0, 1);
	}

	newCase() {
		const user = `u-${String(this.rng.int(400)).padStart(4, '0')}`;
		return { id: this.rng.hex(32), user, name: `Patient ${this.rng.int(100000)}`, forms: [], properties: {} };
	}

	/* the n-th form of a case: the first creates it, the others update it */
	form(c, n) {
		const { rng } = this;
		const id = rng.hex(32);
		const rev = `1-${rng.hex(32)}`;
		this.clock += 1000 + rng.int(4000);
		const received = new Date(this.clock).toISOString().replace('Z', '000Z');
		const modified = new Date(this.clock - 60000).toISOString().replace('Z', '000Z');
		const update = { village: rng.pick(VILLAGES), weight: `${rng.range(3, 90)}.${rng.int(10)}`, visit: String(n + 1) };
		Object.assign(c.properties, update);
		c.forms.push({ id, received, modified });
		const create = n ? '' : `"create":{"case_name":"${c.name}","case_type":"patient","owner_id":"${c.user}"},`;
		this.feed.row(id, rev,
			`{"_id":"${id}","_rev":"${rev}","doc_type":"XFormInstance","domain":"${DOMAIN}","xmlns":"http://openrosa.org/formdesigner/visit-1",` +
			`"app_id":"app-1","received_on":"${received}","server_modified_on":"${received}","form":{"#type":"data",` +
			`"@name":"Home visit","@xmlns":"http://openrosa.org/formdesigner/visit-1",` +
			`"weight":"${update.weight}","case":{"@case_id":"${c.id}","@date_modified":"${modified}",` +
			`"@user_id":"${c.user}","@xmlns":"${V2}",${create}"update":${JSON.stringify(update)}},"meta":{"@xmlns":"http://openrosa.org/jr/xforms",` +
			`"deviceID":"867","timeStart":"${modified}","timeEnd":"${modified}","username":"nora","userID":"${c.user}","instanceID":"${id}"}},` +
			'"history":[],"initial_processing_complete":true,"partial_submission":false,' +
			'"last_sync_token":null,"external_blobs":{"form.xml":{"doc_type":"BlobMetaRef","key":"abc","content_type":"text/xml","content_length":812}}}');
	}

	couchCase(c) {
		const rev = `4-${this.rng.hex(32)}`;
		const [first, last] = [c.forms[0], c.forms[c.forms.length - 1]];
		const actions = c.forms.map((f, i) => `{"action_type":"${i ? 'update' : 'create'}","server_date":"${f.received}","xform_id":"${f.id}"}`);
		const owner = this.differ ? `group-${c.user}` : c.user;
		const given = this.differ ? { ...c.properties, remark: 'changed by hand' } : c.properties;
		const properties = JSON.stringify(given).slice(1, -1);
		this.feed.row(c.id, rev,
			`{"_id":"${c.id}","_rev":"${rev}","doc_type":"CommCareCase","domain":"${DOMAIN}","type":"patient","name":"${c.name}","external_id":"",` +
			`"owner_id":"${owner}","user_id":"${c.user}","opened_by":"${c.user}","closed_by":"","opened_on":"${first.modified}",` +
			`"modified_on":"${last.modified}","closed":false,"closed_on":null,"server_modified_on":"${last.received}","version":"2.0",${properties},` +
			`"xform_ids":[${c.forms.map((f) => `"${f.id}"`)}],"actions":[${actions}],"indices":[],"case_attachments":{}}`);
	}

	group() {
		const size = Math.max(1, Math.min(GROUP, Math.floor(this.left / (this.forms + 1))));
		const cases = Array.from({ length: size }, () => this.newCase());
		for (let n = 0; n < this.forms; n++)
			cases.forEach((c) => this.form(c, n));
		cases.forEach((c) => this.couchCase(c));
		this.left -= size * (this.forms + 1);
	}

	write() {
		while (this.left > this.forms)
			this.group();
		this.feed.end();
	}
}

new Corpus(options(process.argv.slice(2))).write();
