/**
 * The benchmark's labelled sets as `teach` sees them: vectors of every image, its class and its group, and splits into
 * labelled, unlabelled and test. A set is embedded once for all seeds; where `LABELSMITH_BENCH_CACHE` names a folder, its
 * workspace stays there and the next run embeds nothing.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { seededRandom, shuffled } from '../src/core/random.ts';
import { openWorkspace } from '../src/jobs/workspace.ts';
import { gatherRows, type Matrix, newSharedMatrix, normalisedRows } from '../src/math/matrix.ts';
import type { Recipe } from '../src/models/compose-model.ts';
import { openEmbedder } from '../src/models/embedder.ts';
import { addTo } from '../src/stages/add/add.ts';
import { openSources } from '../src/stages/add/open-sources.ts';
import { embedIn } from '../src/stages/embed/embed.ts';
import { centreAndNormalise } from '../src/stages/embed/recipe.ts';
import { embedAugmentations } from '../src/stages/teach/augmentations.ts';
import type { Augmentations, Problem } from '../src/stages/teach/problem.ts';
import { arrowVectorStore } from '../src/vectors/folder-vectors.ts';
import { dataSet } from './photos.ts';
import { inScratch, rounded } from './process.ts';

/** Another one by its name in the catalogue. */
export const EMBEDDER = process.env.LABELSMITH_TEACH_EMBEDDER || 'mobilenetv3-small';
const THREADS = 2;

/** Beside it, in one vector. */
const JOINED = `${EMBEDDER}+centernet-backbone`;

/** Vectors of images whose class and group are known. */
export interface LabelledVectors extends Vectors {
  readonly truth: Int32Array;
  readonly groups: readonly string[];
  readonly classes: number;
}

export interface LabelledSet extends LabelledVectors {
  readonly name: string;
  /** One view, 576 numbers, rows scaled to length 1. */
  readonly single: Matrix;
  /** Of two embedders side by side, where they were asked for. */
  readonly joined: Vectors | null;
  /** Where each image is, and its identity. */
  readonly files: readonly { readonly id: string; readonly path: string }[];
}

/** As an embedder gave them, and what the parts count. */
export interface Vectors {
  /** Shape [n, columns]. */
  readonly vectors: Matrix;
  readonly blocks: readonly { readonly columns: number; readonly weight: number }[];
}

/** Embeds a set with the recipe that is the default and with one view. */
export function loadLabelled(name: string, wanted: { readonly joined?: boolean } = {}): Promise<LabelledSet> {
  const cache = process.env.LABELSMITH_BENCH_CACHE;
  return cache ? loadInto(name, resolve(cache, name), wanted) : inScratch((dir) => loadInto(name, dir, wanted));
}

async function loadInto(name: string, dir: string, wanted: { readonly joined?: boolean }): Promise<LabelledSet> {
  const folder = dataSet(name);
  await mkdir(dir, { recursive: true });
  const workspace = await openWorkspace(join(dir, '.labelsmith'), { create: true });
  try {
    const { store } = workspace;
    const sources = await openSources(workspace, [folder]);
    await addTo(workspace, sources, { seed: 0, threads: THREADS, sync: false });
    const vectors = arrowVectorStore(workspace.dir);
    const embedded = async (model: string, recipe?: Partial<Recipe>) => {
      const embedder = await openEmbedder(model, { recipe, threads: THREADS });
      try {
        const { space } = await embedIn(workspace, embedder, { seed: 0, threads: THREADS });
        const { ids, vectors: matrix } = await vectors.readAll(await store.vectorShards(space, 'images'));
        return { ids, vectors: matrix, blocks: embedder.blocks };
      } finally {
        await embedder.close();
      }
    };
    const single = await embedded(EMBEDDER, { views: undefined });
    const joined = wanted.joined ? await embedded(JOINED) : null;
    const all = await embedded(EMBEDDER);
    const known = new Map<string, { className: string; group: string; path: string }>();
    for await (const image of store.dataset({ unlabelled: true })) {
      known.set(image.id, {
        className: image.file.split('/').at(-2) as string,
        group: image.groupId,
        path: join(folder, image.file),
      });
    }
    const names = [...new Set([...known.values()].map(({ className }) => className))].sort();
    const rows = all.ids.map((id) => known.get(id) as { className: string; group: string; path: string });
    return {
      name,
      vectors: all.vectors,
      blocks: all.blocks,
      single: normalisedRows(single.vectors),
      joined,
      truth: Int32Array.from(rows, ({ className }) => names.indexOf(className)),
      groups: rows.map(({ group }) => group),
      classes: names.length,
      files: all.ids.map((id, i) => ({ id, path: rows[i]?.path })),
    };
  } finally {
    await workspace.close();
  }
}

export function joinedOf({ name, joined }: LabelledSet): Vectors {
  if (!joined) throw new RangeError(`${name} was loaded without two embedders side by side`);
  return joined;
}

/** Rows of a set, ascending. */
export interface Split {
  readonly labelled: readonly number[];
  readonly unlabelled: readonly number[];
  readonly test: readonly number[];
}

/** How much of every class is labelled: a share of its images, or as many of them where there are so many. */
export type Labelling = number | { readonly each: number };

/** `0.1` is a tenth of the images, `10each` ten of every class. */
export function labellingOf(text: string): Labelling {
  const [, each] = /^(\d+)each$/.exec(text) ?? [];
  if (each !== undefined) return { each: Number(each) };
  const share = Number(text);
  if (!(share > 0 && share < 1))
    throw new RangeError(`not a share of the labels (0.1), nor a number of every class (10each): ${text}`);
  return share;
}

/** The test is 20 % of the images, whole groups at a time; of the others so much is labelled, the same of every class. */
export function split({ truth, groups, classes }: LabelledVectors, seed: number, labelling: Labelling): Split {
  const random = seededRandom(seed, 'teach-bench');
  const inTest = new Set<string>();
  let tested = 0;
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  for (const group of shuffled([...sizes.keys()], random)) {
    if (tested >= truth.length / 5) break;
    inTest.add(group);
    tested += sizes.get(group) as number;
  }
  const all = Array.from(truth, (_, i) => i);
  const test = all.filter((i) => inTest.has(groups[i]));
  const rest = shuffled(
    all.filter((i) => !inTest.has(groups[i])),
    random,
  );
  const labelled: number[] = [];
  for (let c = 0; c < classes; c++) {
    const size = truth.filter((label) => label === c).length;
    const wanted = typeof labelling === 'number' ? Math.round(labelling * size) : labelling.each;
    labelled.push(...rest.filter((i) => truth[i] === c).slice(0, Math.max(1, wanted)));
  }
  return withLabelled({ rest, test }, labelled);
}

/** The same test and the same rest, with other items labelled. */
export function withLabelled(
  { rest, test }: { readonly rest: readonly number[]; readonly test: readonly number[] },
  labelled: readonly number[],
): Split {
  const chosen = new Set(labelled);
  return {
    labelled: [...labelled].sort((a, b) => a - b),
    unlabelled: rest.filter((i) => !chosen.has(i)).sort((a, b) => a - b),
    test,
  };
}

/** The mean of the rows that may be learned from, shape [columns]. */
function meanVector({ vectors: { data, columns } }: Vectors, pool: readonly number[]): Float32Array {
  const mean = new Float32Array(columns);
  for (const row of pool) for (let j = 0; j < columns; j++) mean[j] = mean[j] + data[row * columns + j] / pool.length;
  return mean;
}

/** Finished vectors of every row; statistics are of the rows that may be learned from. */
export function finished(set: Vectors, pool: readonly number[]): Matrix {
  const { data, rows, columns } = set.vectors;
  const copy = newSharedMatrix(rows, columns);
  copy.data.set(data);
  centreAndNormalise(copy, set, meanVector(set, pool));
  return copy;
}

/** Augmented views of every image as the embedder gives them, those of one image side by side: shape [n · count, columns]. */
export async function embedAllViews(
  set: LabelledSet,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Matrix> {
  const embedder = await openEmbedder(EMBEDDER, { threads: THREADS });
  try {
    const { columns } = set.vectors;
    const views = newSharedMatrix(set.files.length * count, columns);
    for (const [row, { id, path }] of set.files.entries()) {
      const vectors = await embedAugmentations(id, await readFile(path), { count, seed, embedder });
      for (const [i, vector] of vectors.entries()) views.data.set(vector, (row * count + i) * columns);
    }
    return views;
  } finally {
    await embedder.close();
  }
}

/** Finished views of some rows of a problem. @param rows of the set, by row of the problem; statistics are of these. */
export function augmentationsOf(
  set: LabelledSet,
  all: Matrix,
  rows: readonly number[],
  wanted: Iterable<number>,
): Augmentations {
  const count = all.rows / set.files.length;
  const of = Int32Array.from([...wanted].flatMap((row) => Array<number>(count).fill(row)));
  const views = Int32Array.from(of, (row, i) => rows[row] * count + (i % count));
  const features = gatherRows(all, views);
  centreAndNormalise(features, set, meanVector(set, rows));
  return { features, of };
}

export function problemOf(
  set: LabelledVectors,
  features: Matrix,
  labelled: readonly number[],
  unlabelled: readonly number[],
): Problem {
  const rows = [...labelled, ...unlabelled].sort((a, b) => a - b);
  const place = new Map(rows.map((row, i) => [row, i]));
  return {
    features: gatherRows(features, rows),
    groups: rows.map((row) => set.groups[row]),
    labelled: Int32Array.from(labelled, (row) => place.get(row) as number),
    labels: Int32Array.from(labelled, (row) => set.truth[row]),
    classes: set.classes,
  };
}

/** The mean of every figure, over those that have it. */
export function meanOf(records: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = records.map((record) => record[name]).filter((value) => value !== undefined);
      return [name, rounded(values.reduce((sum, value) => sum + value, 0) / values.length, 4)];
    }),
  );
}
