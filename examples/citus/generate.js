#!/usr/bin/env node
'use strict';
/* A reporting database as SQL for psql: parents with a child table a month, and lookups. --months, --rows (of a child), --seed. */

const { Rng } = require('../random.js');
const { options, writer } = require('../output.js');

const o = options({ months: 4, rows: 200, seed: 1 });
const rng = new Rng(o.seed);
const out = writer();

const month = (n) => `${2020 + Math.floor(n / 12)}-${String(n % 12 + 1).padStart(2, '0')}-01`;

out(`CREATE TABLE awc_location (doc_id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE agg_awc (month date NOT NULL, awc text NOT NULL, children integer, weighed numeric(10, 2) DEFAULT 0);
CREATE INDEX agg_awc_month ON agg_awc (month);
CREATE TABLE ucr_child_health (doc_id text NOT NULL, month date NOT NULL, awc text, weight real, PRIMARY KEY (doc_id, month));
CREATE INDEX ucr_child_health_awc ON ucr_child_health (awc);
CREATE TABLE ucr_person_cases (doc_id text PRIMARY KEY, name text, age integer);
CREATE TABLE left_behind (id integer PRIMARY KEY);
CREATE TABLE left_behind_child (v text) INHERITS (left_behind);
COPY awc_location FROM stdin;
`);
const awcs = Array.from({ length: 20 }, (_, i) => `awc-${i}`);
for (const awc of awcs)
	out(`${awc}\tआंगनवाड़ी ${awc}\n`);
out('\\.\n');

for (let m = 0; m < o.months; m++) {
	const agg = `"agg_awc_${month(m)}"`; /* the date in its name */
	const ucr = `ucr_child_health_${m}`; /* the date in its check */
	out(`CREATE TABLE ${agg} (CHECK (month = DATE '${month(m)}')) INHERITS (agg_awc);
CREATE INDEX ON ${agg} (awc);
CREATE TABLE ${ucr} (CONSTRAINT ${ucr}_month CHECK (month = DATE '${month(m)}'), PRIMARY KEY (doc_id, month)) INHERITS (ucr_child_health);
COPY ${agg} FROM stdin;\n`);
	for (let i = 0; i < o.rows; i++)
		out(`${month(m)}\t${rng.pick(awcs)}\t${rng.int(60)}\t${(rng.int(10000) / 100).toFixed(2)}\n`);
	out(`\\.\nCOPY ${ucr} FROM stdin;\n`);
	for (let i = 0; i < o.rows; i++)
		out(`child-${i}\t${month(m)}\t${rng.pick(awcs)}\t${rng.chance(100) ? '\\N' : rng.range(20, 200) / 10}\n`);
	out('\\.\n');
}
out('COPY ucr_person_cases FROM stdin;\n');
for (let i = 0; i < o.rows; i++)
	out(`person-${i}\tPerson ${rng.hex(6)}\t${rng.int(90)}\n`);
out('\\.\nANALYZE;\n');
