// expect: compares what settle printed with what the generator expects.
// usage: node expect.js EXPECTED.json PART STATS.json DIFFS.ndjson [CHANGES.ndjson]
// Differences of a document are compared as multisets, list positions as [*], ids inside a set_mismatch as sets. Prints what is wrong; exit 1 then.
'use strict';
const fs = require('fs');

const [expectedFile, part, statsFile, diffsFile, changesFile] = process.argv.slice(2);
const expected = JSON.parse(fs.readFileSync(expectedFile, 'utf8'))[part];
const stats = JSON.parse(fs.readFileSync(statsFile, 'utf8'));
let wrong = 0;

function complain(text) {
  if (wrong++ < 30) console.log(text);
}

function canonical(value) {
  if (Array.isArray(value)) return '[' + value.map(canonical).join(',') + ']';
  if (value && typeof value === 'object')
    return '{' + Object.keys(value).sort().map(k => JSON.stringify(k) + ':' + canonical(value[k])).join(',') + '}';
  return JSON.stringify(value);
}

function normalised(diff) {
  const d = { ...diff, path: diff.path.map(step => (typeof step === 'number' ? '[*]' : step)) };
  if (d.type === 'set_mismatch')
    for (const side of ['old', 'new']) d[side] = String(d[side] || '').split(',').sort().join(',');
  return canonical(d);
}

function lines(file) {
  return fs.readFileSync(file, 'utf8').split('\n').filter(l => l).map(l => JSON.parse(l));
}

function compareDocuments(label, want, got) {
  const key = d => d.kind + ' ' + d.id;
  const wanted = new Map(want.map(d => [key(d), d.diffs.map(normalised).sort()]));
  const found = new Map(got.map(d => [key(d), d.diffs.map(normalised).sort()]));
  for (const [k, v] of wanted)
    if (!found.has(k)) complain(`${label} ${k}: not found; expected ${v}`);
    else if (found.get(k).join('\n') !== v.join('\n')) complain(`${label} ${k}:\n  expected ${v}\n  found    ${found.get(k)}`);
  for (const [k, v] of found) if (!wanted.has(k)) complain(`${label} ${k}: invented ${v}`);
}

for (const counter of ['read', 'written', 'unchanged', 'deleted', 'skipped', 'rejected'])
  if (stats[counter] !== expected[counter]) complain(`${counter}: expected ${expected[counter]}, found ${stats[counter]}`);

const something = k => k.docs || k.diffs || k.missing || k.changes;
const kinds = list => new Map(list.filter(something).map(k => [k.kind, k]));
const wantKinds = kinds(expected.kinds);
const gotKinds = kinds(stats.kinds);
for (const name of new Set([...wantKinds.keys(), ...gotKinds.keys()])) {
  const want = wantKinds.get(name) || {};
  const got = gotKinds.get(name) || {};
  for (const column of ['docs', 'diffs', 'missing', 'changes'])
    if ((want[column] || 0) !== (got[column] || 0))
      complain(`kind ${name} ${column}: expected ${want[column] || 0}, found ${got[column] || 0}`);
}
compareDocuments('diff', expected.diffs, lines(diffsFile));
if (changesFile) compareDocuments('change', expected.changes || [], lines(changesFile));
if (wrong > 30) console.log(`... ${wrong} in all`);
process.exit(wrong ? 1 : 0);
