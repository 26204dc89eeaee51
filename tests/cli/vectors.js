// vectors: runs the vectors of fixtures/vectors through `settle diff files`, as any script would. usage: node vectors.js SETTLE DIRECTORY WORK
// TAP. Compared as multisets; positions count as [*] in filter.json, ids inside a set_mismatch as a set.
'use strict';
const fs = require('fs');
const { spawnSync } = require('child_process');
const [settle, directory, work] = process.argv.slice(2);
let n = 0;

function canonical(v) {
  if (Array.isArray(v)) return '[' + v.map(canonical).join(',') + ']';
  if (v && typeof v === 'object') return '{' + Object.keys(v).sort().map(k => JSON.stringify(k) + ':' + canonical(v[k])).join(',') + '}';
  return JSON.stringify(v);
}

function normal(diff, starred) {
  const d = { ...diff };
  if (starred) d.path = d.path.map(e => (typeof e === 'number' ? '[*]' : e));
  if (d.type === 'set_mismatch') for (const side of ['old', 'new']) d[side] = d[side].split(',').sort().join(',');
  return canonical(d);
}

// The two sides as they stand in the file: numbers beyond doubles must not pass through JavaScript.
function sides(line) {
  const couch = line.indexOf('"couch":') + 8;
  const sql = line.indexOf(',"sql":', couch);
  const end = line.indexOf(',"expected_diffs":', sql);
  return [line.slice(couch, sql), line.slice(sql + 7, end)];
}

function run(name, line, args, wanted, starred) {
  const [couch, sql] = sides(line);
  fs.writeFileSync(work + '/couch.json', couch);
  fs.writeFileSync(work + '/sql.json', sql);
  const p = spawnSync(settle, ['diff', 'files', work + '/couch.json', work + '/sql.json', '--format', 'json', ...args], { encoding: 'utf8' });
  let found = [p.stderr];
  try { found = JSON.parse(p.stdout).diffs.map(d => normal(d, starred)).sort(); } catch (e) { /* found says it */ }
  const expected = wanted.map(d => normal(d, starred)).sort();
  const good = canonical(found) === canonical(expected) && p.status === (wanted.length ? 1 : 0);
  console.log(`${good ? 'ok' : 'not ok'} ${++n} - ${name}`);
  if (!good) console.log(`# exit ${p.status}\n# expected ${expected}\n# found    ${found}`);
}

for (const file of ['json_diff', 'filter'])
  for (const text of fs.readFileSync(`${directory}/${file}.json`, 'utf8').split('\n')) {
    const line = text.replace(/,$/, '');
    if (!line.startsWith('{')) continue;
    const v = JSON.parse(line);
    const args = v.doc_type ? ['--kind', v.doc_type] : [];
    if (v.no_action_forms) args.push('--no-action-forms', v.no_action_forms.join(','));
    run(`${v.name}: without rules`, line, [...args, '--raw'], v.expected_diffs, file === 'filter');
    run(`${v.name}: with rules`, line, args, file === 'filter' ? v.expected_after_filter : v.expected_diffs, file === 'filter');
  }
console.log(`1..${n}`);
