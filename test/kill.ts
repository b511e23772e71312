/**
 * Kill and resume: a command is ended by SIGKILL at moments spread over its measured length, run again plainly, and
 * what it leaves is compared with an undisturbed run, byte for byte.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { uniquePhotos } from '../bench/photos.ts';
import { DATA, runCli, runJson, scratch } from './cli.ts';
import { filesUnder, statusIfAny, statusIn } from './workspace.ts';

export const KILLED_COMMANDS = ['add', 'detect', 'embed', 'discover', 'match', 'export'] as const;
export type KilledCommand = (typeof KILLED_COMMANDS)[number];

const SHARD_SIZE = 4;
const SHARD = ['--shard-size', String(SHARD_SIZE), '--threads', '2'];

/** A folder with photographs, a workspace as it is before the command, and what comes of it undisturbed. */
interface Ground {
  readonly dir: string;
  readonly command: KilledCommand;
  readonly photos: number;
  /** What is exported and compared: every format, or two that show everything. */
  readonly exports: typeof ALL_EXPORTS;
  /** The undisturbed exports' content: file → SHA-256. */
  readonly expected: ReadonlyMap<string, string>;
  /** How long the command takes when nobody disturbs it, in ms. */
  readonly lengthMs: number;
}

/** Exports that show what the command did, image files and all records. */
const FEW_EXPORTS: readonly (readonly string[])[] = [
  ['coco', '--images', 'copy'],
  ['jsonl', '--unlabelled', '--split', 'train=.8,val=.2'],
];
const ALL_EXPORTS: readonly (readonly string[])[] = [
  ...FEW_EXPORTS,
  ['csv', '--unlabelled'],
  ['yolo', '--images', 'copy'],
  ['voc'],
  ['folders', '--task', 'objects', '--unlabelled'],
  ['crops'],
];

/** The arguments of one killed command; the export that is killed is one with many files, over an earlier one. */
function argsOf(command: KilledCommand): string[] {
  if (command === 'add') return ['add', 'photos', ...SHARD];
  if (command === 'detect' || command === 'embed') return [command, ...SHARD];
  if (command === 'discover') return ['discover', '--k', '4', ...SHARD];
  if (command === 'match') return ['match', 'refs', ...SHARD];
  return ['export', 'coco', 'out', '--images', 'copy', '--replace'];
}

const EARLIER_EXPORT = ['export', 'coco', 'out', '--images', 'none', '--min-confidence', '0.6', '--no-unlabelled'];

export async function prepareGround(
  t: TestContext,
  command: KilledCommand,
  { photos, formats }: { readonly photos: number; readonly formats: 'few' | 'all' },
): Promise<Ground> {
  const dir = await scratch(t);
  await uniquePhotos(join(DATA, 'coco-train128/images'), photos, join(dir, 'photos'));
  if (command !== 'add') await runJson(argsOf('add'), { cwd: dir });
  if (command === 'export') {
    await runJson(argsOf('detect'), { cwd: dir });
    await runJson(EARLIER_EXPORT, { cwd: dir });
  }
  if (command === 'discover') {
    await runJson(argsOf('embed'), { cwd: dir });
    await runJson(['discover', '--k', '2', ...SHARD], { cwd: dir });
  }
  if (command === 'match') {
    await runJson(argsOf('embed'), { cwd: dir });
    await writeReferences(join(dir, 'refs'));
  }
  mkdirSync(join(dir, 'before'));
  for (const name of ['.labelsmith', 'out']) copyIfThere(join(dir, name), join(dir, 'before', name));
  const startedAt = performance.now();
  await runJson(argsOf(command), { cwd: dir });
  const lengthMs = performance.now() - startedAt;
  // There are no boxes to cut out before detect.
  const boxes = command === 'detect' || command === 'export';
  const exports = (formats === 'all' ? ALL_EXPORTS : FEW_EXPORTS).filter(([format]) => boxes || format !== 'crops');
  return { dir, command, photos, exports, lengthMs, expected: await outcomeOf(dir, command, exports) };
}

/** Two photographs a class; the labels mean nothing, and there are many of them. */
async function writeReferences(dir: string): Promise<void> {
  const all = join(dir, 'all');
  await uniquePhotos(join(DATA, 'coco-train128/images'), 6, all);
  for (const [i, name] of readdirSync(all).sort().entries()) {
    const folder = join(dir, `class-${i % 3}`);
    mkdirSync(folder, { recursive: true });
    renameSync(join(all, name), join(folder, name));
  }
  rmSync(all, { recursive: true });
}

/** Commands whose shards nobody can count from outside. */
const UNCOUNTED: ReadonlySet<KilledCommand> = new Set(['export', 'discover', 'match']);

/** Kills the command at `moments` moments, each in the state before it, and checks what comes after. */
export async function killAndResume(ground: Ground, moments: number): Promise<void> {
  const { dir, command, exports, expected, lengthMs, photos } = ground;
  const [earlier, whole] = [filesUnder(join(dir, 'before')), outIn(dir)];
  let killed = 0;
  let halfWay = 0;
  for (let moment = 0; moment < moments; moment++) {
    const at = `${command}, moment ${moment + 1} of ${moments}`;
    let killAfterMs = (lengthMs * (moment + 0.5)) / moments;
    // A machine with less to do than when the whole was timed ends before its moment: then an earlier one is tried.
    for (let tries = 0; tries < 3; tries++, killAfterMs *= 0.6) {
      for (const name of ['.labelsmith', 'out', 'exports']) rmSync(join(dir, name), { recursive: true, force: true });
      for (const name of ['.labelsmith', 'out']) copyIfThere(join(dir, 'before', name), join(dir, name));
      if ((await runCli(argsOf(command), { cwd: dir, killAfterMs })).code !== null) continue;
      killed++;
      break;
    }

    if (command === 'export') {
      // Whoever looks at OUT sees the old export or the new one.
      const out = JSON.stringify([...outIn(dir)]);
      const old = [...earlier].flatMap(([file, hash]) => (file.startsWith('out/') ? [[file.slice(4), hash]] : []));
      if (existsSync(join(dir, 'out'))) {
        assert.ok(out === JSON.stringify(old) || out === JSON.stringify([...whole]), `${at}: OUT is half-written`);
      }
    }
    const done = await doneIn(dir, command);
    if (done > 0 && done < photos) halfWay++;
    const again = await runJson<Record<string, number>>(argsOf(command), { cwd: dir });
    if (command === 'add' || command === 'detect' || command === 'embed') {
      assert.equal(done % SHARD_SIZE, 0, `${at}: whole shards only, not ${done} images`);
      const redone = again[{ add: 'images', detect: 'detected', embed: 'embedded' }[command]];
      assert.equal(redone, photos - done, `${at}: only what was missing is done again`);
    }

    const after = await statusIn(dir);
    assert.equal(after.integrity, 'ok', at);
    assert.deepEqual([after.images, after.paths], [photos, photos], `${at}: nothing lost or doubled`);
    if (command === 'export') assert.deepEqual(outIn(dir), whole, `${at}: the export itself`);
    const exported = await outcomeOf(dir, command, exports);
    assert.deepEqual([...exported.keys()], [...expected.keys()], `${at}: the same files`);
    for (const [file, hash] of expected) assert.equal(exported.get(file), hash, `${at}: ${file} byte for byte`);
    const known = ['photos', 'refs', 'before', 'exports', 'out', '.labelsmith'];
    const leftovers = readdirSync(dir).filter((name) => !known.includes(name));
    assert.deepEqual(leftovers, [], `${at}: a killed export leaves nothing behind once another one ran`);
  }
  // A kill that comes after the end, or before the first shard, tests little: enough of the moments must have hit.
  assert.ok(killed >= moments / 2, `${command}: only ${killed} of ${moments} kills hit the running command`);
  if (!UNCOUNTED.has(command) && moments >= 10) {
    assert.ok(
      halfWay >= moments / 5,
      `${command}: only ${halfWay} of ${moments} kills came between two shards' commits`,
    );
  }
}

/** Images that the killed command got done. */
async function doneIn(dir: string, command: KilledCommand): Promise<number> {
  const status = await statusIfAny(dir);
  if (!status || UNCOUNTED.has(command)) return 0;
  if (command === 'add') return status.images;
  const left = await runJson<{ images?: number; items?: number }>([command, '--dry-run'], { cwd: dir });
  return status.images - (left.images ?? left.items ?? 0);
}

/**
 * The exports; of `embed`, whose vectors nobody exports, those of the clusters that they give, and the files of vectors; of
 * `discover` and `match` these files too, the data map and guesses.
 */
async function outcomeOf(
  dir: string,
  command: KilledCommand,
  exports: Ground['exports'],
): Promise<Map<string, string>> {
  if (command !== 'embed' && command !== 'discover' && command !== 'match') return exportAll(dir, exports);
  const vectors = filesUnder(join(dir, '.labelsmith/vectors'));
  if (command === 'embed') await runJson(argsOf('discover'), { cwd: dir });
  return new Map([...vectors, ...(await exportAll(dir, exports))]);
}

async function exportAll(dir: string, exports: Ground['exports']): Promise<Map<string, string>> {
  rmSync(join(dir, 'exports'), { recursive: true, force: true });
  mkdirSync(join(dir, 'exports'));
  for (const [format, ...more] of exports) {
    // After some commands there is no label yet, which an export has to be told is meant.
    await runJson(['export', format, `exports/${format}`, '--empty', ...more], { cwd: dir });
  }
  return filesUnder(join(dir, 'exports'));
}

function outIn(dir: string): Map<string, string> {
  return existsSync(join(dir, 'out')) ? filesUnder(join(dir, 'out')) : new Map();
}

function copyIfThere(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}
