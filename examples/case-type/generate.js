#!/usr/bin/env node
'use strict';
/* A central case database as SQL for psql: the case type that moves, another one that stays. --cases, --events, --seed, --type. */

const { Rng } = require('../random.js');
const { options, writer } = require('../output.js');

const o = options({ cases: 300, events: 3000, seed: 1, type: 'TEST' });
const rng = new Rng(o.seed);
const out = writer();

const WORDS = ['submit', 'review', 'issue', 'serve', 'amend', 'close', 'naïve', 'it\'s', 'tab\\tand\\\\slash', '北京'];
const time = (n) => new Date(Date.UTC(2024, 0, 1) + n * 61000).toISOString().replace('Z', '').replace('T', ' ');
const text = (s) => s.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n');
const json = (v) => text(JSON.stringify(v));

out(`CREATE TABLE case_data (id bigint PRIMARY KEY, reference bigint NOT NULL UNIQUE, jurisdiction varchar(255) NOT NULL,
	case_type_id varchar(255) NOT NULL, state varchar(255) NOT NULL, data jsonb NOT NULL, supplementary_data jsonb,
	security_classification varchar(16) NOT NULL, created_date timestamp NOT NULL, last_modified timestamp, version integer NOT NULL);
CREATE TABLE case_event (id bigserial PRIMARY KEY, case_data_id bigint NOT NULL REFERENCES case_data, case_type_id varchar(255) NOT NULL,
	event_id varchar(70) NOT NULL, summary text, data jsonb NOT NULL, user_id varchar(64) NOT NULL, created_date timestamp NOT NULL);
CREATE TABLE case_event_significant_items (id serial PRIMARY KEY, case_event_id bigint NOT NULL REFERENCES case_event,
	description varchar(64) NOT NULL, type varchar(16) NOT NULL, url text);
`);

const cases = [];
for (let i = 1; i <= o.cases * 2; i++)
	cases.push({ id: i, type: i % 2 ? o.type : 'OTHER', events: 0, last: 0 });

const events = [];
for (let i = 1; i <= o.events * 2; i++) {
	const even = i % 2 ? 0 : 1; /* as many of each case type */
	const c = i <= cases.length ? cases[i - 1] : cases[rng.int(o.cases) * 2 + even];
	c.events++;
	c.last = i;
	events.push({ id: i, c });
}

out('COPY case_data FROM stdin;\n');
for (const c of cases) {
	const data = { name: `${rng.pick(WORDS)} ${c.id}`, amount: rng.int(100000) / 100, tags: [rng.pick(WORDS), rng.pick(WORDS)] };
	const extra = rng.chance(300) ? '\\N' : json({ orgs: rng.int(5) });
	out([c.id, 1600000000000000 + c.id * 7, 'JUR', c.type, rng.pick(['Open', 'Closed']), json(data), extra, 'PUBLIC', time(c.id), time(c.last),
		c.events].join('\t') + '\n');
}
out('\\.\nCOPY case_event FROM stdin;\n');
for (const e of events) {
	out([e.id, e.c.id, e.c.type, rng.pick(WORDS.slice(0, 6)), rng.chance(200) ? '\\N' : text(rng.pick(WORDS)), json({ n: e.id, w: rng.pick(WORDS) }),
		`user-${rng.int(20)}`, time(e.id)].join('\t') + '\n');
}
out('\\.\nCOPY case_event_significant_items FROM stdin;\n');
for (let i = 1, at = 0; at < events.length; at += rng.range(5, 15), i++)
	out([i, events[at].id, `item ${i}`, 'DOCUMENT', `https://docs.example.org/${rng.id()}`].join('\t') + '\n');
out(`\\.
SELECT setval('case_event_id_seq', (SELECT max(id) FROM case_event));
SELECT setval('case_event_significant_items_id_seq', (SELECT max(id) FROM case_event_significant_items));
CREATE INDEX ON case_event (case_data_id);
CREATE INDEX ON case_event_significant_items (case_event_id);
ANALYZE;
`);
