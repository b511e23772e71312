/**
 * What is worth a person's look next, each with why and what the model would say. Lists of at most {@link MAX_QUEUE}, from at
 * most {@link MAX_LOOKED_AT} items, so that none takes long on a large record. For tasks on images, but for what
 * an audit drew.
 */
import type { ImageId, ItemId } from '../core/ids.ts';
import { currentLabels, isMachine, type Origin } from '../core/labels.ts';
import { LabelsmithError } from '../errors.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { openPredictions, type Predictions } from '../stages/predictions.ts';
import { labelErrorsIn } from '../stages/teach/label-errors.ts';
import { type ItemFilter, MAX_PACKED_ITEMS } from '../store/item-store.ts';
import type { Store } from '../store/store.ts';
import { savedQueue } from './queue.ts';

/**
 * `next`: what `teach select` chose. `audit`: held out to measure on, and not answered yet. `errors`: what people or imports
 * said and the model doubts. `duplicates`: nearly the same pictures with different classes. `pairs`: two classes are nearly
 * as likely. `claims`: labels of machines that the last audit drew to be checked, and nobody has yet. `below`: no label, since the best guess is below the threshold; the surest first.
 */
export const QUEUES = ['next', 'audit', 'claims', 'errors', 'duplicates', 'pairs', 'below'] as const;
export type QueueName = (typeof QUEUES)[number];

export interface Queued {
  readonly itemId: ItemId;
  /** The image that it is in, where it is none. */
  readonly imageId?: ImageId;
  readonly why: string;
  readonly guess: string | null;
  /** What is answered is an answer of this audit: whether it is of this class. */
  readonly claim?: { readonly auditId: number; readonly className: string };
}

export const MAX_QUEUE = 500;
export const MAX_LOOKED_AT = MAX_PACKED_ITEMS;
const PAGE = 512;
/** What is like no class at all is not between two of them. */
const MIN_OF_PAIR = 0.1;

type Here = Pick<Workspace, 'store' | 'vectors'>;

export async function queueOf(workspace: Workspace, task: string, name: QueueName): Promise<Queued[]> {
  const { store } = workspace;
  const known = (await store.tasks()).find((one) => one.name === task);
  if (!known) return [];
  if (known.items !== 'images' && name !== 'claims') {
    throw new LabelsmithError('UNSUPPORTED', `The task "${task}" is on regions, and this queue is of images.`, {
      hint: 'Look at them by the screenful on the page Confirm.',
    });
  }
  const found = await listOf(workspace, task, name);
  return found.slice(0, MAX_QUEUE);
}

async function listOf(workspace: Workspace, task: string, name: QueueName): Promise<Queued[]> {
  const { store } = workspace;
  switch (name) {
    case 'next': {
      const chosen = await savedQueue(store, task);
      const open = await unsaid(
        workspace,
        task,
        chosen.map(({ itemId }) => itemId),
      );
      return chosen
        .filter(({ itemId }) => open.has(itemId))
        .map(({ itemId, why, guess }) => ({ itemId, why: WHY[why], guess }));
    }
    case 'audit': {
      const held = [...(await store.heldOutItems(task))].sort().slice(0, MAX_LOOKED_AT);
      return [...(await unsaid(workspace, task, held))].map((itemId) => ({ itemId, why: WHY.audit, guess: null }));
    }
    case 'claims':
      return claims(store, task);
    case 'errors': {
      const said = await idsOf(workspace, { task, origins: ['human', 'imported'] });
      return (await labelErrorsIn(workspace, task, said))
        .filter(({ flagged }) => flagged)
        .map(({ itemId, className, suggested, selfConfidence }) => {
          const why = `called ${className}, which the model thinks ${Math.round(100 * selfConfidence)} % likely`;
          return { itemId, why, guess: suggested };
        });
    }
    case 'duplicates':
      return duplicates(workspace, task);
    case 'pairs':
      return pairs(workspace, task, await guessesOf(workspace, task));
    case 'below':
      return below(workspace, task, await guessesOf(workspace, task));
    default:
      throw new Error(`unknown queue ${name satisfies never}`);
  }
}

const WHY = {
  typical: 'like many that nothing is known of',
  unsure: 'the model is not sure of it',
  audit: 'drawn to measure on: what the model says is not shown',
} as const;

async function guessesOf(workspace: Here, task: string): Promise<Predictions> {
  const predictions = await openPredictions(workspace, task);
  if (predictions) return predictions;
  throw new LabelsmithError('NOT_FOUND', 'No model has looked at the images yet.', { hint: 'Teach first.' });
}

async function idsOf({ store }: Here, filter: ItemFilter): Promise<ItemId[]> {
  const { ids } = await store.packed({ filter, limit: MAX_LOOKED_AT });
  return Buffer.from(ids).toString('hex').match(/.{64}/g) ?? [];
}

/** Those of which no person and no import has said what they are. */
async function unsaid({ store }: Here, task: string, ids: readonly ItemId[]): Promise<Set<ItemId>> {
  const open = new Set(ids);
  for (let at = 0; at < ids.length; at += PAGE) {
    for (const [id, labels] of await store.labelsOf(ids.slice(at, at + PAGE), task)) {
      if (labels.some(({ origin, present }) => present && !isMachine(origin))) open.delete(id);
    }
  }
  return open;
}

/** In order of id, which is no order of anything. An item that may have several classes is asked about each of them. */
async function claims(store: Pick<Store, 'audits' | 'auditItems' | 'regionsOf'>, task: string): Promise<Queued[]> {
  const [last] = await store.audits(task);
  const open = last ? (await store.auditItems(last.id)).filter(({ answer }) => answer === null) : [];
  const asked = open.slice(0, MAX_QUEUE);
  const regions = await store.regionsOf([...new Set(asked.map(({ imageId }) => imageId))]);
  const gone = (imageId: ImageId, itemId: ItemId) =>
    imageId !== itemId && !(regions.get(imageId) ?? []).some(({ id, deleted }) => id === itemId && !deleted);
  return asked
    .filter(({ imageId, itemId }) => !gone(imageId, itemId))
    .map(({ itemId, imageId, className, origin }) => ({
      ...(imageId === itemId ? { itemId } : { itemId, imageId }),
      why: `drawn to check whether it is ${className}, as ${CLAIMED_BY[origin]} says`,
      guess: className,
      claim: { auditId: last.id, className },
    }));
}

const CLAIMED_BY: Readonly<Record<Origin, string>> = {
  human: 'a person',
  imported: 'an import',
  model: 'the model',
  reference: 'what it looks like',
  detector: 'the detector',
  cluster: 'its cluster',
};

async function duplicates({ store }: Here, task: string): Promise<Queued[]> {
  const found: Queued[] = [];
  let looked = 0;
  for await (const pairs of store.similarPairs()) {
    const ids = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
    const labels = await store.labelsOf(ids, task);
    const classOf = (id: ItemId) => currentLabels(labels.get(id) ?? [], 'single')[0]?.className;
    for (const { a, b, kind } of pairs) {
      const [first, second] = [classOf(a), classOf(b)];
      if (kind === 'sequence' || !first || !second || first === second) continue;
      found.push({ itemId: a, why: `nearly the same as one that is called ${second}`, guess: second });
      found.push({ itemId: b, why: `nearly the same as one that is called ${first}`, guess: first });
    }
    looked += pairs.length;
    if (looked >= MAX_LOOKED_AT || found.length >= MAX_QUEUE) break;
  }
  return found;
}

async function pairs(workspace: Here, task: string, { classNames, probabilities }: Predictions): Promise<Queued[]> {
  const machines = await idsOf(workspace, { task, origins: ['model', 'reference', 'detector', 'cluster'] });
  const unlabelled = await idsOf(workspace, { task, state: 'unlabelled' });
  const found: (Queued & { readonly gap: number })[] = [];
  for (const [itemId, row] of await probabilities([...machines, ...unlabelled].slice(0, MAX_LOOKED_AT))) {
    const [first, second] = [...row.entries()].sort((a, b) => b[1] - a[1]);
    if (!first || !second || first[1] < MIN_OF_PAIR) continue;
    const [one, other] = [classNames[first[0]] ?? '', classNames[second[0]] ?? ''];
    const why = `${one} or ${other}: ${Math.round(100 * first[1])} or ${Math.round(100 * second[1])} % likely`;
    found.push({ itemId, why, guess: one, gap: first[1] - second[1] });
  }
  return found.sort((a, b) => a.gap - b.gap).map(({ gap: _, ...one }) => one);
}

async function below(workspace: Here, task: string, { best }: Predictions): Promise<Queued[]> {
  const predictions = await best(await idsOf(workspace, { task, state: 'unlabelled' }));
  return [...predictions]
    .sort((a, b) => b[1].confidence - a[1].confidence)
    .map(([itemId, { className, confidence }]) => {
      return { itemId, why: `perhaps ${className}, ${Math.round(100 * confidence)} % likely`, guess: className };
    });
}
