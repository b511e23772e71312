/**
 * Every stage there is, run on pictures made by code, and what a workspace holds afterwards: for comparing engines and
 * places of workspaces.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { DEFAULT_ACCEPT_RULES } from '../../../src/corpus/accept.ts';
import { computeGroups } from '../../../src/images/groups.ts';
import { originalBytes } from '../../../src/jobs/image-reader.ts';
import type { Engine, RunOptions } from '../../../src/jobs/stage.ts';
import { openWorkspace, type Workspace } from '../../../src/jobs/workspace.ts';
import { addTo } from '../../../src/stages/add/add.ts';
import { readGroupFacts, searchBy } from '../../../src/stages/add/alike-stages.ts';
import { openSources } from '../../../src/stages/add/open-sources.ts';
import { type Classifier, openClassifier } from '../../../src/stages/classify/classifier-file.ts';
import { classifyIn } from '../../../src/stages/classify/classify.ts';
import { type FilePrediction, predictionRow } from '../../../src/stages/classify/predict.ts';
import { predictByWorkers } from '../../../src/stages/classify/predict-to.ts';
import { detectIn } from '../../../src/stages/detect/detect.ts';
import { detectionKey } from '../../../src/stages/detect/detect-stage.ts';
import { doubtsTogether } from '../../../src/stages/detect/doubt-stage.ts';
import { findPosesIn } from '../../../src/stages/detect/pose.ts';
import { segmentIn } from '../../../src/stages/detect/segment.ts';
import { discoverIn } from '../../../src/stages/discover/discover.ts';
import { embedIn } from '../../../src/stages/embed/embed.ts';
import { exportWorkspace } from '../../../src/stages/export/export.ts';
import { exportIn } from '../../../src/stages/export/export-in.ts';
import { matchIn } from '../../../src/stages/match/match.ts';
import { teachIn } from '../../../src/stages/teach/teach.ts';
import { cut, scene } from '../../fixtures/images.ts';
import { startRun } from '../store/fixtures.ts';
import { colourModels, importEmbedder } from './models.ts';

const RUN = { seed: 0, threads: 1 };
const ODDS = { slope: 3, intercept: 2, share: 0.2 };
/** A colour that a scene is mixed with, by class. */
const CLASSES = { red: [230, 20, 20], green: [20, 200, 20], blue: [20, 20, 230] } as const;

export interface Ground {
  readonly dir: string;
  readonly cacheDir: string;
}

/** So many pictures of each class in a folder of its name, one twice, one in worse quality, and one cut off; and three references of each. */
export async function prepare(pictures = 10): Promise<Ground> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-stages-'));
  const cacheDir = join(dir, 'cache');
  for (const [c, [name, colour]] of Object.entries(CLASSES).entries()) {
    for (const folder of ['photos', 'refs']) await mkdir(join(dir, folder, name), { recursive: true });
    for (let n = 0; n < pictures + 3; n++) {
      const [r, g, b] = colour;
      const tinted = scene(64, 48, 100 * c + n).composite([
        { input: { create: { width: 64, height: 48, channels: 4, background: { r, g, b, alpha: 0.7 } } } },
      ]);
      const bytes = await tinted.jpeg({ quality: 90 }).toBuffer();
      await writeFile(join(dir, n < pictures ? 'photos' : 'refs', name, `${n}.jpg`), bytes);
      if (n === 0) await writeFile(join(dir, 'photos', `${name}-again.jpg`), bytes);
      if (n === 2)
        await sharp(bytes)
          .jpeg({ quality: 50 })
          .toFile(join(dir, 'photos', `${name}-small.jpg`));
      if (n === 1) await writeFile(join(dir, 'photos', `${name}-cut.jpg`), cut(bytes, 0.5));
    }
  }
  await importEmbedder(dir, cacheDir);
  return { dir, cacheDir };
}

export interface EveryStageOptions {
  readonly name: string;
  /** Where the workspace is made. Default: a folder of this name. */
  readonly location?: string;
  readonly blobsAt?: string;
  /** Images of a shard. Default: 5. */
  readonly shardSize?: number;
}

/** Runs every stage on a new workspace and gives what is in it: exports, and the names of its files, which say their content. */
export async function everyStage(
  { dir, cacheDir }: Ground,
  { name, location = join(dir, name), blobsAt, shardSize = 5 }: EveryStageOptions,
  engine: Engine,
): Promise<Map<string, string>> {
  const sharded = { ...RUN, shardSize };
  /** What is done by one process in a small workspace is done shard by shard. */
  const spread = { ...sharded, spreadFrom: 1 };
  const models = colourModels(cacheDir);
  const workspace = await openWorkspace(location, { create: true, blobsAt, engine, models });
  try {
    const [photos, refs] = await openSources(workspace, [join(dir, 'photos'), join(dir, 'refs')]);
    await addTo(workspace, [photos], { ...sharded, sync: true });
    const alike = await alikePairs(workspace, shardSize);
    const detector = await models.openDetector('colours');
    const detecting = { ...sharded, rules: DEFAULT_ACCEPT_RULES, force: false, task: 'objects' };
    await detectIn(workspace, detector, detecting);
    const { classNames } = detector;
    const scores = { modelKey: detectionKey(detector, {}), classNames, mapping: {}, odds: ODDS };
    const doubts = await doubtsTogether(workspace, scores, spread);
    const shapes = { ...sharded, detectorKey: detector.key, task: 'objects', force: false };
    await findPosesIn(workspace, await models.openPose('colours-pose'), { ...shapes, personClasses: ['person'] });
    const segmenter = await models.openSegmenter({ threads: 1 });
    await segmentIn(workspace, segmenter, shapes).finally(() => segmenter.close());
    const embedder = await models.openEmbedder('means', sharded);
    await embedIn(workspace, embedder, spread);
    await embedIn(workspace, embedder, { ...sharded, force: true });
    await embedIn(workspace, embedder, { ...sharded, items: 'regions' }).finally(() => embedder.close());
    await discoverIn(workspace, { ...spread, k: 3 });
    await discoverIn(workspace, { ...spread, k: 3, method: 'kmeans', task: 'centres' });
    await matchIn(workspace, refs, { ...spread, task: 'like', replace: false });
    const taught = await teach(workspace);
    const classifier = await openClassifier(taught, sharded);
    await classifyIn(workspace, classifier, { ...sharded, threshold: 0.5 });
    const photosFolder = join(dir, 'photos');
    const predicted = await predictions(workspace, classifier, photosFolder, sharded).finally(() => classifier.close());
    const content = await contentOf(workspace, join(dir, `${name}-out`));
    for (const [what, text] of await exportsInShards(workspace, join(dir, `${name}-shards`), shardSize))
      content.set(what, text);
    return content.set('predicted', predicted).set('alike', alike).set('doubts', JSON.stringify(doubts));
  } finally {
    await workspace.close();
  }
}

/** What the classifier says of files, as a command that needs nothing of the record is told. */
async function predictions(
  workspace: Workspace,
  classifier: Classifier,
  folder: string,
  run: RunOptions,
): Promise<string> {
  const rows: string[] = [];
  const onPredicted = (found: readonly FilePrediction[]) => void rows.push(...found.map(predictionRow));
  await predictByWorkers(workspace, classifier, folder, { ...run, onPredicted });
  assert.ok(rows.length > 30, `${rows.length} files`);
  return rows.join('');
}

/** What is alike, looked for in shards as it is in a large workspace. */
async function alikePairs(workspace: Workspace, picturesAShard: number): Promise<string> {
  const { store } = workspace;
  const runId = await startRun(store, 'add');
  const { table, digest } = await readGroupFacts(store);
  const search = searchBy({ workspace, runId, seed: 0, threads: 1 }, digest, { minToSpread: 1, picturesAShard });
  const groups = await computeGroups(table, { search });
  await store.finishRun(runId, { status: 'done', counts: {} });
  return JSON.stringify([...groups.pairs()]);
}

/** Teaches the classes of the folders from four labels each, and gives the classifier's file. */
async function teach(workspace: Workspace): Promise<string> {
  const { store } = workspace;
  await store.ensureTask({ name: 'colour', rule: 'single', items: 'images' });
  const seen = new Map<string, number>();
  for await (const page of store.images()) {
    const paths = await store.pathsOfImages(page.map(({ id }) => id));
    for (const { id } of page) {
      const className = Object.keys(CLASSES).find((name) => paths.get(id)?.some(({ path }) => path.includes(name)));
      const count = seen.get(className ?? '') ?? 0;
      if (className === undefined || count === 4) continue;
      seen.set(className, count + 1);
      const label = { itemId: id, task: 'colour', className, present: true, origin: 'human', confidence: 1 } as const;
      await store.putLabels([{ ...label, runId: null }]);
    }
  }
  const held = { most: 20, mostLabels: 9 };
  const teaching = { task: 'colour', threshold: 0.5, methods: [], labelRest: true, spreadFrom: 1, held };
  return (await teachIn(workspace, { ...RUN, ...teaching })).model;
}

/** What exports in shards to an address leave there: written one image after the other where the engine does nothing elsewhere. */
async function exportsInShards(workspace: Workspace, folder: string, shardSize: number): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  const split = [
    { name: 'train', fraction: 0.7 },
    { name: 'val', fraction: 0.3 },
  ];
  const exports = [
    { what: 'jsonl', format: 'jsonl', background: 'all' },
    { what: 'csv', format: 'csv', task: 'objects' },
    { what: 'parquet', format: 'parquet', minConfidence: 0.5 },
    { what: 'split', format: 'jsonl', split, task: 'colour' },
  ] as const;
  for (const { what, format, ...selected } of exports) {
    const out = join(folder, what);
    await mkdir(out, { recursive: true });
    const how = { seed: 0, margin: 0, replace: false, shardSize, spreadFrom: 1, ...selected };
    const run = workspace.engine.opensElsewhere ? { ...RUN, shardSize } : undefined;
    await exportIn(workspace, format, pathToFileURL(out).href, how, run);
    const files = (await readdir(out)).filter((file) => !file.startsWith('.')).sort();
    assert.ok(files.length > 3, `${what} has ${files}`);
    const texts = await Promise.all(files.map(async (file) => `${file} ${await readFile(join(out, file), 'latin1')}`));
    content.set(`shards of ${what}`, texts.join('\n'));
  }
  return content;
}

async function contentOf(workspace: Workspace, out: string): Promise<Map<string, string>> {
  const { store, dir: workspaceDir } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop: () => assert.fail('no crops') };
  const content = new Map<string, string>();
  for (const task of ['objects', 'class', 'centres', 'like', 'colour']) {
    const file = `${out}-${task}.jsonl`;
    await exportWorkspace(effects, 'jsonl', file, { seed: 0, margin: 0, replace: false, background: 'all', task });
    content.set(task, await readFile(file, 'utf8'));
  }
  const files: string[] = [];
  for (const items of ['images', 'regions'] as const) {
    for (const space of await store.vectorSpaces(items)) {
      for (const { file } of await store.vectorShards(space, items)) files.push(file);
    }
  }
  content.set('files of vectors', files.sort().join('\n'));
  const runs = await store.runs();
  const counted = runs.filter(({ stage }) => stage !== 'export');
  content.set('counts', JSON.stringify(counted.map(({ stage, status, counts }) => [stage, status, counts])));
  return content;
}
