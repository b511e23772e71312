/**
 * Embedding, images a second end to end: the built command line against the limit, core time of decoding and resizing alone
 * plus core time of the session alone, divided by the cores; the core time of the whole stage, which says the same on a busy
 * machine; and the default recipe's session against that of one view, and where the network votes against that without votes.
 *
 * `LABELSMITH_BENCH_EMBEDDER` names another embedder, `LABELSMITH_BENCH_PHOTOS` how many photographs go through the command line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../src/fetch/cache.ts';
import { fetchFiles } from '../src/fetch/fetch.ts';
import { decodeCovered } from '../src/images/decode.ts';
import { openWorkspace } from '../src/jobs/workspace.ts';
import type { EmbedderEntry, ModelEntry } from '../src/models/bundle.ts';
import { composeModel, defaultRecipe, inputOf } from '../src/models/compose-model.ts';
import { CONVERTERS } from '../src/models/converters.ts';
import { type Embedder, openEmbedder } from '../src/models/embedder.ts';
import { runOnPool } from '../src/models/open-model.ts';
import { findEntry } from '../src/models/registry.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { dataSet, uniquePhotos } from './photos.ts';
import { inScratch, labelsmith, median, rounded } from './process.ts';

/** Enough that the start of the process, half a second, is a fiftieth. */
const PHOTOS = Number(process.env.LABELSMITH_BENCH_PHOTOS ?? 4096);
/** For the core time, where the start does not count. */
const STAGE_PHOTOS = 1024;
const ROUNDS = 3;
const EMBEDDER = process.env.LABELSMITH_BENCH_EMBEDDER ?? 'mobilenetv3-small';
/** The pass with votes and without, one after the other. */
const TURNS = 5;

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
    timesWithoutVotes: await timesWithoutVotes(cores),
  };
}

/** The whole process, from its start to its exit code. */
function endToEnd(set: string): Promise<number> {
  return inScratch(async (dir) => {
    await uniquePhotos(set, PHOTOS, join(dir, 'photos'));
    await labelsmith(['add', 'photos'], dir);
    const { seconds } = await labelsmith(['embed', '--model', EMBEDDER], dir);
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

/** What the pass costs beside the same one without its votes; null where it has none. */
async function timesWithoutVotes(cores: number): Promise<number | null> {
  const entry = await findEntry(EMBEDDER);
  if (entry.role !== 'embedder' || !entry.votes) return null;
  const files = await fetchFiles(entry.source.files, { cacheDir: cacheDirectory() });
  const contents = await Promise.all(files.map(async ({ path }) => new Uint8Array(await readFile(path))));
  const network = CONVERTERS[entry.source.converter].convert(contents, entry);
  const silent: EmbedderEntry = { ...entry, votes: undefined };
  const timed = (one: EmbedderEntry) => graphCoreMs(cores, composeModel(one, network, defaultRecipe(one)), one);
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) ratios.push((await timed(entry)) / (await timed(silent)));
  return rounded(median(ratios), 3);
}

async function graphCoreMs(cores: number, graph: Uint8Array, entry: ModelEntry): Promise<number> {
  const input = inputOf(entry, defaultRecipe(entry));
  const { run, close } = await runOnPool(graph, { key: entry.id, input }, { threads: cores });
  try {
    return await passCoreMs(cores, input, run);
  } finally {
    await close();
  }
}

/** Core time of one image in the session. */
async function sessionCoreMs(cores: number, views: boolean): Promise<number> {
  const recipe = views ? {} : { views: undefined };
  const embedder = await openEmbedder(EMBEDDER, { threads: cores, recipe });
  try {
    return await passCoreMs(cores, embedder.input, (pixels) => embedder.embed(pixels, 1));
  } finally {
    await embedder.close();
  }
}

/** With every core at work on ready tensors as it is in the real run. */
async function passCoreMs(
  cores: number,
  { width, height }: Embedder['input'],
  pass: (pixels: Uint8Array) => Promise<unknown>,
): Promise<number> {
  const pixels = new Uint8Array(width * height * 3).map((_, i) => (i * 31) % 251);
  const images = async (count: number) => {
    for (let done = 0; done < count; done += 2 * cores) {
      await Promise.all(Array.from({ length: 2 * cores }, () => pass(pixels)));
    }
  };
  await images(16 * cores);
  return coreMsOf(128 * cores, () => images(128 * cores));
}
