/**
 * Names by words that are written on things: of the clusters that `discover` makes, with their number known and not, how many get a
 * name with `--read-words` and without, and how many of the names are right (`names/acceptable.ts`, `names/written.ts`). Files lie in
 * one folder under numbers, so that no path says what is in them. `LABELSMITH_BENCH_SETS` names sets (default: cartons, coins,
 * parts of computers), `LABELSMITH_BENCH_IMAGES` how many images of a class there are at most.
 */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { hypernymsOf } from '../src/corpus/hypernyms.ts';
import { imagenetNames } from '../src/corpus/imagenet.ts';
import { wordNet } from '../src/corpus/wordnet.ts';
import { openWorkspace, type Workspace } from '../src/jobs/workspace.ts';
import { openTextReader } from '../src/models/text-reader.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { discoverIn } from '../src/stages/discover/discover.ts';
import { chooseNames, isUnnamed } from '../src/stages/discover/evidence.ts';
import type { WordReader } from '../src/stages/discover/gather-evidence.ts';
import { wordReader } from '../src/stages/discover/written-words.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { openIfHere } from './backbones/embedded.ts';
import { isRightWord } from './names/written.ts';
import { dataSet } from './photos.ts';
import { inScratch, rounded } from './process.ts';

const SETS = (process.env.LABELSMITH_BENCH_SETS ?? 'cartons,euro-coins,pc-parts').split(',');
const PER_CLASS = Number(process.env.LABELSMITH_BENCH_IMAGES ?? Number.POSITIVE_INFINITY);
/** The first that is here. */
const EMBEDDERS = ['mobilenetv2-12-qdq', 'mobilenetv3-small'];
const THREADS = 2;
/** A best candidate's least score for a name. */
const SCORES = [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55];
const RUN = { seed: 0, threads: THREADS };

export async function run(): Promise<unknown> {
  const sets: Record<string, unknown> = {};
  for (const set of SETS) {
    sets[set] = await inScratch((dir) => measure(set, dir));
    process.stderr.write(`  ${set} ${JSON.stringify(sets[set])}\n`);
  }
  return { imagesOfAClass: PER_CLASS, sets };
}

async function measure(set: string, dir: string): Promise<unknown> {
  const classOf = await flatCopy(dataSet(set), join(dir, 'images'));
  const classes = new Set(classOf.values()).size;
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  const texts = await openTextReader(undefined, { threads: THREADS });
  try {
    await addTo(workspace, await openSources(workspace, [join(dir, 'images')]), { ...RUN, sync: false });
    const embedder = await embed(workspace);
    const reader = wordReader(texts);
    // Sequential, so that the processor time is that of reading.
    const before = {
      known: await named(workspace, set, classOf, { k: classes }),
      auto: await named(workspace, set, classOf, { k: 'auto' }),
    };
    const start = process.cpuUsage();
    const known = await named(workspace, set, classOf, { k: classes, reader });
    const { user, system } = process.cpuUsage(start);
    const { images } = reader.counts();
    return {
      images: classOf.size,
      classes,
      embedder,
      numberKnown: { without: before.known, with: known },
      numberNotKnown: { without: before.auto, with: await named(workspace, set, classOf, { k: 'auto', reader }) },
      read: reader.counts(),
      // What clustering again costs is in it.
      coreSecondsAnImage: rounded((user + system) / 1e6 / images, 2),
    };
  } finally {
    await texts.close();
    await workspace.close();
  }
}

/** @returns the class of each file by its name */
async function flatCopy(source: string, folder: string): Promise<Map<string, string>> {
  await mkdir(folder);
  const classOf = new Map<string, string>();
  for (const className of (await readdir(source)).sort()) {
    for (const file of (await readdir(join(source, className))).sort().slice(0, PER_CLASS)) {
      const name = `${classOf.size}${extname(file)}`;
      await copyFile(join(source, className, file), join(folder, name));
      classOf.set(name, className);
    }
  }
  return classOf;
}

async function embed(workspace: Workspace): Promise<string> {
  for (const id of EMBEDDERS) {
    const embedder = await openIfHere(id);
    if (!embedder) continue;
    try {
      await embedIn(workspace, embedder, RUN);
      return id;
    } finally {
      await embedder.close();
    }
  }
  throw new Error(`none of ${EMBEDDERS.join(', ')} is on this machine`);
}

async function named(
  workspace: Workspace,
  set: string,
  classOf: ReadonlyMap<string, string>,
  { k, reader }: { readonly k: number | 'auto'; readonly reader?: WordReader },
): Promise<unknown> {
  const { clusters } = await discoverIn(workspace, {
    ...RUN,
    k,
    reader,
    recluster: true,
    hypernymsOf: (name) => hypernymsOf(wordNet(), name),
    votedNames: () => imagenetNames(wordNet()),
  });
  const members = Map.groupBy(await labelled(workspace, classOf), ({ name }) => name);
  const judge = (names: readonly string[]) => {
    const [right, wrong]: string[][] = [[], []];
    for (const [i, name] of names.entries()) {
      if (isUnnamed(name)) continue;
      const own = (members.get(clusters[i]?.name ?? '') ?? []).map(({ className }) => className);
      const fitting = own.filter((className) => isRightWord(name.replace(/ \d+$/, ''), set, className)).length;
      (fitting > own.length / 2 ? right : wrong)?.push(`${name} (${fitting} of ${own.length})`);
    }
    return { right, wrong };
  };
  const candidates = clusters.map((one) => one.candidates);
  const byScore = SCORES.map((score) => {
    const { right = [], wrong = [] } = judge(chooseNames(candidates, new Set(), score));
    return { score, named: right.length + wrong.length, right: right.length, wrong };
  });
  return { clusters: clusters.length, ...judge(clusters.map(({ name }) => name)), byScore };
}

/** The class of each image and the name of its cluster. */
async function labelled(workspace: Workspace, classOf: ReadonlyMap<string, string>) {
  const rows: { readonly className: string; readonly name: string }[] = [];
  for await (const { id, file } of workspace.store.dataset({ unlabelled: true })) {
    const [label] = (await workspace.store.labelsOf([id], 'class')).get(id) ?? [];
    const className = classOf.get(file.split('/').at(-1) ?? '');
    if (label && className !== undefined) rows.push({ className, name: label.className });
  }
  return rows;
}
