/**
 * Models of the hub with real weights, as far as they can be fetched here: labels by the names of classes alone, names of clusters
 * that are right, clusters, what a tenth of the labels teaches, detections and masks; the built-in models beside them. What could not
 * be fetched, and what failed, is named with its reason; nothing is measured in its place, and the others go on.
 *
 * `LABELSMITH_BENCH_HUB` names models (default: all of the hub in `models list`), `LABELSMITH_BENCH_SETS` sets. Through the command
 * line, as a user. A table goes to stderr, the document to stdout.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { COCO_NAMES } from '../src/core/coco-classes.ts';
import { sha256Hex } from '../src/core/ids.ts';
import { LabelsmithError, messageOf } from '../src/errors.ts';
import { HUB_MODELS } from '../src/models/hub/catalogue.ts';
import { familyOf } from '../src/models/hub/families.ts';
import { createModels } from '../src/models/models.ts';
import { isRightName } from './backbones/names.ts';
import { measureMasks } from './masks.ts';
import { ACCEPTABLE } from './names/acceptable.ts';
import { type ClusteredImage, linesOf, scoreWords, type Worded, type WordNames, worded } from './names/by-words.ts';
import { dataSet } from './photos.ts';
import { inScratch, labelsmith, rounded } from './process.ts';

const SETS = process.env.LABELSMITH_BENCH_SETS?.split(',') ?? ['caltech-30', 'flowers', 'household', 'electronics'];
/** Of each class's images, by their names' digests. */
const FEW = 0.1;

type Role = 'embedder' | 'words' | 'detector' | 'word-detector' | 'segmenter';

/** What is here without a hub, to compare with. */
const BUILT_IN: readonly (readonly [id: string, role: Role])[] = [
  ['mobilenetv3-small', 'embedder'],
  ['centernet', 'detector'],
];

/** Of the ONNX model zoo, from the hub too. */
const ZOO: typeof BUILT_IN = [['mobilenetv2-12-qdq', 'embedder']];

export async function run(): Promise<unknown> {
  const wanted = process.env.LABELSMITH_BENCH_HUB?.split(',');
  const known = HUB_MODELS.map(({ id, modelType }) => [id, roleOf(modelType)] as const);
  const all = [...known, ...ZOO];
  const { here, notFetched } = await fetched(all.filter(([id]) => wanted?.includes(id) ?? true));
  for (const id of wanted ?? []) {
    if (!all.some(([one]) => one === id)) notFetched[id] = 'there is no model of that name';
  }
  const rows: Row[] = [];
  const failed: Record<string, string> = {};
  const words: Record<string, WordNames> = {};
  for (const [id, role] of [...BUILT_IN, ...here]) {
    process.stderr.write(`${id}…\n`);
    try {
      const said: Worded[] = [];
      for await (const row of measure(id, role, said)) {
        rows.push(row);
        process.stderr.write(`${lineOf(row)}\n`);
      }
      const names = scoreWords(said);
      if (names) words[id] = names;
    } catch (error) {
      failed[id] = messageOf(error);
    }
  }
  process.stderr.write('\n');
  for (const row of rows) process.stderr.write(`${lineOf(row)}\n`);
  for (const [id, names] of Object.entries(words)) process.stderr.write(`${linesOf(id, names).join('\n')}\n`);
  for (const [id, why] of Object.entries(failed)) process.stderr.write(`failed: ${id}: ${why}\n`);
  for (const [id, why] of Object.entries(notFetched)) process.stderr.write(`not fetched: ${id}: ${why}\n`);
  if (Object.keys(failed).length > 0) process.exitCode = 1;
  return { measured: rows, namesByWords: words, failed, notFetched };
}

function roleOf(modelType: string): Role {
  const family = familyOf(modelType);
  switch (family?.role) {
    case 'embedder':
      return family.text ? 'words' : 'embedder';
    case 'detector':
      return family.words ? 'word-detector' : 'detector';
    case 'segmenter':
      return 'segmenter';
    default:
      throw new Error(`no family has the type ${modelType}`);
  }
}

/** A hub that gives no answer is asked once. */
async function fetched(hub: readonly (readonly [string, Role])[]) {
  const here: (readonly [string, Role])[] = [];
  const notFetched: Record<string, string> = {};
  let away: string | undefined;
  for (const one of hub) {
    const models = createModels({ attempts: 2, offline: away !== undefined, onNotice: () => undefined });
    try {
      await models.prepare(one[0]);
      here.push(one);
    } catch (error) {
      notFetched[one[0]] = away ?? messageOf(error);
      if (error instanceof LabelsmithError && error.code === 'NETWORK') away ??= messageOf(error);
    }
  }
  return { here, notFetched };
}

/** Shares of right answers, mAP and IoU, each 0 to 1. */
interface Row {
  readonly model: string;
  readonly set: string;
  readonly figures: Readonly<Record<string, number | null>>;
}

/**
 * A row when it is known: sets one after the other, since a network may be as large as the machine.
 *
 * @param said gets what words say of each set, of a model that knows words
 */
async function* measure(id: string, role: Role, said: Worded[]): AsyncGenerator<Row> {
  switch (role) {
    case 'embedder':
    case 'words':
      for (const set of SETS)
        yield { model: id, set, figures: await embedder(id, set, role === 'words' ? said : undefined) };
      return;
    case 'detector':
      yield await detector(id, ['detect', '--model', id]);
      return;
    case 'word-detector':
      yield await detector(id, ['detect', '--model', id, '--classes', COCO_NAMES.join(',')]);
      return;
    case 'segmenter': {
      const { meanIouMask, meanIouFilledBox } = await measureMasks(['--segmenter', id]);
      yield { model: id, set: 'coco-train128', figures: { maskIoU: meanIouMask, filledBoxIoU: meanIouFilledBox } };
      return;
    }
    default:
      role satisfies never;
  }
}

const EVALUATION = z.object({
  classification: z.object({ accuracyForced: z.number() }).partial().optional(),
  clustering: z.object({ accuracy: z.number(), ari: z.number() }).partial().optional(),
  detection: z.object({ mAP: z.number(), AP50: z.number() }).partial().optional(),
});

/** Names of classes are the words; an image that an everyday word fits better than any of them counts as wrong. */
function embedder(id: string, name: string, said: Worded[] | undefined): Promise<Row['figures']> {
  return inScratch(async (dir) => {
    const set = dataSet(name);
    const folders = readdirSync(set).sort();
    const names = folders.map((folder) => folder.replaceAll(/[_-]+/g, ' '));
    const classOf = pileOf(set, folders, dir);
    await labelsmith(['add', PILE], dir);
    await labelsmith(['embed', '--model', id], dir);
    await labelsmith(['discover', '--model', id, '--k', String(names.length), '--task', 'clusters'], dir);
    const { clustering } = await evaluated(set, 'clusters', dir);
    const images = await clusteredImages(classOf, dir);
    const few = await fewLabels(classOf, dir);
    const figures = {
      clustering: clustering?.accuracy ?? null,
      ari: clustering?.ari ?? null,
      ...namesOf(name, images),
      fewLabels: few,
    };
    if (!said) return figures;
    said.push(await worded(name, images, dir));
    await labelsmith(['match', '--threshold', '0', '--classes', names.join(',')], dir);
    return { zeroShot: (await evaluated(set, 'class', dir)).classification?.accuracyForced ?? null, ...figures };
  });
}

/** In order of their files' names, which are digests. */
async function clusteredImages(classOf: ReadonlyMap<string, string>, dir: string): Promise<ClusteredImage[]> {
  await labelsmith(['export', 'jsonl', 'clusters.jsonl', '--task', 'clusters'], dir);
  const row = z.object({ file: z.string(), sha256: z.string(), labels: z.array(z.object({ class: z.string() })) });
  const lines = readFileSync(join(dir, 'clusters.jsonl'), 'utf8').trim().split('\n');
  const images = lines.map((line) => row.parse(JSON.parse(line))).sort((a, b) => (a.file < b.file ? -1 : 1));
  return images.map(({ file, sha256, labels }) => {
    return { id: sha256, className: classOf.get(basename(file)) ?? '', cluster: labels[0]?.class ?? '' };
  });
}

/** Of the clusters, how many have a name, and of those how many fit most of their images (`names/acceptable.ts`). */
function namesOf(set: string, images: readonly ClusteredImage[]): Row['figures'] {
  if (!ACCEPTABLE[set]) return {};
  const clusters = Map.groupBy(images, ({ cluster }) => cluster);
  let [named, right] = [0, 0];
  for (const [name, members] of clusters) {
    if (name === '' || /^unnamed-\d+$/.test(name)) continue;
    named++;
    const plain = name.replace(/[- ]\d+$/, '');
    const fitting = members.filter(({ className }) => isRightName(plain, set, className));
    if (fitting.length > members.length / 2) right++;
  }
  return { clusters: clusters.size, named, namedRight: right };
}

const PILE = 'pile';

/** A set's images in one folder under names that say nothing, since folders' names are evidence too. The class of each file. */
function pileOf(set: string, folders: readonly string[], dir: string): ReadonlyMap<string, string> {
  mkdirSync(join(dir, PILE));
  const classOf = new Map<string, string>();
  for (const folder of folders) {
    for (const file of readdirSync(join(set, folder))) {
      const name = `${sha256Hex(`${folder}/${file}`).slice(0, 16)}${extname(file)}`;
      copyFileSync(join(set, folder, file), join(dir, PILE, name));
      classOf.set(name, folder);
    }
  }
  return classOf;
}

/** A base model of a tenth of the labels, on the other images. */
async function fewLabels(classOf: ReadonlyMap<string, string>, dir: string): Promise<number> {
  const byClass = Map.groupBy([...classOf.keys()].sort(), (file) => classOf.get(file) ?? '');
  const taught = new Set<string>();
  for (const files of byClass.values()) {
    for (const file of files.slice(0, Math.max(2, Math.round(FEW * files.length)))) taught.add(file);
  }
  const lines = [...taught].map((file) => `${PILE}/${file},"${classOf.get(file)}"`);
  writeFileSync(join(dir, 'few.csv'), `${['file,class', ...lines].join('\n')}\n`);
  await labelsmith(['import', 'csv', 'few.csv', '--as', 'human', '--task', 'few'], dir);
  await labelsmith(['teach', 'train', '--task', 'few'], dir);
  const { stdout } = await labelsmith(['teach', 'predict', PILE, '--model', '.labelsmith/models/few.base.onnx'], dir);
  const { predictions } = z
    .object({ predictions: z.array(z.object({ file: z.string(), class: z.string() })) })
    .parse(JSON.parse(stdout));
  const rest = predictions.filter(({ file }) => !taught.has(basename(file)));
  return rounded(rest.filter((one) => classOf.get(basename(one.file)) === one.class).length / rest.length);
}

function detector(id: string, command: readonly string[]): Promise<Row> {
  return inScratch(async (dir) => {
    const set = dataSet('coco-train128');
    await labelsmith(['add', join(set, 'images')], dir);
    await labelsmith(command, dir);
    const { detection } = await evaluated(join(set, 'instances.json'), 'objects', dir);
    const figures = { mAP: detection?.mAP ?? null, AP50: detection?.AP50 ?? null };
    return { model: id, set: 'coco-train128', figures };
  });
}

async function evaluated(truth: string, task: string, dir: string): Promise<z.infer<typeof EVALUATION>> {
  const { stdout } = await labelsmith(['evaluate', truth, '--task', task], dir);
  return EVALUATION.parse(JSON.parse(stdout));
}

function lineOf({ model, set, figures }: Row): string {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${value === null ? '–' : rounded(value)}`);
  return `${model.padEnd(24)} ${set.padEnd(14)} ${parts.join('  ')}`;
}
