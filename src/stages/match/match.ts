/**
 * `match REFS`: labels by similarity to reference images.
 *
 * What looks like none of the references stays unlabelled: its best guess is kept apart (`guesses.ts`). With `limit` only so
 * many images are labelled, the first in the order of their vectors' files; all count as surroundings. Deterministic in
 * the embeddings, the references and the seed; running it again replaces the labels of origin `reference` in the task and
 * nothing else. Resident: the vectors and features of at most 20,000 items (4 bytes a number, 1152 and 1252 numbers), and
 * the probabilities of all items (4 bytes a class).
 */
import { type ImageId, type ItemId, sha256Hex } from '../../core/ids.ts';
import { progressMeter } from '../../jobs/progress.ts';
import { type RunOptions, type RunResult, recordRun } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { gatherRows, type Matrix, newSharedMatrix, rowsOf, stacked } from '../../math/matrix.ts';
import type { Source } from '../../sources/source.ts';
import type { NewLabel } from '../../store/store.ts';
import { chooseSample, readSample } from '../discover/sample.ts';
import { centreAndNormalise, requireMean, requireRecipe } from '../embed/recipe.ts';
import { openSavedEmbedder } from '../embed/saved-embedder.ts';
import { putPredictions } from '../predictions.ts';
import { surroundingsOf } from './graph-features.ts';
import { decide, fitPrototypes, type Matched, type Prototypes } from './prototypes.ts';
import { gatherReferences, type ReferenceProblem } from './references.ts';

export interface MatchOptions extends RunOptions {
  /** The task that gets the labels. Default `class`. */
  readonly task: string;
  /** Cosine from which on an image is taken for one of its class; undefined: each class's own, from its references. */
  readonly threshold?: number;
  /** Forgets references of earlier runs; else these join them. */
  readonly replace: boolean;
  /** Told of every image, with the class that is nearest, labelled or not. */
  readonly onMatched?: (id: ImageId, className: string, matched: Matched) => void;
}

export interface MatchedClass {
  readonly name: string;
  readonly references: number;
  /** Images labelled. */
  readonly images: number;
  readonly threshold: number;
  /** Share of its references that are recognised when left out; null with one reference. */
  readonly referenceAccuracy: number | null;
  /** The class it is most like, by its references. */
  readonly confusedWith: string | null;
}

export interface MatchResult extends RunResult {
  readonly counts: {
    /** Images that were looked at. */
    readonly images: number;
    readonly labelled: number;
    readonly unlabelled: number;
    readonly references: number;
    readonly classes: number;
    readonly badReferences: number;
  };
  /** Whether `limit` left images out: these keep the labels they had, and all images their guesses. */
  readonly pilot: boolean;
  readonly classes: readonly MatchedClass[];
  /** Files that were left out. */
  readonly problems: readonly ReferenceProblem[];
  /** What the references cannot say. */
  readonly warnings: readonly string[];
}

/** Items labelled in one transaction. */
const PAGE = 1000;

export async function matchIn(workspace: Workspace, source: Source, options: MatchOptions): Promise<MatchResult> {
  const { store, vectors, engine } = workspace;
  const { task, seed } = options;
  const recipe = await requireRecipe(store, 'images');
  await store.ensureTask({ name: task, rule: 'single', items: 'images' });
  const settings = {
    references: source.spec,
    task,
    threshold: options.threshold ?? null,
    space: recipe.space,
    limit: options.limit ?? null,
  };
  return recordRun(store, { stage: 'match', settings, modelKey: recipe.modelKey }, options, async (runId) => {
    const mean = await requireMean(store, recipe);
    const embedder = await openSavedEmbedder(workspace, recipe.model, options);
    const { references, problems, bare } = await gatherReferences(store, source, recipe, embedder, options).finally(
      () => embedder.close(),
    );
    centreAndNormalise(references.vectors, recipe, mean.values);
    const { classNames } = references;
    await store.ensureClasses(classNames);

    const shards = await store.vectorShards(recipe.space, 'images');
    const wanted = await chooseSample(vectors, shards, seed);
    const members = await readSample(vectors, shards, wanted, recipe, mean);
    return engine.withInference(options, async (pool) => {
      const together = stacked(members.vectors, references.vectors);
      const { features, featuresOf } = await surroundingsOf(pool, together, options);
      const refs = rowsOf(features, members.ids.length, together.rows);
      const prototypes = withThreshold(fitPrototypes(refs, references.classes, classNames.length), options.threshold);
      const placeOf = new Map(members.ids.map((id, i) => [id, i]));

      const all = shards.reduce((sum, { count }) => sum + count, 0);
      const total = Math.min(all, options.limit ?? all);
      const meter = progressMeter('match', total, () => performance.now());
      const sink = new LabelSink(workspace, { runId, task, classNames, prototypes, onMatched: options.onMatched });
      for await (const part of vectors.stream(shards)) {
        if (options.signal?.aborted || sink.images === total) break;
        centreAndNormalise(part.vectors, recipe, mean.values);
        const ids = part.ids.slice(0, total - sink.images);
        const others = ids.map((id, i) => (placeOf.has(id) ? -1 : i)).filter((i) => i >= 0);
        const placed = others.length > 0 ? await featuresOf(gatherRows(part.vectors, others)) : undefined;
        const otherAt = new Map(others.map((i, at) => [i, at]));
        for (const [i, id] of ids.entries()) {
          const at = placeOf.get(id);
          const row = at === undefined ? (otherAt.get(i) as number) : at;
          sink.add(id, cosinesOf((at === undefined ? placed : features) as Matrix, row, prototypes.vectors));
        }
        await sink.flush(PAGE);
        meter.add(ids.length);
        options.onProgress?.(meter.snapshot(0));
      }
      const interrupted = options.signal?.aborted ?? false;
      await sink.flush(1);
      const pilot = total < all;
      if (!interrupted && !pilot) {
        const said = references.ids.map((id, i) => `${id} ${classNames[references.classes[i]]}`);
        await sink.keepPredictions(sha256Hex([recipe.space, seed, ...said].join('\n')).slice(0, 16));
      }
      const { labelled, images, sizes } = sink;
      return {
        interrupted,
        pilot,
        problems,
        warnings: warningsOf(classNames, bare),
        classes: classNames.map((name, c) => describe(name, c, prototypes, classNames, sizes)),
        counts: {
          images,
          labelled,
          unlabelled: images - labelled,
          references: references.ids.length,
          classes: classNames.length,
          badReferences: problems.length,
        },
      };
    });
  });
}

interface SinkOptions {
  readonly runId: string;
  readonly task: string;
  readonly classNames: readonly string[];
  readonly prototypes: Prototypes;
  readonly onMatched: MatchOptions['onMatched'];
}

/** Takes items with their cosines and writes labels page by page; guesses at the end. */
class LabelSink {
  labelled = 0;
  images = 0;
  readonly sizes: Int32Array;
  readonly #workspace: Workspace;
  readonly #options: SinkOptions;
  #page: { id: ItemId; label: NewLabel | null }[] = [];
  readonly #guesses: { id: ItemId; probabilities: Float32Array }[] = [];

  constructor(workspace: Workspace, options: SinkOptions) {
    this.#workspace = workspace;
    this.#options = options;
    this.sizes = new Int32Array(options.classNames.length);
  }

  add(id: ItemId, cosines: Float32Array): void {
    const { prototypes, classNames, task, runId } = this.#options;
    const matched = decide(cosines, prototypes);
    this.images++;
    if (matched.accepted) {
      this.labelled++;
      this.sizes[matched.class] = this.sizes[matched.class] + 1;
    }
    const className = classNames[matched.class];
    this.#options.onMatched?.(id, className, matched);
    const { confidence } = matched;
    const said = { itemId: id, task, className, present: true, origin: 'reference', confidence, runId } as const;
    this.#page.push({ id, label: matched.accepted ? said : null });
    this.#guesses.push({ id, probabilities: matched.probabilities });
  }

  async flush(least: number): Promise<void> {
    if (this.#page.length < least) return;
    const { store } = this.#workspace;
    const page = this.#page.splice(0);
    await store.clearMachineLabels(
      this.#options.task,
      'reference',
      page.map(({ id }) => id),
    );
    await store.putLabels(page.flatMap(({ label }) => (label ? [label] : [])));
  }

  async keepPredictions(key: string): Promise<void> {
    const { task, classNames, runId } = this.#options;
    const guesses = this.#guesses.sort((a, b) => (a.id < b.id ? -1 : 1));
    const probabilities = newSharedMatrix(guesses.length, classNames.length);
    for (const [i, guess] of guesses.entries()) probabilities.data.set(guess.probabilities, i * classNames.length);
    const set = { task, items: 'images', origin: 'reference', classNames, runId, key } as const;
    await putPredictions(
      this.#workspace,
      set,
      guesses.map(({ id }) => id),
      probabilities,
    );
  }
}

function describe(
  name: string,
  c: number,
  { classes, thresholds }: Prototypes,
  names: readonly string[],
  sizes: Int32Array,
): MatchedClass {
  const fit = classes[c];
  return {
    name,
    references: fit.references,
    images: sizes[c],
    threshold: thresholds[c],
    referenceAccuracy: fit.accuracy,
    confusedWith: fit.nearestOther === null ? null : names[fit.nearestOther.class],
  };
}

function warningsOf(classNames: readonly string[], bare: readonly string[]): string[] {
  const warnings: string[] = [];
  if (bare.length > 0) {
    warnings.push(
      `no image can be of ${bare.map((name) => JSON.stringify(name)).join(', ')}: no reference that can be read`,
    );
  }
  if (classNames.length === 1) {
    warnings.push(
      `all references are of one class, ${JSON.stringify(classNames[0])}: a confidence says only how far an image is above the threshold; give references of other things too`,
    );
  }
  return warnings;
}

function withThreshold(prototypes: Prototypes, threshold: number | undefined): Prototypes {
  if (threshold === undefined) return prototypes;
  return { ...prototypes, thresholds: prototypes.thresholds.map(() => threshold) };
}

function cosinesOf(features: Matrix, row: number, prototypes: Matrix): Float32Array {
  const { columns } = features;
  const cosines = new Float32Array(prototypes.rows);
  for (let c = 0; c < prototypes.rows; c++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      sum += features.data[row * columns + j] * prototypes.data[c * columns + j];
    }
    cosines[c] = sum;
  }
  return cosines;
}
