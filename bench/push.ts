/**
 * `push` of many small files against the official SDK's bare parallel upload, and `add` from object storage against `add`
 * from the disk, as ratios within a round. The S3 server is an emulator in a process of its own, on the same cores.
 *
 * What each round pushes is new to the server. The bare upload verifies nothing and remembers nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, median, type ProcessRun, rounded, timed } from './process.ts';

const FILES = Number(process.env.LABELSMITH_BENCH_FILES ?? 10_000);
const FILE_BYTES = 4000;
const PHOTOS = 2000;
const ROUNDS = 5;
const LANES = 16;

export function run(): Promise<unknown> {
  return inScratch(async (dir) => {
    const server = await startServer();
    try {
      return { push: await pushes(dir), add: await adds(dir) };
    } finally {
      server.kill();
    }
  });
}

async function pushes(dir: string): Promise<unknown> {
  const folder = join(dir, 'files');
  mkdirSync(folder);
  for (let i = 0; i < FILES; i++) writeFileSync(join(folder, `${i}.jpg`), Buffer.alloc(FILE_BYTES, `file ${i} `));
  const bareUpload = resolve(import.meta.dirname, 'push/bare-upload.ts');
  return inTurns(FILES, async (round) => {
    for (const name of readdirSync(folder)) if (name.startsWith('.')) rmSync(join(folder, name));
    const ours = await labelsmith(['push', folder, `s3://bucket/ours-${round}`, '--parallel', `${LANES}`], dir);
    const bare = await timed(bareUpload, [folder, `bare-${round}`, `${LANES}`], dir);
    return [ours, bare];
  });
}

async function adds(dir: string): Promise<unknown> {
  const photos = join(dir, 'photos');
  await uniquePhotos(join(dataSet('coco-train128'), 'images'), PHOTOS, photos);
  await labelsmith(['push', photos, 's3://bucket/photos'], dir);
  return inTurns(PHOTOS, async (round) => {
    const cloud = await labelsmith(['add', 's3://bucket/photos', '--workspace', `cloud-${round}`], dir);
    const disk = await labelsmith(['add', photos, '--workspace', `disk-${round}`], dir);
    return [cloud, disk];
  });
}

/** @param both ours, and what it is compared with */
async function inTurns(count: number, both: (round: number) => Promise<readonly [ProcessRun, ProcessRun]>) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, other] = await both(round);
    rounds.push({ ours, other });
  }
  const ratios = rounds.map(({ ours, other }) => other.seconds / ours.seconds);
  const processorRatios = rounds.map(({ ours, other }) => other.processorSeconds / ours.processorSeconds);
  const rate = (runs: readonly ProcessRun[]) => rounded(median(runs.map(({ seconds }) => count / seconds)), 0);
  return {
    files: count,
    filesPerSecond: rate(rounds.map(({ ours }) => ours)),
    comparedFilesPerSecond: rate(rounds.map(({ other }) => other)),
    ratio: rounded(median(ratios), 2),
    ratios: ratios.map((ratio) => rounded(ratio, 2)),
    // The same by the time of the processor alone, which others on the machine change less.
    processorRatio: rounded(median(processorRatios), 2),
    processorRatios: processorRatios.map((ratio) => rounded(ratio, 2)),
  };
}

async function startServer() {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'push/server.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [address]: unknown[] = await once(child.stdout.setEncoding('utf8'), 'data');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: String(address).trim(),
    AWS_ACCESS_KEY_ID: 'AKIDOFTHEBENCH',
    AWS_SECRET_ACCESS_KEY: 'secretOfTheBench',
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  return child;
}
