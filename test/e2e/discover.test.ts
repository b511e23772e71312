/** Labels with nobody labelling, through the built command line on photographs: `embed`, `discover`, `match`, `similar`. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DATA, runCli, runJson, scratch, without } from '../cli.ts';
import { inSlowRuns } from '../thorough.ts';

const KINDS = ['accordion', 'butterfly', 'leopards'];
const EACH = 20;

interface Cluster {
  readonly name: string;
  readonly size: number;
  readonly candidates: readonly { name: string; score: number; evidence: readonly { source: string }[] }[];
}
interface Discovered {
  readonly clusters: readonly Cluster[];
  readonly items: number;
  readonly assigned: number;
  readonly because: string | null;
}

test('folders of three kinds: clusters, names with evidence, references, neighbours', {
  skip: without('caltech-30'),
}, async (t) => {
  const dir = await scratch(t);
  const set = join(DATA, 'caltech-30');
  // Names of files say nothing here, so that the clusters are the pixels' and not the paths'.
  mkdirSync(join(dir, 'photos'));
  mkdirSync(join(dir, 'named'));
  for (const [which, kind] of KINDS.entries()) {
    const names = readdirSync(join(set, kind)).sort();
    for (const [i, name] of names.slice(0, EACH).entries()) {
      cpSync(join(set, kind, name), join(dir, 'photos', `${(i * 7919 + which * 31_337) % 100_003}-${i}.jpg`));
      cpSync(join(set, kind, name), join(dir, 'named', kind, name), { recursive: true });
    }
    for (const name of names.slice(EACH, EACH + 3)) cpSync(join(set, kind, name), join(dir, 'refs', kind, name));
  }
  await runJson(['add', 'photos'], { cwd: dir });

  const pilot = await runCli(['discover', '--limit', '20'], { cwd: dir });
  assert.match(pilot.stderr, /--limit 20 is of what is embedded now, 20 images; all 20 that are embedded take part/);
  assert.match(pilot.stdout, /clusters of a subset.*\nFound \d+ clusters in 20 images/);
  const found = await runJson<Discovered>(['discover', '--k', '3'], { cwd: dir });
  assert.equal(found.because, 'the clusters before were those of a pilot');
  assert.equal(found.clusters.length, 3);
  assert.deepEqual([found.items, found.assigned], [3 * EACH, 3 * EACH]);
  for (const { name } of found.clusters) assert.match(name, /^unnamed-\d+$/, 'numbered files are no evidence');
  const told = await runJson<{ clustering: { accuracy: number } }>(['evaluate', 'named', '--task', 'class'], {
    cwd: dir,
  });
  assert.ok(told.clustering.accuracy > 0.8, `accuracy ${told.clustering.accuracy}`);

  // A name that somebody gave a cluster stays with its items, in other cuts and new clusterings; no other cluster gets its number.
  await runJson(['corpus', 'rename', 'unnamed-2', 'mine'], { cwd: dir });
  const size = found.clusters[1].size;
  for (const how of [
    ['--k', '5'],
    ['--k', '4', '--recluster'],
    ['--k', '3'],
  ]) {
    const { clusters } = await runJson<Discovered>(['discover', ...how], { cwd: dir });
    const names = clusters.map(({ name }) => name);
    assert.ok(names.includes('mine') && !names.includes('unnamed-2'), names.join(', '));
    assert.ok((clusters.find(({ name }) => name === 'mine')?.size ?? 0) >= size);
  }

  // A sheet names the others at once; a class is split by looks.
  await runJson(['corpus', 'names', 'names.csv'], { cwd: dir });
  const rows = readFileSync(join(dir, 'names.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(rows[0], 'from,to,items,looks,proposed,examples,cluster');
  assert.equal(rows.length, 1 + 3);
  const filled = rows.map((row) => row.replace(/^(unnamed-\d+),,/, '$1,my $1,'));
  writeFileSync(join(dir, 'names.csv'), `${filled.join('\n')}\n`);
  await runJson(['corpus', 'map', 'names.csv'], { cwd: dir });
  const { parts } = await runJson<{ parts: { name: string; items: number }[] }>(
    ['corpus', 'split', 'mine', '--into', '2'],
    { cwd: dir },
  );
  assert.deepEqual(
    parts.map(({ name }) => name),
    ['mine 1', 'mine 2'],
  );
  const again = await runJson<Discovered>(['discover', '--k', '5', '--recluster'], { cwd: dir });
  const names = again.clusters.map(({ name }) => name);
  for (const { name } of parts) assert.ok(names.includes(name), names.join(', '));
  assert.equal(names.filter((name) => name.startsWith('my unnamed')).length, 2, names.join(', '));
  await runJson(['corpus', 'undo'], { cwd: dir });

  // The same bytes under telling names: now the paths are evidence.
  await runJson(['add', 'named'], { cwd: dir });
  const named = await runJson<Discovered>(['discover', '--k', '3', '--task', 'shown'], { cwd: dir });
  assert.deepEqual(named.clusters.map(({ name }) => name).sort(), [...KINDS].sort());
  for (const { candidates } of named.clusters) {
    assert.ok(candidates[0]?.evidence.some(({ source }) => source === 'path'));
  }

  // Vectors may be deleted at any time: what is missing is made again, and nothing else changes.
  rmSync(join(dir, '.labelsmith/vectors'), { recursive: true });
  const estimate = await runJson<{ items: number }>(['embed', '--dry-run'], { cwd: dir });
  assert.equal((await runJson<{ items: number }>(['discover', '--dry-run'], { cwd: dir })).items, 3 * EACH);
  const healed = await runJson<{ embedded: number; total: number }>(['embed'], { cwd: dir });
  assert.deepEqual([estimate.items, healed.embedded, healed.total], [3 * EACH, 3 * EACH, 3 * EACH]);

  const table = await runCli(['discover', '--k', '3'], { cwd: dir });
  assert.match(table.stdout, /evidence for names/);
  const one = await runCli(['discover', '--k', '1'], { cwd: dir });
  assert.match(one.stdout, /^1 cluster was asked for, and \d are shown: what people named or labelled stays/m);

  const few = await runJson(['match', 'refs', '--task', 'few', '--limit', '4'], { cwd: dir });
  assert.deepEqual([few.pilot, few.images, few.warnings], [true, 4, []]);
  const matched = await runJson<Record<string, unknown>>(['match', 'refs', '--task', 'kind'], { cwd: dir });
  assert.ok(JSON.stringify(matched).includes('leopards'), 'says something of each class');
  const judged = await runJson<{ classification: { accuracyForced: number } }>(
    ['evaluate', 'named', '--task', 'kind'],
    { cwd: dir },
  );
  assert.ok(judged.classification.accuracyForced > 0.9, `accuracy ${judged.classification.accuracyForced}`);

  const query = join('refs', 'leopards', readdirSync(join(dir, 'refs', 'leopards'))[0]);
  const { similar } = await runJson<{ similar: readonly { path: string }[] }>(['similar', query, '-n', '5'], {
    cwd: dir,
  });
  assert.equal(similar.length, 5);
  assert.ok(
    similar.filter(({ path }) => path.includes('leopards')).length >= 4,
    similar.map(({ path }) => path).join('\n'),
  );
});

test('auto --level cuts the tree that it has just made, and again elsewhere', {
  skip: inSlowRuns || without('caltech-30'),
}, async (t) => {
  const dir = await scratch(t);
  for (const kind of KINDS) {
    const names = readdirSync(join(DATA, 'caltech-30', kind))
      .sort()
      .slice(0, EACH);
    for (const name of names) cpSync(join(DATA, 'caltech-30', kind, name), join(dir, 'photos', kind, name));
  }
  interface Whole {
    readonly discovered: { readonly clusters: readonly Cluster[]; readonly levels: readonly number[] };
  }
  const auto = async (...level: string[]) =>
    (await runJson<Whole>(['auto', 'photos', ...level], { cwd: dir })).discovered;
  const { levels } = await auto();
  assert.ok(levels.length > 1, `levels ${levels}`);
  assert.equal((await auto('--level', '1')).clusters.length, levels[0]);
  const fourth = await runCli(['auto', 'photos', '--level', '4'], { cwd: dir });
  assert.deepEqual([fourth.code, fourth.stdout], [2, ''], 'told before anything is looked at');
  assert.match(fourth.stderr, /There is no level 4: a tree has 3 at most\./);
  const both = await runCli(['auto', 'photos', '--k', '3', '--level', '1'], { cwd: dir });
  assert.deepEqual([both.code, both.stderr.includes('Give --k or --level, not both.')], [2, true]);
});

test('two first discover at once: one after the other, and clusters and labels agree', {
  skip: inSlowRuns || without('caltech-30'),
}, async (t) => {
  const dir = await scratch(t);
  for (const kind of KINDS) {
    for (const name of readdirSync(join(DATA, 'caltech-30', kind))
      .sort()
      .slice(0, 8)) {
      cpSync(join(DATA, 'caltech-30', kind, name), join(dir, 'photos', kind, name), { recursive: true });
    }
  }
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['embed'], { cwd: dir });
  const both = await Promise.all(
    [2, 5].map((k) => runCli(['discover', '--k', String(k), '--recluster'], { cwd: dir })),
  );
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
    both.map(({ stderr }) => stderr).join(),
  );
  await runCli(['corpus', 'names', 'names.csv'], { cwd: dir });
  const rows = readFileSync(join(dir, 'names.csv'), 'utf8').trim().split('\n').slice(1);
  const sizes = rows.map((row) => Number(row.split(',')[2]));
  assert.ok(rows.length === 2 || rows.length === 5, `${rows.length} classes`);
  assert.ok(
    sizes.every((size) => size > 0),
    sizes.join(),
  );
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    3 * 8,
  );
});

test('a sheet that was made before other clusters names none of these', { skip: without('caltech-30') }, async (t) => {
  const dir = await scratch(t);
  for (const kind of KINDS) {
    for (const name of readdirSync(join(DATA, 'caltech-30', kind))
      .sort()
      .slice(0, 8)) {
      cpSync(join(DATA, 'caltech-30', kind, name), join(dir, 'photos', `${kind.charCodeAt(0) * 31}${name}`), {
        recursive: true,
      });
    }
  }
  await runJson(['add', 'photos'], { cwd: dir });
  await runJson(['discover', '--k', '3'], { cwd: dir });
  await runCli(['corpus', 'names', 'names.csv'], { cwd: dir });
  const sheet = readFileSync(join(dir, 'names.csv'), 'utf8');
  const filled = (name: string, from: string, to: string) =>
    writeFileSync(join(dir, name), sheet.replace(`${from},,`, `${from},${to},`));
  filled('one.csv', 'unnamed-1', 'first');
  await runJson(['corpus', 'rename', 'unnamed-1', 'other'], { cwd: dir });
  const followed = await runCli(['corpus', 'map', 'one.csv'], { cwd: dir });
  assert.equal(followed.code, 0, followed.stderr);
  await runJson(['corpus', 'rename', 'unnamed-3', 'given'], { cwd: dir });
  await runJson(['corpus', 'undo'], { cwd: dir });
  await runJson(['discover', '--k', '16', '--recluster'], { cwd: dir });
  const gone = await runCli(['corpus', 'show', 'unnamed-3'], { cwd: dir });
  assert.notEqual(gone.code, 0);
  assert.match(gone.stderr, /"unnamed-3" is no class any more/);
  filled('two.csv', 'unnamed-2', 'second');
  const refused = await runCli(['corpus', 'map', 'two.csv'], { cwd: dir });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /"unnamed-2", to become "second": the cluster of this row is no more/);
  await runCli(['export', 'folders', 'sorted', '--task', 'class'], { cwd: dir });
  // Pictures of a cluster that nobody named go into a folder of the user's own: that corrects clusters, and all others stay.
  const sorted = join(dir, 'sorted');
  const unnamed = readdirSync(sorted).find((name) => name.startsWith('unnamed-')) ?? '';
  renameSync(join(sorted, unnamed), join(sorted, 'mine'));
  const moved = await runJson<{ silenced: unknown[] }>(['import', 'folders', 'sorted', '--as', 'human'], { cwd: dir });
  assert.deepEqual(moved.silenced, []);
  const kept = await readCsv(dir);
  for (const left of [/,mine,1,human,/, /,unnamed-\d+,[\d.]+,cluster,/])
    assert.ok(
      kept.some((row) => left.test(row)),
      String(left),
    );
  const all = ['import', 'folders', 'sorted', '--as', 'human', '--confirm-all'];
  assert.equal((await runCli(all, { cwd: dir })).code, 0);
  const people = async () => (await readCsv(dir)).filter((row) => row.includes(',first,') && row.includes(',human,'));
  const first = await people();
  assert.ok(first.length > 0);
  const undone = await runCli(['corpus', 'undo'], { cwd: dir });
  assert.match(undone.stdout, /Took back: rename/);
  assert.match(undone.stderr, /"import" of 24 labels, changed no class and stays/);
  assert.deepEqual(await people(), first, 'people said it of each of these after the name was given');
  writeFileSync(join(dir, 'three.csv'), sheet.replace('unnamed-3,,', 'unnamed-33,third,'));
  const unknown = await runCli(['corpus', 'map', 'three.csv'], { cwd: dir });
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /"unnamed-33", to become "third": there is neither such a class nor a cluster of these/);
});

async function readCsv(cwd: string): Promise<string[]> {
  assert.equal((await runCli(['export', 'csv', 'said.csv', '--replace'], { cwd })).code, 0);
  return readFileSync(join(cwd, 'said.csv'), 'utf8').split('\n');
}
