/**
 * Kill and resume: a command is ended by SIGKILL at moments spread over its measured length, run again plainly, and
 * what it leaves is compared with an undisturbed run, byte for byte.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { uniquePhotos } from '../bench/photos.ts';
import { DATA, runCli, runJson, scratch } from './cli.ts';

export const KILLED_COMMANDS = ['add', 'detect', 'export'] as const;
export type KilledCommand = (typeof KILLED_COMMANDS)[number];

const SHARD = ['--shard-size', '4', '--threads', '2'];

interface Status {
  readonly images: number;
  readonly paths: number;
  readonly integrity: string | string[];
  readonly runs: readonly {
    readonly stage: string;
    readonly status: string;
    readonly counts: Record<string, number>;
  }[];
}

/** A folder with photographs, and a workspace as it is before each of the commands. */
interface Ground {
  readonly dir: string;
  readonly photos: number;
  /** The undisturbed exports' content: file → SHA-256. */
  readonly expected: ReadonlyMap<string, string>;
  /** How long each command takes when nobody disturbs it, in ms. */
  readonly lengthMs: Readonly<Record<KilledCommand, number>>;
}

const EXPORTS: readonly (readonly string[])[] = [
  ['coco', '--images', 'copy'],
  ['yolo', '--images', 'copy'],
  ['voc'],
  ['folders', '--task', 'objects'],
  ['crops'],
  ['csv'],
  ['jsonl'],
];

/** The arguments of one killed command; the export that is killed is the one with the most files. */
function argsOf(command: KilledCommand): string[] {
  if (command === 'add') return ['add', 'photos', ...SHARD];
  if (command === 'detect') return ['detect', ...SHARD];
  return ['export', 'coco', 'out', '--images', 'copy', '--replace'];
}

export async function prepareGround(t: TestContext, photos: number): Promise<Ground> {
  const dir = await scratch(t);
  await uniquePhotos(join(DATA, 'coco-train128/images'), photos, join(dir, 'photos'));
  const lengthMs = { add: 0, detect: 0, export: 0 };
  for (const command of KILLED_COMMANDS) {
    save(dir, command);
    const startedAt = performance.now();
    await runJson(argsOf(command), { cwd: dir });
    lengthMs[command] = performance.now() - startedAt;
  }
  const expected = await exportAll(dir);
  return { dir, photos, expected, lengthMs };
}

/** Kills `command` at `moments` moments, each in the state before it, and checks what comes after. */
export async function killAndResume(ground: Ground, command: KilledCommand, moments: number): Promise<void> {
  const { dir, expected, lengthMs, photos } = ground;
  let killed = 0;
  for (let moment = 0; moment < moments; moment++) {
    const at = `${command}, moment ${moment + 1} of ${moments}`;
    restore(dir, command);
    const killAfterMs = (lengthMs[command] * (moment + 0.5)) / moments;
    const { code } = await runCli(argsOf(command), { cwd: dir, killAfterMs });
    if (code === null) killed++;

    const before = await statusOf(dir);
    const doneBefore = command === 'add' ? (before?.images ?? 0) : await detectedImages(dir, before);
    const again = await runJson<Record<string, number>>(argsOf(command), { cwd: dir });
    if (command !== 'export') {
      assert.equal(doneBefore % 4, 0, `${at}: whole shards only, not ${doneBefore} images`);
      const redone = command === 'add' ? again.images : again.detected;
      assert.equal(redone, photos - doneBefore, `${at}: only what was missing is done again`);
    }
    if (command === 'add') await runJson(argsOf('detect'), { cwd: dir });

    const after = await statusOf(dir);
    assert.equal(after?.integrity, 'ok', at);
    assert.deepEqual([after?.images, after?.paths], [photos, photos], `${at}: nothing lost or doubled`);
    const exported = await exportAll(dir);
    assert.deepEqual([...exported.keys()], [...expected.keys()], `${at}: the same files`);
    for (const [file, hash] of expected) assert.equal(exported.get(file), hash, `${at}: ${file} byte for byte`);
    const leftovers = readdirSync(dir).filter(
      (name) => !['photos', 'exports', 'out', '.labelsmith'].includes(name) && !name.startsWith('before-'),
    );
    assert.deepEqual(leftovers, [], `${at}: a killed export leaves nothing behind once another one ran`);
  }
  // A kill that comes after the end tests nothing: most of the moments must have hit.
  assert.ok(killed >= moments / 2, `${command}: only ${killed} of ${moments} kills hit the running command`);
}

async function statusOf(dir: string): Promise<Status | undefined> {
  const { code, stdout } = await runCli(['status', '--check', '--json'], { cwd: dir });
  if (code === 0) return JSON.parse(stdout) as Status;
  assert.equal(
    existsSync(join(dir, '.labelsmith/labelsmith.sqlite')),
    false,
    `status failed on a workspace that exists: ${stdout}`,
  );
  return undefined;
}

/** Images with candidates, counted by what a dry run says is left. */
async function detectedImages(dir: string, status: Status | undefined): Promise<number> {
  if (!status) return 0;
  const { images } = await runJson<{ images: number }>(['detect', '--dry-run'], { cwd: dir });
  return status.images - images;
}

async function exportAll(dir: string): Promise<Map<string, string>> {
  rmSync(join(dir, 'exports'), { recursive: true, force: true });
  mkdirSync(join(dir, 'exports'));
  for (const [format, ...more] of EXPORTS)
    await runJson(['export', format as string, `exports/${format}`, ...more], { cwd: dir });
  const hashes = new Map<string, string>();
  for (const entry of readdirSync(join(dir, 'exports'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hashes.set(path.slice(dir.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return new Map([...hashes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function save(dir: string, command: KilledCommand): void {
  if (existsSync(join(dir, '.labelsmith')))
    cpSync(join(dir, '.labelsmith'), join(dir, `before-${command}`), { recursive: true });
}

function restore(dir: string, command: KilledCommand): void {
  for (const name of ['.labelsmith', 'out', 'exports']) rmSync(join(dir, name), { recursive: true, force: true });
  if (existsSync(join(dir, `before-${command}`)))
    cpSync(join(dir, `before-${command}`), join(dir, '.labelsmith'), { recursive: true });
}
