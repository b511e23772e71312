/**
 * The program of an edge pack: labels a folder or a camera on a device, offline, with Node's processor. It is copied into the
 * pack with the modules that it imports; the archive's `run.mjs` starts it.
 */

import { readFile, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { LabelsmithError, messageOf } from '../../../errors.ts';
import { liesIn } from '../../../files/identity.ts';
import { makeFolder } from '../../../files/make-folder.ts';
import { DEFAULT_MAX_BYTES } from '../../../images/decode.ts';
import { openSource } from '../../../sources/open.ts';
import type { SourceEntry, SourceItem } from '../../../sources/source.ts';
import { watchFolder } from '../../../sources/watched-folder.ts';
import { cameraSpecs } from '../../capture/camera-spec.ts';
import { capture } from '../../capture/capture.ts';
import { type Asked, askedBy, USAGE } from './asked.ts';
import { labelImage } from './edge-labels.ts';
import { type EdgeModel, edgeRuntime, openEdgeModel } from './edge-model.ts';
import { EdgeResults } from './edge-results.ts';
import { type PackInfo, readPackInfo } from './pack-info.ts';

/** @param folder of the pack */
export async function runEdge(folder: string, argv: readonly string[]): Promise<number> {
  try {
    const asked = askedBy(argv);
    if (asked === 'help') {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const info = await readPackInfo(folder);
    const models = await openModels(folder, info, asked);
    try {
      if (asked.source !== undefined) await label(folder, models, asked, asked.source);
      return 0;
    } finally {
      for (const model of models) await model.close();
    }
  } catch (error) {
    process.stderr.write(`labelsmith-edge: ${messageOf(error)}\n`);
    if (error instanceof LabelsmithError && error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    return error instanceof LabelsmithError && error.code === 'USAGE' ? 2 : 1;
  }
}

/** Each is compared with its golden outputs; says what runs, how large it is and how fast. */
async function openModels(folder: string, { models }: PackInfo, { precision, threads }: Asked): Promise<EdgeModel[]> {
  const runtime = edgeRuntime(folder);
  const opened: EdgeModel[] = [];
  for (const model of models) {
    const edge = await openEdgeModel(runtime, model, { folder, precision, threads });
    opened.push(edge);
    const { width, height } = model.input;
    const blank = new Uint8Array(width * height * 3);
    const startedAtMs = performance.now();
    await edge.run(blank);
    const tookMs = performance.now() - startedAtMs;
    const { size } = await stat(join(folder, model.files[precision] ?? ''));
    process.stdout.write(
      `${model.kind} ${model.key}: ${precision}, ${(size / 1e6).toFixed(1)} MB, provider cpu, ${threads} threads, ` +
        `golden outputs ok (difference ${edge.difference.toExponential(1)}), ${tookMs.toFixed(1)} ms an image\n`,
    );
  }
  process.stdout.write(`started in ${(performance.now() / 1000).toFixed(2)} s\n`);
  return opened;
}

async function label(folder: string, models: readonly EdgeModel[], asked: Asked, source: string): Promise<void> {
  const { to, maxUnsure, isFollowing } = asked;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const place = resolve(source);
  const isFolder = (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
  if (isFolder && (await liesIn(to, place))) {
    throw new LabelsmithError('REFUSED', `the results would lie in ${place}, whose images are labelled`, {
      hint: 'Name another folder with --to.',
    });
  }
  const results = await EdgeResults.open(to, await readFile(join(folder, 'pack.json'), 'utf8'), { maxUnsure });
  try {
    if (isFolder) {
      for await (const item of itemsOf(place, isFollowing, stop.signal)) {
        await labelOne(models, results, place, item);
        if (stop.signal.aborted) break;
      }
    } else await labelCamera(models, results, asked, source, stop);
  } finally {
    await results.close();
    const { labelled, unsure, keptUnsure, failed, known } = results.counts;
    process.stdout.write(
      `${labelled} labelled, ${known} known before, ${unsure} unsure (${keptUnsure} kept), ${failed} not readable; results in ${to}\n`,
    );
  }
}

async function* itemsOf(folder: string, isFollowing: boolean, signal: AbortSignal): AsyncGenerator<SourceItem> {
  if (!isFollowing) yield* (await openSource(folder, { cwd: '/' })).list();
  else yield* (await watchFolder(folder, { cwd: '/', settleMs: 400, lookEveryMs: 250 })).follow({ signal });
}

/**
 * Frames are saved, labelled as they come, and deleted again; what nobody is sure of stays under its other name. Frames that
 * a stop leaves are labelled by the next start.
 */
async function labelCamera(
  models: readonly EdgeModel[],
  results: EdgeResults,
  { to, everyMs, keepsFrames }: Asked,
  source: string,
  { signal }: AbortController,
): Promise<void> {
  const frames = join(to, 'frames');
  await makeFolder(frames);
  const cameras = await cameraSpecs([source], process.cwd());
  const ended = new AbortController();
  const capturing = capture(cameras, {
    to: frames,
    rule: { everyMs },
    signal,
    keepTrying: true,
    onNotice: (text) => process.stderr.write(`${text}\n`),
  }).finally(() => ended.abort());
  capturing.catch(() => {});
  const takeAll = async (items: AsyncIterable<SourceItem>) => {
    for await (const item of items) {
      if (signal.aborted) return;
      const entry = await labelOne(models, results, frames, item);
      if (entry === undefined || keepsFrames) continue;
      await results.flush();
      await rm(entry.path, { force: true });
    }
  };
  await takeAll(itemsOf(frames, true, ended.signal));
  await capturing;
  // A video has an end: what was saved last is still to do.
  await takeAll(itemsOf(frames, false, signal));
}

async function labelOne(
  models: readonly EdgeModel[],
  results: EdgeResults,
  root: string,
  item: SourceItem,
): Promise<SourceEntry | undefined> {
  if (item.kind === 'problem') {
    const { path, message } = item.problem;
    await results.addFailure({ path, version: '' }, message);
    return undefined;
  }
  const { entry } = item;
  const image = { path: entry.path, version: `${entry.modifiedAtMs}-${entry.byteSize}` };
  if (results.isKnown(image)) return entry;
  try {
    const bytes = await entry.read(DEFAULT_MAX_BYTES);
    const result = await labelImage(models, bytes);
    await results.add(image, bytes, result);
    const said = [...result.labels.map((one) => one.class), ...result.guesses.map((one) => `${one.class}?`)].join(', ');
    process.stdout.write(`${relative(root, entry.path)}: ${said || 'nothing'}\n`);
    return entry;
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    await results.addFailure(image, messageOf(error));
    return entry;
  }
}
