/** What a workspace says of the images of a truth, as `evaluate` takes it. Reads the store in pages and keeps nothing. */
import { chunks } from '../../core/chunks.ts';
import { foldClassName, readClassName } from '../../core/class-name.ts';
import type { ImageId, ItemId } from '../../core/ids.ts';
import { currentLabels, isMachine, type Label, type Origin, originRank, type Task } from '../../core/labels.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { CandidateSource, ImagePrediction, Predictions } from './evaluation.ts';
import type { Truth } from './ground-truth.ts';
import { type LabelledBoxStore, labelledBoxes } from './labelled-boxes.ts';

export interface PredictionOptions {
  readonly task: string;
  /** Only what this origin says, whoever outranks it. Default: the labels that hold, without clusters where they do not count. */
  readonly origin?: Origin;
  /** Whose candidates mAP is computed on. Default: the model of the last detection run. */
  readonly modelKey?: string;
  /** The best guess of a model for some images, below its threshold too; for images that no label holds for. */
  readonly guesses?: (ids: readonly ImageId[]) => Promise<ReadonlyMap<ItemId, ImagePrediction['guess']>>;
}

/** What of the store is read. */
export type PredictionStore = LabelledBoxStore & Pick<Store, 'tasks' | 'candidateModels' | 'candidates' | 'runs'>;

const PAGE = 512;

export async function predictionsOf(
  store: PredictionStore,
  truth: Truth,
  options: PredictionOptions,
): Promise<Predictions> {
  const task = await requireTask(store, options.task);
  const owners = new TaskOwners(options.origin === undefined ? await store.classes() : []);
  const { origin, modelKey } = options;
  const ids = [...truth.images.keys()];
  const detectorCounts = origin === undefined || origin === 'detector';
  const candidates = detectorCounts ? await candidatesOf(store, task, modelKey) : null;
  return {
    labels: labelPages(store, ids, task, options, owners),
    candidates: candidates ?? (origin === 'detector' ? null : await labelledBoxes(store, ids, task, origin)),
  };
}

/** The task to compare where none is named: the one on whole images if it has labels, else the detected objects. */
export async function defaultTask(store: Pick<Store, 'classes'>, truth: Pick<Truth, 'boxes'> | null): Promise<string> {
  if (truth && truth.boxes > 0) return 'objects';
  const classes = await store.classes();
  return classes.some(({ counts }) => counts.some((of) => of.task === 'class' && of.count > 0)) ? 'class' : 'objects';
}

/**
 * Gives the corpus's name for a class or a synonym of one, and for what differs from the name of one class only by
 * letters' case and blanks.
 */
export async function canonicalNames(store: Pick<Store, 'classes'>): Promise<(className: string) => string> {
  const nameOf = new Map<string, string>();
  const likeOf = new Map<string, string | null>();
  const classes = await store.classes();
  for (const { name, synonyms } of classes) for (const synonym of synonyms) nameOf.set(synonym, name);
  for (const { name } of classes) {
    nameOf.set(name, name);
    const folded = foldClassName(name);
    likeOf.set(folded, likeOf.has(folded) ? null : name);
  }
  return (className) => {
    const reading = readClassName(className);
    const name = reading.kind === 'name' ? reading.name : className;
    return nameOf.get(name) ?? likeOf.get(foldClassName(name)) ?? name;
  };
}

async function* labelPages(
  store: PredictionStore,
  ids: readonly ImageId[],
  task: Task,
  { origin, guesses }: PredictionOptions,
  owners: TaskOwners,
): AsyncGenerator<ImagePrediction[]> {
  for (const page of chunks(ids, PAGE)) {
    const labels = await store.labelsOf(page, task.name);
    const guessed = await guesses?.(page);
    yield page.map((imageId) => {
      const prediction = predictionFrom(imageId, labels.get(imageId) ?? [], task, { origin, owners });
      const guess = guessed?.get(imageId);
      return guess && (origin === undefined || origin === guess.origin) ? { ...prediction, guess } : prediction;
    });
  }
}

function predictionFrom(
  imageId: ImageId,
  all: readonly Label[],
  task: Task,
  { origin, owners }: { readonly origin?: Origin; readonly owners: TaskOwners },
): ImagePrediction {
  const owned = all.filter((label) => (origin === undefined ? !owners.disowns(label) : label.origin === origin));
  const machine = owned
    .filter((label) => label.present && isMachine(label.origin))
    .sort((a, b) => originRank(a.origin) - originRank(b.origin) || b.confidence - a.confidence);
  return {
    imageId,
    labels: currentLabels(owned, task.rule),
    guess: machine[0] ?? null,
    cluster: all.find((label) => label.present && label.origin === 'cluster')?.className ?? null,
  };
}

async function candidatesOf(store: PredictionStore, task: Task, modelKey?: string): Promise<CandidateSource | null> {
  const models = await store.candidateModels();
  const last = (await store.runs({ stage: 'detect', limit: 1 }))[0]?.modelKey;
  const chosen = models.find((model) => model.modelKey === (modelKey ?? last)) ?? (modelKey ? undefined : models[0]);
  if (modelKey && !chosen) {
    throw new LabelsmithError('NOT_FOUND', `The model "${modelKey}" left no detections here.`, {
      hint: `Models that did: ${models.map((model) => model.modelKey).join(', ') || 'none; run labelsmith detect'}.`,
    });
  }
  if (!chosen) return null;
  return {
    classNames: chosen.classNames,
    pages: store.candidates(chosen.modelKey),
    asGuess: task.items === 'regions',
  };
}
