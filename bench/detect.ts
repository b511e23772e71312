/**
 * Detection, images a second end to end: the built command line against the same weights under tfjs WASM, and against
 * the limit: core time of decoding and resizing alone plus core time of the session alone, divided by the cores.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeLetterboxed } from '../src/images/decode.ts';
import { openDetector } from '../src/models/detector.ts';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, median, rounded, timed } from './process.ts';

/** Enough that the start of the process, half a second, is a fiftieth. */
const PHOTOS = 1024;
const TFJS_PHOTOS = 48;
const ROUNDS = 3;

export async function run(): Promise<unknown> {
  const set = join(dataSet('coco-train128'), 'images');
  const cores = availableParallelism();
  const rounds: { endToEnd: number; tfjs: number; decodeMs: number; sessionMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({
      endToEnd: await endToEnd(set),
      tfjs: await tfjs(set),
      decodeMs: await decodeCoreMs(set),
      sessionMs: await sessionCoreMs(cores),
    });
  }
  const of = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick));
  const limitOf = (round: (typeof rounds)[number]) => (cores * 1000) / (round.decodeMs + round.sessionMs);
  return {
    cores,
    photos: PHOTOS,
    rounds: ROUNDS,
    imagesPerSecond: rounded(
      of(({ endToEnd }) => endToEnd),
      1,
    ),
    tfjsWasmImagesPerSecond: rounded(
      of((round) => round.tfjs),
      1,
    ),
    decodeCoreMs: rounded(
      of((round) => round.decodeMs),
      1,
    ),
    sessionCoreMs: rounded(
      of((round) => round.sessionMs),
      1,
    ),
    limitImagesPerSecond: rounded(of(limitOf), 1),
    // Ratios are made within a round, where the machine was in one mood.
    timesTfjsWasm: rounded(
      of((round) => round.endToEnd / round.tfjs),
      2,
    ),
    shareOfLimit: rounded(
      of((round) => round.endToEnd / limitOf(round)),
      3,
    ),
  };
}

/** The whole process, from its start to its exit code. */
function endToEnd(set: string): Promise<number> {
  return inScratch(async (dir) => {
    await uniquePhotos(set, PHOTOS, join(dir, 'photos'));
    await labelsmith(['add', 'photos'], dir);
    const { seconds } = await labelsmith(['detect'], dir);
    return PHOTOS / seconds;
  });
}

async function tfjs(set: string): Promise<number> {
  const script = resolve(import.meta.dirname, 'tfjs-detector.ts');
  const { stdout } = await timed(script, [set, String(TFJS_PHOTOS)], process.cwd());
  return (JSON.parse(stdout) as { imagesPerSecond: number }).imagesPerSecond;
}

/** Core time of decoding and resizing one photograph: what the process's threads spent, nothing else running in it. */
async function decodeCoreMs(set: string): Promise<number> {
  const photos = readdirSync(set)
    .filter((name) => name.endsWith('.jpg'))
    .map((name) => readFileSync(join(set, name)));
  const decode = (bytes: Buffer) => decodeLetterboxed(bytes, { width: 512, height: 512 });
  for (const bytes of photos.slice(0, 16)) await decode(bytes);
  const before = process.cpuUsage();
  for (const bytes of photos) await decode(bytes);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / photos.length;
}

/** Core time of one image in the session, with every core at work on ready tensors as it is in the real run. */
async function sessionCoreMs(cores: number): Promise<number> {
  const detector = await openDetector('centernet', { threads: cores });
  try {
    const { width, height } = detector.input;
    const pixels = new Uint8Array(width * height * 3).map((_, i) => (i * 31) % 251);
    const frame = { width, height, scaleX: 1, scaleY: 1 };
    const images = async (count: number) => {
      for (let done = 0; done < count; done += 2 * cores) {
        await Promise.all(Array.from({ length: 2 * cores }, () => detector.detect(pixels, frame)));
      }
    };
    await images(4 * cores);
    const startedAt = performance.now();
    await images(32 * cores);
    return ((performance.now() - startedAt) * cores) / (32 * cores);
  } finally {
    await detector.close();
  }
}
