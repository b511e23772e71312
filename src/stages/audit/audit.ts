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
import { plural } from '../../core/count-text.ts';
import type { DatasetImage, LabelValue } from '../../core/dataset.ts';
import type { ImageId, ItemId } from '../../core/ids.ts';
import { isMachine, ORIGINS, type Origin, type Task } from '../../core/labels.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { AuditRecord, Store } from '../../store/store.ts';
import type { AuditDesign } from './design.ts';
import { allocate, BINS, binOf, cutsOf, LowestRanks } from './strata.ts';

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
  const { task, seed, atMs } = options;
  const { items, design: drawn } = await sampleAudit(store, options);
  const record = { task, atMs, seed, design: JSON.stringify(drawn) };
  const [last] = await store.audits(task);
  if (last && last.answered === 0 && last.seed === seed && last.design === record.design) {
    const before = (await store.auditItems(last.id)).map(keyOf).sort();
    if (before.join() === items.map(keyOf).sort().join()) return last;
  }
  const id = await store.startAudit({ ...record, items });
  return { ...record, id, items: items.length, answered: 0 };
}

export interface AuditSample {
  readonly items: readonly (Claim & { readonly stratum: number })[];
  readonly design: AuditDesign;
}

/** What an audit would ask; writes nothing. */
export async function sampleAudit(
  store: Pick<Store, 'tasks' | 'dataset'>,
  options: Omit<AuditOptions, 'atMs'>,
): Promise<AuditSample> {
  const { task: name, origin, size, seed, strata: wanted = DEFAULT_STRATA } = options;
  const task = await requireTask(store, name);
  if (origin === 'human') {
    throw new LabelsmithError('USAGE', 'An audit checks labels by people’s answers, not what people said.', {
      hint: `Origins to audit: ${AUDITED_ORIGINS.join(', ')}.`,
    });
  }
  const bins = new Uint32Array(BINS);
  for await (const claim of claims(store, task, origin)) bins[binOf(claim.confidence)]++;
  const population = bins.reduce((sum, count) => sum + count, 0);
  if (population === 0) throw await nothingToAudit(store, task, origin);
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
  return { items, design };
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

/** An import is audited only when it is named: where it is all there is, the error says so. */
async function nothingToAudit(store: Pick<Store, 'dataset'>, task: Task, origin: Origin | null) {
  let imported = 0;
  if (origin === null) for await (const _ of claims(store, task, 'imported')) imported++;
  const { name } = task;
  return new LabelsmithError('NOT_FOUND', `No label of ${origin ?? 'a machine'} stands in the task "${name}".`, {
    hint:
      imported > 0
        ? `What there is was imported (${plural(imported, 'label')}): labelsmith audit ${name} --origin imported.`
        : 'labelsmith corpus list shows which tasks have labels, and whose.',
  });
}

/** A number from 0 to 2⁴⁸ that has nothing to do with what it is of, the same for one seed. */
function rankOf(seed: number, task: string, { itemId, className }: Claim): number {
  const digest = createHash('sha256').update(`audit\n${seed}\n${task}\n${itemId}\n${className}`).digest();
  return digest.readUIntBE(0, 6);
}
