/**
 * `audit`: how often a machine is right, from a random sample that people check.
 *
 * Asked is every label that a machine gave (or, by name, that was imported) and that stands, one by one: "is this a
 * dog?". What people labelled already is not asked: their word is not the machine's, and a model may have learned from
 * it. The sample is stratified by
 * confidence, since mistakes gather where confidence is low, with each stratum's share of the sample that of its items.
 * It is recorded before anybody sees it and is never trained on (`Store.auditedItems`).
 */
import { createHash } from 'node:crypto';
import type { DatasetImage, LabelValue } from '../../core/dataset.ts';
import type { ImageId, ItemId } from '../../core/ids.ts';
import { isMachine, NONE_OF_THESE, ORIGINS, type Origin, type Task } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import { type Proportion, type StratumSample, stratifiedInterval } from '../../math/metrics/interval.ts';
import type { AuditAnswer, AuditItem, AuditRecord, NewLabel, Store } from '../../store/store.ts';

export interface AuditOptions {
  readonly task: string;
  /** Whose labels; null for every machine's. */
  readonly origin: Origin | null;
  /** Labels to ask about. 200 give an interval of about ±4 points at 90 % right, 800 of ±2. */
  readonly size: number;
  readonly seed: number;
  readonly atMs: number;
  /** Classes of confidence (default 5). More gain little and need more answers each. */
  readonly strata?: number;
}

export interface AuditDesign {
  readonly origin: Origin | null;
  /** Labels that could have been drawn. */
  readonly population: number;
  readonly strata: readonly StratumDesign[];
  /** Labels of each class in each stratum. */
  readonly classes: Readonly<Record<string, readonly number[]>>;
}

export interface StratumDesign {
  /** Confidence from `low`, to below `high` but for the last stratum, which takes 1 in. */
  readonly low: number;
  readonly high: number;
  readonly population: number;
  readonly drawn: number;
}

/** Confidences are told apart to a thousandth where strata are cut. */
const BINS = 1000;
const DEFAULT_STRATA = 5;

interface Claim {
  readonly itemId: ItemId;
  readonly imageId: ImageId;
  readonly className: string;
  readonly origin: Origin;
  readonly confidence: number;
}

/** Whose labels can be audited. Imports only when they are named: they are no machine's. */
export const AUDITED_ORIGINS = ORIGINS.filter((origin) => origin !== 'human');

/**
 * Draws a sample and records it; a run that was killed before it wrote the sheet recorded that already, and it is found
 * again while nobody answered. Two passes over the labels; resident: the sample.
 */
export async function drawAudit(
  store: Pick<Store, 'tasks' | 'dataset' | 'audits' | 'auditItems' | 'startAudit'>,
  options: AuditOptions,
): Promise<AuditRecord> {
  const { task: name, origin, size, seed, atMs, strata: wanted = DEFAULT_STRATA } = options;
  const task = await taskNamed(store, name);
  if (origin === 'human') {
    throw new LabelsmithError('USAGE', 'An audit checks labels by people’s answers, not what people said.', {
      hint: `Origins to audit: ${AUDITED_ORIGINS.join(', ')}.`,
    });
  }
  const bins = new Uint32Array(BINS);
  for await (const claim of claims(store, task, origin)) bins[binOf(claim.confidence)]++;
  const population = bins.reduce((sum, count) => sum + count, 0);
  if (population === 0) {
    throw new LabelsmithError('NOT_FOUND', `No label of ${origin ?? 'a machine'} stands in the task "${name}".`, {
      hint: 'labelsmith corpus list shows which tasks have labels, and whose.',
    });
  }
  const cuts = cutsOf(bins, population, Math.min(wanted, size));
  const counts = cuts.map(({ from, to }) => bins.subarray(from, to).reduce((sum, count) => sum + count, 0));
  const shares = allocate(counts, Math.min(size, population));
  const samples = shares.map((share) => new LowestRanks<Claim>(share));
  const classes = new Map<string, number[]>();
  for await (const claim of claims(store, task, origin)) {
    const bin = binOf(claim.confidence);
    const stratum = cuts.findIndex(({ to }) => bin < to);
    samples[stratum]?.offer(rankOf(seed, name, claim), claim);
    const ofClass = classes.get(claim.className) ?? cuts.map(() => 0);
    ofClass[stratum]++;
    classes.set(claim.className, ofClass);
  }
  const items = samples.flatMap((sample, stratum) => sample.list().map((claim) => ({ ...claim, stratum })));
  const design: AuditDesign = {
    origin,
    population,
    strata: cuts.map(({ from, to }, i) => ({
      low: from / BINS,
      high: to / BINS,
      population: counts[i],
      drawn: shares[i],
    })),
    classes: Object.fromEntries([...classes].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const record = { task: name, atMs, seed, design: JSON.stringify(design) };
  const [last] = await store.audits(name);
  if (last && last.answered === 0 && last.seed === seed && last.design === record.design) {
    const drawn = (await store.auditItems(last.id)).map(keyOf).sort();
    if (drawn.join() === items.map(keyOf).sort().join()) return last;
  }
  const id = await store.startAudit({ ...record, items });
  return { ...record, id, items: items.length, answered: 0 };
}

function keyOf({ itemId, className }: Pick<Claim, 'itemId' | 'className'>): string {
  return `${itemId} ${className}`;
}

async function* claims(store: Pick<Store, 'dataset'>, task: Task, origin: Origin | null): AsyncGenerator<Claim> {
  const asked = (label: LabelValue) => (origin === null ? isMachine(label.origin) : label.origin === origin);
  for await (const image of store.dataset({ task: task.name })) {
    for (const { id, labels } of itemsOf(image, task)) {
      for (const label of labels) {
        if (!asked(label)) continue;
        const { className, origin, confidence } = label;
        yield { itemId: id, imageId: image.id, className, origin, confidence: confidence ?? 1 };
      }
    }
  }
}

function itemsOf(image: DatasetImage, task: Task): readonly { id: ItemId; labels: readonly LabelValue[] }[] {
  return task.items === 'regions' ? image.regions : [image];
}

function binOf(confidence: number): number {
  return Math.min(BINS - 1, Math.floor(confidence * BINS));
}

/** Cuts the bins where each stratum has about the same number of items; none is empty. */
function cutsOf(bins: Uint32Array, population: number, wanted: number): { from: number; to: number }[] {
  const cuts: { from: number; to: number }[] = [];
  let [from, inside, before] = [0, 0, 0];
  for (let bin = 0; bin < bins.length; bin++) {
    inside += bins[bin];
    before += bins[bin];
    if (inside > 0 && before < population && before >= (population * (cuts.length + 1)) / wanted) {
      cuts.push({ from, to: bin + 1 });
      [from, inside] = [bin + 1, 0];
    }
  }
  cuts.push({ from, to: bins.length });
  return cuts;
}

/** Shares in proportion, by largest remainder, at least one each where there are enough. */
function allocate(counts: readonly number[], size: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (size * count) / total);
  const shares = exact.map((share, i) => Math.min(counts[i], Math.max(1, Math.floor(share))));
  const order = exact
    .map((share, i) => ({ i, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let left = size - shares.reduce((sum, share) => sum + share, 0);
  while (left > 0) {
    for (const { i } of order) {
      if (left === 0 || shares[i] >= counts[i]) continue;
      shares[i]++;
      left--;
    }
  }
  return shares;
}

/** A number from 0 to 2⁴⁸ that has nothing to do with what it is of, the same for one seed. */
function rankOf(seed: number, task: string, { itemId, className }: Claim): number {
  const digest = createHash('sha256').update(`audit\n${seed}\n${task}\n${itemId}\n${className}`).digest();
  return digest.readUIntBE(0, 6);
}

/**
 * Keeps those of lowest rank. As ranks are random, that is a simple random sample without replacement, whatever the
 * order of the stream. An offer costs O(places) at worst and O(1) mostly.
 */
class LowestRanks<T> {
  readonly #places: number;
  #kept: { readonly rank: number; readonly item: T }[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  offer(rank: number, item: T): void {
    if (this.#kept.length === this.#places && rank >= (this.#kept.at(-1)?.rank ?? -1)) return;
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.rank ?? 0) <= rank) low = middle + 1;
      else high = middle;
    }
    this.#kept.splice(low, 0, { rank, item });
    if (this.#kept.length > this.#places) this.#kept.pop();
  }

  list(): T[] {
    return this.#kept.map(({ item }) => item);
  }
}

async function taskNamed(store: Pick<Store, 'tasks'>, name: string): Promise<Task> {
  const tasks = await store.tasks();
  const task = tasks.find((one) => one.name === name);
  if (task) return task;
  throw new LabelsmithError('NOT_FOUND', `There is no task "${name}".`, {
    hint: `Tasks of this workspace: ${tasks
      .map((one) => one.name)
      .sort()
      .join(', ')}.`,
  });
}

/** Writes answers into the record and makes them human labels. Doing it again changes nothing. */
export async function answerAudit(store: Store, audit: AuditRecord, answers: readonly AuditAnswer[]): Promise<void> {
  const task = await taskNamed(store, audit.task);
  await store.putAuditAnswers(audit.id, answers);
  const labels: NewLabel[] = [];
  for (const { itemId, className, right, trueClass } of answers) {
    const say = (name: string, present: boolean) =>
      labels.push({ itemId, task: task.name, className: name, present, origin: 'human', confidence: 1, runId: null });
    if (!right) say(className, false);
    const is = right ? className : trueClass;
    // "None of these" would silence the other labels of an item that may have several.
    if (is !== null && (is !== NONE_OF_THESE || task.rule === 'single')) say(is, true);
  }
  const standing = await stillThere(store, await store.auditItems(audit.id));
  await store.putLabels(labels.filter(({ itemId }) => standing.has(itemId)));
}

/** Regions may have gone since they were drawn; images stay. */
async function stillThere(store: Store, items: readonly AuditItem[]): Promise<Set<ItemId>> {
  const regions = await store.regionsOf([...new Set(items.map(({ imageId }) => imageId))]);
  const there = new Set<ItemId>(items.map(({ imageId }) => imageId));
  for (const list of regions.values()) for (const { id } of list) there.add(id);
  return there;
}

export interface AuditResult {
  readonly audit: number;
  readonly task: string;
  readonly origin: Origin | null;
  /** Labels that could have been drawn, drawn, and answered. */
  readonly population: number;
  readonly drawn: number;
  readonly checked: number;
  readonly right: number;
  /** Null before anything was answered. */
  readonly accuracy: Proportion | null;
  readonly classes: readonly ClassAccuracy[];
  readonly strata: readonly (StratumSample & { readonly low: number; readonly high: number })[];
}

export interface ClassAccuracy {
  readonly className: string;
  readonly population: number;
  readonly checked: number;
  readonly right: number;
  readonly accuracy: Proportion | null;
}

/** What the answers so far say of all labels of the audit's day. Unanswered items count as if they had not been drawn. */
export function estimateAudit(audit: AuditRecord, items: readonly AuditItem[]): AuditResult {
  const design = JSON.parse(audit.design) as AuditDesign;
  const answered = items.filter(({ answer }) => answer !== null);
  const right = answered.filter(({ answer }) => answer?.right);
  const sampleOf = (populations: readonly number[], own: readonly AuditItem[]): StratumSample[] =>
    populations.map((population, stratum) => {
      const here = own.filter((item) => item.stratum === stratum);
      return { population, checked: here.length, right: here.filter(({ answer }) => answer?.right).length };
    });
  const strata = sampleOf(
    design.strata.map(({ population }) => population),
    answered,
  );
  const classes = Object.entries(design.classes).map(([className, populations]): ClassAccuracy => {
    const own = answered.filter((item) => item.className === className);
    return {
      className,
      population: populations.reduce((sum, count) => sum + count, 0),
      checked: own.length,
      right: own.filter(({ answer }) => answer?.right).length,
      accuracy: stratifiedInterval(sampleOf(populations, own)),
    };
  });
  return {
    audit: audit.id,
    task: audit.task,
    origin: design.origin,
    population: design.population,
    drawn: items.length,
    checked: answered.length,
    right: right.length,
    accuracy: stratifiedInterval(strata),
    classes: classes.sort((a, b) => b.population - a.population || (a.className < b.className ? -1 : 1)),
    strata: strata.map((sample, i) => ({
      low: design.strata[i]?.low ?? 0,
      high: design.strata[i]?.high ?? 1,
      ...sample,
    })),
  };
}
