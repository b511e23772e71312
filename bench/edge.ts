/**
 * An edge pack on machines where nothing but Node is: Debian roots of debootstrap that are entered without a network and
 * without a variable of this one; arm64 under qemu-user. How large it is, how long it takes to start, how far what it says
 * is from what the workspace says. Times under qemu say nothing of a device.
 *
 * Root and Linux are needed, `debootstrap`, and for the other processor `qemu-user-static` (Debian's packages).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lastLine, makeDebianRoot, withoutDebianRoot } from '../test/fixtures/debian-root.ts';
import {
  comparedClasses,
  comparedRegions,
  drawings,
  KINDS,
  type Predicted,
  rowsOf,
} from '../test/fixtures/edge-results.ts';
import { photographs } from '../test/fixtures/photographs.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

export interface Device {
  readonly arch: 'x64' | 'arm64';
  /** Debian's name. */
  readonly debian: 'amd64' | 'arm64';
  /** Runs programs of that processor here; null for this machine's own. */
  readonly emulator: string | null;
}

const QEMU = '/usr/bin/qemu-aarch64-static';
export const DEVICES: readonly Device[] = [
  { arch: 'x64', debian: 'amd64', emulator: null },
  { arch: 'arm64', debian: 'arm64', emulator: QEMU },
];
/** Under qemu an image takes half a minute, so there are few: of each kind one, and one with objects. */
const FEW = ['disc-9.jpg', 'stripes-9.jpg', 'meal_1.jpg'];

export interface DeviceResult {
  readonly device: string;
  readonly packMegabytes: number;
  /** Node's packages included, without Node. */
  readonly unpackedMegabytes: number;
  readonly startedInSeconds: number;
  readonly imagesPerSecond: number;
  readonly images: number;
  readonly regions: number;
  /** From the workspace, in scores and confidences, and in pixels. */
  readonly largestDifference: number;
  readonly largestCornerDifference: number;
  readonly said: readonly string[];
}

/** Why it cannot be done here, or undefined. */
export function missingFor({ debian, emulator }: Device): string | undefined {
  if (process.arch !== 'x64') return 'it is measured on x86-64 Linux';
  const problem = withoutDebianRoot();
  if (problem !== undefined) return problem;
  if (emulator !== null && !existsSync(emulator)) return `no ${debian} here (apt-get install qemu-user-static)`;
  return undefined;
}

export async function run(): Promise<unknown> {
  return { devices: await onDevices(DEVICES) };
}

/** What each says, or why it was not tried. */
export function onDevices(devices: readonly Device[]): Promise<(DeviceResult | { device: string; skipped: string })[]> {
  return inScratch(async (dir) => {
    const results = [];
    if (devices.some((device) => missingFor(device) === undefined)) await makeWorkspace(dir);
    for (const device of devices) {
      const reason = missingFor(device) ?? makeRoot(dir, device);
      const name = `Debian ${device.debian}${device.emulator === null ? '' : ' under qemu-user'}`;
      results.push(reason === undefined ? await onDevice(dir, device, name) : { device: name, skipped: reason });
    }
    return results;
  });
}

async function makeWorkspace(dir: string): Promise<void> {
  await drawings(join(dir, 'photos'), 10);
  await photographs(join(dir, 'photos'), ['meal_1.jpg', 'meal_2.jpg', 'other_2.jpg']);
  const labels = KINDS.flatMap((kind) => [0, 1, 2, 3, 4].map((i) => `${kind}-${i}.jpg,${kind}`));
  writeFileSync(join(dir, 'labels.csv'), `file,class\n${labels.join('\n')}\n`);
  const run = (...args: string[]) => labelsmith(args, dir);
  await run('add', 'photos');
  await run('import', 'csv', 'labels.csv', '--as', 'human');
  await run('teach', 'rounds');
  await run('detect', '--model', 'centernet', '--threshold', '0.3');
  await run('export', 'jsonl', 'workspace.jsonl');
}

/** What Node needs of a system, and Node. @returns why there is none */
function makeRoot(dir: string, { debian, arch, emulator }: Device): string | undefined {
  const root = join(dir, arch);
  if (emulator === null) return makeDebianRoot(root, debian, process.execPath);
  const name = `node-linux-${arch}@${process.versions.node}`;
  const packed = spawnSync('npm', ['pack', '--silent', name], { cwd: dir, encoding: 'utf8' });
  if (packed.status !== 0) return `npm gave no ${name}: ${lastLine(packed)}`;
  execFileSync('tar', ['xzf', join(dir, packed.stdout.trim()), '-C', dir, 'package/bin/node']);
  const problem = makeDebianRoot(root, debian, join(dir, 'package/bin/node'));
  if (problem === undefined) copyFileSync(emulator, join(root, 'emulator'));
  return problem;
}

async function onDevice(dir: string, { arch, emulator }: Device, device: string): Promise<DeviceResult> {
  const [root, carried] = [join(dir, arch), emulator === null];
  const pack = join(root, 'pack');
  const archive = join(dir, `${arch}.tar.gz`);
  const models = ['--classifier', 'class', '--model', 'centernet', '--threshold', '0.3'];
  await labelsmith(['edge', 'pack', ...models, ...(carried ? ['--carry'] : []), '--to', archive], dir);
  mkdirSync(pack);
  execFileSync('tar', ['xzf', archive, '-C', pack]);
  if (!carried) {
    // What the device's own npm would install there.
    const platform = ['--os=linux', `--cpu=${arch}`, '--libc=glibc'];
    const install = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...platform];
    execFileSync('npm', install, { cwd: pack, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const photos = join(dir, 'photos');
  mkdirSync(join(root, 'photos'));
  for (const name of carried ? readdirSync(photos) : FEW) cpSync(join(photos, name), join(root, 'photos', name));
  const checked = inRoot(root, emulator, ['/pack/run.mjs', '--check']);
  const startedAt = performance.now();
  inRoot(root, emulator, ['/pack/run.mjs', '/photos', '--to', '/results']);
  const seconds = (performance.now() - startedAt) / 1000;
  const rows = rowsOf(join(root, 'results/results.jsonl'));
  const regions = comparedRegions(rows, rowsOf(join(dir, 'workspace.jsonl')));
  const { predictions }: { predictions: Predicted[] } = JSON.parse(
    (await labelsmith(['teach', 'predict', 'photos'], dir)).stdout,
  );
  const classes = comparedClasses(rows, predictions, photos);
  const startedIn = Number(/started in ([\d.]+) s/.exec(checked)?.[1]);
  return {
    device,
    packMegabytes: rounded(statSync(archive).size / 1e6, 1),
    unpackedMegabytes: rounded(bytesIn(pack) / 1e6, 1),
    startedInSeconds: startedIn,
    imagesPerSecond: rounded(rows.size / Math.max(0.01, seconds - startedIn), 2),
    images: classes.images,
    regions: regions.regions,
    largestDifference: Math.max(regions.confidence, classes.confidence),
    largestCornerDifference: regions.corner,
    said: checked.trim().split('\n'),
  };
}

/** A program of Node in that root, which has no network and no variables. */
function inRoot(root: string, emulator: string | null, args: readonly string[]): string {
  const command = [...(emulator === null ? [] : ['/emulator']), '/usr/local/bin/node', ...args];
  const ran = spawnSync('unshare', ['--net', '/usr/sbin/chroot', root, ...command], { env: {}, encoding: 'utf8' });
  if (ran.status === 0) return ran.stdout;
  throw new Error(`node ${args.join(' ')} in ${resolve(root)} ended with ${ran.status}: ${ran.stderr}${ran.stdout}`);
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
