/**
 * Embedding, images a second end to end: the built command line against the limit, core time of decoding and resizing alone
 * plus core time of the session alone, divided by the cores; the core time of the whole stage, which says the same on a busy
 * machine; and the default recipe's session against that of one view.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { decodeCovered } from '../src/images/decode.ts';
import { openWorkspace } from '../src/jobs/workspace.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, median, rounded } from './process.ts';

/** Enough that the start of the process, half a second, is a fiftieth. */
const PHOTOS = 4096;
/** For the core time, where the start does not count. */
const STAGE_PHOTOS = 1024;
const ROUNDS = 3;
const EMBEDDER = 'mobilenetv3-small';

export async function run(): Promise<unknown> {
  const set = join(dataSet('coco-train128'), 'images');
  const cores = availableParallelism();
  const rounds: { endToEnd: number; stageMs: number; decodeMs: number; sessionMs: number; oneViewMs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({
      endToEnd: await endToEnd(set),
      stageMs: await stageCoreMs(set, cores),
      decodeMs: await decodeCoreMs(set),
      sessionMs: await sessionCoreMs(cores, true),
      oneViewMs: await sessionCoreMs(cores, false),
    });
  }
  const of = (pick: (round: (typeof rounds)[number]) => number, digits: number) =>
    rounded(median(rounds.map(pick)), digits);
  const limitOf = (round: (typeof rounds)[number]) => (cores * 1000) / (round.decodeMs + round.sessionMs);
  return {
    cores,
    photos: PHOTOS,
    rounds: ROUNDS,
    imagesPerSecond: of(({ endToEnd: rate }) => rate, 1),
    stageCoreMs: of(({ stageMs }) => stageMs, 2),
    decodeCoreMs: of(({ decodeMs }) => decodeMs, 2),
    sessionCoreMs: of(({ sessionMs }) => sessionMs, 2),
    limitImagesPerSecond: of(limitOf, 1),
    // Ratios are made within a round, where the machine was in one mood.
    shareOfLimit: of((round) => round.endToEnd / limitOf(round), 3),
    shareOfCoreTime: of(({ decodeMs, sessionMs, stageMs }) => (decodeMs + sessionMs) / stageMs, 3),
    timesOneView: of((round) => round.sessionMs / round.oneViewMs, 2),
  };
}

/** The whole process, from its start to its exit code. */
function endToEnd(set: string): Promise<number> {
  return inScratch(async (dir) => {
    await uniquePhotos(set, PHOTOS, join(dir, 'photos'));
    await labelsmith(['add', 'photos'], dir);
    const { seconds } = await labelsmith(['embed'], dir);
    return PHOTOS / seconds;
  });
}

/** Core time of decoding and resizing one photograph: what the process's threads spent, nothing else running in it. */
async function decodeCoreMs(set: string): Promise<number> {
  const photos = readdirSync(set)
    .filter((name) => name.endsWith('.jpg'))
    .map((name) => readFileSync(join(set, name)));
  const decode = (bytes: Buffer) => decodeCovered(bytes, 288);
  for (const bytes of photos.slice(0, 16)) await decode(bytes);
  return coreMsOf(photos.length, async () => {
    for (const bytes of photos) await decode(bytes);
  });
}

/** Core time of an image in the stage itself, everything included: reading, hashing, vectors, records. */
function stageCoreMs(set: string, threads: number): Promise<number> {
  return inScratch(async (dir) => {
    await uniquePhotos(set, STAGE_PHOTOS, join(dir, 'photos'));
    const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
    const embedder = await openEmbedder(EMBEDDER, { threads });
    try {
      const run = { seed: 0, threads };
      await addTo(workspace, await openSources(workspace, [join(dir, 'photos')]), { ...run, sync: false });
      return await coreMsOf(STAGE_PHOTOS, () => embedIn(workspace, embedder, run));
    } finally {
      await embedder.close();
      await workspace.close();
    }
  });
}

/** What all threads of this process spent on it, for each of `count` images. */
async function coreMsOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}

/** Core time of one image in the session, with every core at work on ready tensors as it is in the real run. */
async function sessionCoreMs(cores: number, views: boolean): Promise<number> {
  const recipe = views ? {} : { views: undefined };
  const embedder = await openEmbedder(EMBEDDER, { threads: cores, recipe });
  try {
    const { width, height } = embedder.input;
    const pixels = new Uint8Array(width * height * 3).map((_, i) => (i * 31) % 251);
    const images = async (count: number) => {
      for (let done = 0; done < count; done += 2 * cores) {
        await Promise.all(Array.from({ length: 2 * cores }, () => embedder.embed(pixels, 1)));
      }
    };
    await images(16 * cores);
    return await coreMsOf(128 * cores, () => images(128 * cores));
  } finally {
    await embedder.close();
  }
}
