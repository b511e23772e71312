/**
 * What every stage must do, whichever engine runs it: its settings and shards survive JSON, another process that opens the
 * workspace for itself does a shard like this one, and what is in the workspace after it is the same, byte for byte.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_ACCEPT_RULES } from '../../src/corpus/accept.ts';
import { originalBytes } from '../../src/jobs/image-reader.ts';
import { localEngine } from '../../src/jobs/local-engine.ts';
import type { Engine } from '../../src/jobs/stage.ts';
import type { StageEntry } from '../../src/jobs/stage-worker.ts';
import { openWorkspace, type Workspace } from '../../src/jobs/workspace.ts';
import { addTo } from '../../src/stages/add/add.ts';
import { openSources } from '../../src/stages/add/open-sources.ts';
import { openClassifier } from '../../src/stages/classify/classifier-file.ts';
import { classifyIn } from '../../src/stages/classify/classify.ts';
import { detectIn } from '../../src/stages/detect/detect.ts';
import { findPosesIn } from '../../src/stages/detect/pose.ts';
import { segmentIn } from '../../src/stages/detect/segment.ts';
import { discoverIn } from '../../src/stages/discover/discover.ts';
import { embedIn } from '../../src/stages/embed/embed.ts';
import { exportWorkspace } from '../../src/stages/export/export.ts';
import { matchIn } from '../../src/stages/match/match.ts';
import { teachIn } from '../../src/stages/teach/teach.ts';
import { cut, scene } from '../fixtures/images.ts';
import { childEngine } from './stage/child-engine.ts';
import { colourModels, importEmbedder } from './stage/models.ts';

const RUN = { seed: 0, threads: 1, shardSize: 5 };
/** A colour that a scene is mixed with, by class. */
const CLASSES = { red: [230, 20, 20], green: [20, 200, 20], blue: [20, 20, 230] } as const;
const PICTURES = 10;

interface Ground {
  readonly dir: string;
  readonly cacheDir: string;
}

/** Ten pictures of each class in a folder of its name, one twice and one cut off; and three references of each. */
async function prepare(): Promise<Ground> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-stages-'));
  const cacheDir = join(dir, 'cache');
  for (const [c, [name, colour]] of Object.entries(CLASSES).entries()) {
    for (const folder of ['photos', 'refs']) await mkdir(join(dir, folder, name), { recursive: true });
    for (let n = 0; n < PICTURES + 3; n++) {
      const [r, g, b] = colour;
      const tinted = scene(64, 48, 100 * c + n).composite([
        { input: { create: { width: 64, height: 48, channels: 4, background: { r, g, b, alpha: 0.7 } } } },
      ]);
      const bytes = await tinted.jpeg({ quality: 90 }).toBuffer();
      await writeFile(join(dir, n < PICTURES ? 'photos' : 'refs', name, `${n}.jpg`), bytes);
      if (n === 0) await writeFile(join(dir, 'photos', `${name}-again.jpg`), bytes);
      if (n === 1) await writeFile(join(dir, 'photos', `${name}-cut.jpg`), cut(bytes, 0.5));
    }
  }
  await importEmbedder(dir, cacheDir);
  return { dir, cacheDir };
}

/** Runs every stage on a new workspace and gives what is in it: exports, and the names of its files, which say their content. */
async function everyStage({ dir, cacheDir }: Ground, name: string, engine: Engine): Promise<Map<string, string>> {
  const models = colourModels(cacheDir);
  const workspace = await openWorkspace(join(dir, name), { create: true, engine, models });
  try {
    const [photos, refs] = await openSources(workspace, [join(dir, 'photos'), join(dir, 'refs')]);
    await addTo(workspace, [photos], { ...RUN, sync: true });
    const detector = await models.openDetector('colours');
    const detecting = { ...RUN, rules: DEFAULT_ACCEPT_RULES, force: false, task: 'objects' };
    await detectIn(workspace, detector, detecting);
    const shapes = { ...RUN, detectorKey: detector.key, task: 'objects', force: false };
    await findPosesIn(workspace, await models.openPose('colours-pose'), { ...shapes, personClasses: ['person'] });
    const segmenter = await models.openSegmenter({ threads: 1 });
    await segmentIn(workspace, segmenter, shapes).finally(() => segmenter.close());
    const embedder = await models.openEmbedder('means', RUN);
    await embedIn(workspace, embedder, RUN);
    await embedIn(workspace, embedder, { ...RUN, force: true });
    await embedIn(workspace, embedder, { ...RUN, items: 'regions' }).finally(() => embedder.close());
    await discoverIn(workspace, { ...RUN, k: 3 });
    await matchIn(workspace, refs, { ...RUN, task: 'like', replace: false });
    const taught = await teach(workspace);
    const classifier = await openClassifier(taught, RUN);
    await classifyIn(workspace, classifier, { ...RUN, threshold: 0.5 }).finally(() => classifier.close());
    return await contentOf(workspace, join(dir, `${name}-out`));
  } finally {
    await workspace.close();
  }
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
  return (await teachIn(workspace, { ...RUN, task: 'colour', threshold: 0.5, techniques: [], labelRest: true })).model;
}

async function contentOf(workspace: Workspace, out: string): Promise<Map<string, string>> {
  const { store, dir: workspaceDir } = workspace;
  const effects = { store, workspaceDir, read: originalBytes(workspace), crop: () => assert.fail('no crops') };
  const content = new Map<string, string>();
  for (const task of ['objects', 'class', 'like', 'colour']) {
    const file = `${out}-${task}.jsonl`;
    await exportWorkspace(effects, 'jsonl', file, { seed: 0, margin: 0, replace: false, background: 'all', task });
    content.set(task, await readFile(file, 'utf8'));
  }
  const vectors = await readdir(join(workspaceDir, 'vectors'), { recursive: true, withFileTypes: true });
  const files = vectors.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  content.set(
    'files of vectors',
    files
      .map((file) => relative(workspaceDir, file))
      .sort()
      .join('\n'),
  );
  const runs = await store.runs();
  content.set('counts', JSON.stringify(runs.map(({ stage, status, counts }) => [stage, status, counts])));
  return content;
}

/** @param stages all there are: each has to be run */
export function stageContract(stages: readonly StageEntry[]): void {
  describe('stages', () => {
    let ground: Ground;
    before(async () => {
      ground = await prepare();
    });
    after(() => rm(ground.dir, { recursive: true }));

    it('give the same through an engine that does every shard in another process', async () => {
      const here = await everyStage(ground, 'here', localEngine());
      const engine = childEngine(ground.cacheDir);
      const there = await everyStage(ground, 'there', engine);
      assert.deepEqual([...engine.shardsOf.keys()].sort(), stages.map(({ name }) => name).sort());
      for (const [stage, shards] of engine.shardsOf) assert.ok(shards > 0, `${stage} had no shard`);
      for (const [what, content] of here) assert.equal(there.get(what), content, what);
      // Each stage left something to compare.
      const expected = {
        objects: /keypoints.*mask|mask.*keypoints/,
        class: /cluster/,
        like: /reference/,
        colour: /model/,
      };
      for (const [task, sign] of Object.entries(expected)) assert.match(here.get(task) ?? '', sign);
    });
  });
}
