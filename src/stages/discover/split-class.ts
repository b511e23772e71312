/**
 * Takes a class apart by what its items look like: they are clustered by themselves, and each part becomes a class of its
 * own. What people or imports said of an item stays as they said it.
 *
 * The parts are people's from then on: later cuts keep them apart. The corpus changes in one operation, which
 * `corpus undo` takes back.
 */
import type { CorpusEvent } from '../../core/corpus.ts';
import type { ItemId } from '../../core/ids.ts';
import { isMachine, type Task } from '../../core/labels.ts';
import { change, type SplitItem } from '../../corpus/corpus.ts';
import { CorpusIndex } from '../../corpus/state.ts';
import { LabelsmithError } from '../../errors.ts';
import type { RunOptions } from '../../jobs/stage.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { InferencePool } from '../../onnx/pool.ts';
import type { Store } from '../../store/store.ts';
import { ClassRows, type CorpusNow, corpusNow } from './class-rows.ts';
import {
  type ActRecord,
  type ClusterModel,
  clusterOfEach,
  evidenceNodes,
  savedModel,
  saveModel,
} from './cluster-model.ts';
import { recordUntilNow } from './given-items.ts';
import { type Parts, partsOf } from './parts.ts';
import { rowOfEach } from './people-acts.ts';

export interface SplitIntoRequest {
  readonly className: string;
  /** Parts to make, at least 2. */
  readonly into: number;
  /** Default: the task in which machines give most items the class. */
  readonly task?: string;
}

export interface SplitIntoResult {
  /** Null where nothing changed. */
  readonly event: CorpusEvent | null;
  /** The largest first. */
  readonly parts: readonly { readonly name: string; readonly items: number }[];
  /** Items that keep the class, since people or imports said so. */
  readonly kept: number;
  /** Items with no vector, which keep the class. */
  readonly withoutVector: number;
}

export function splitClassIn(
  workspace: Workspace,
  request: SplitIntoRequest,
  options: RunOptions,
): Promise<SplitIntoResult> {
  return workspace.engine.withInference(options, (pool) => splitClass(workspace, request, options, pool));
}

async function splitClass(
  workspace: Workspace,
  { className, into, task: asked }: SplitIntoRequest,
  { seed, signal }: RunOptions,
  pool: InferencePool,
): Promise<SplitIntoResult> {
  const { store } = workspace;
  const index = new CorpusIndex(await store.corpus());
  const { name } = index.require(className);
  const { task, ids, kept } = await itemsOf(store, name, asked);
  const parts = await partsOf(workspace, ids, { items: task.items, into, pool, seed, signal });
  if (parts.exemplars.length < into) {
    throw new LabelsmithError('NOT_FOUND', `"${name}" cannot become ${into} classes.`, {
      hint: `Of ${ids.length} ${task.items} that machines call so ${parts.partOf.size} are embedded. Give a smaller --into, or run labelsmith embed.`,
    });
  }
  const names = freeNames(index, name, into);
  const items = ids.flatMap((itemId): SplitItem[] => {
    const part = parts.partOf.get(itemId);
    return part === undefined ? [] : [{ itemId, to: names[part] }];
  });
  const event = await store.atomically(async (within) => {
    const saved = await savedModel(within, task.name);
    const model = saved?.items === task.items ? saved : undefined;
    // What was done before was done to clusters that are no more after this.
    const earlier = await corpusNow(within);
    const before = await recordUntilNow(within, { task: task.name, model }, earlier);
    const changed = await change(within, { kind: 'split-into', name, task: task.name, items });
    if (changed && model) {
      const now = await corpusNow(within);
      const split = withParts(model, before, now, { act: changed.id, names, parts });
      const whole = earlier.index.require(name).id;
      const ofSplit = { split: { act: changed.id, whole } };
      const acts = await recordUntilNow(within, { task: task.name, model: split }, now, ofSplit);
      await saveModel(within, { ...split, acts });
    }
    return changed;
  });
  // Nothing may be left in the whole, which is no class then.
  if (event) await store.dropUnusedClasses([name]);
  const sizes = Map.groupBy(items, ({ to }) => to);
  return {
    event,
    parts: names.map((part) => ({ name: part, items: sizes.get(part)?.length ?? 0 })),
    kept,
    withoutVector: ids.length - items.length,
  };
}

interface ClassItems {
  readonly task: Task;
  /** That a machine calls so, in order. */
  readonly ids: readonly ItemId[];
  /** That people or imports call so. */
  readonly kept: number;
}

async function itemsOf(store: Store, name: string, asked: string | undefined): Promise<ClassItems> {
  const tasks = new Map((await store.tasks()).map((task) => [task.name, { task, ids: [] as ItemId[], kept: 0 }]));
  if (asked !== undefined && !tasks.has(asked)) {
    throw new LabelsmithError('NOT_FOUND', `There is no task "${asked}".`, {
      hint: `Tasks: ${[...tasks.keys()].join(', ')}.`,
    });
  }
  for await (const image of store.dataset({ task: asked })) {
    for (const [kind, item] of [
      ['images', image] as const,
      ...image.regions.map((region) => ['regions', region] as const),
    ]) {
      for (const { task, className, origin } of item.labels) {
        const own = tasks.get(task);
        if (className !== name || own?.task.items !== kind) continue;
        if (isMachine(origin)) own.ids.push(item.id);
        else own.kept++;
      }
    }
  }
  const [most] = [...tasks.values()].sort((a, b) => b.ids.length - a.ids.length);
  if (most && most.ids.length > 0) return { ...most, ids: most.ids.sort() };
  throw new LabelsmithError(
    'NOT_FOUND',
    `No item is called "${name}" by a machine${asked ? ` in the task ${asked}` : ''}.`,
    {
      hint: 'What people said is not taken apart by a machine: labelsmith corpus split NAME --by FILE.csv says it item by item.',
    },
  );
}

/** `NAME 1`, `NAME 2`, … without those that are taken, or nearly. */
function freeNames(index: CorpusIndex, name: string, count: number): string[] {
  const names: string[] = [];
  for (let number = 1; names.length < count; number++) {
    const one = `${name} ${number}`;
    if (index.find(one) === undefined) names.push(one);
  }
  return names;
}

interface Split {
  /** Its operation. */
  readonly act: number;
  /** Of the parts. */
  readonly names: readonly string[];
  readonly parts: Parts;
}

/** The clusters of the task with the parts in the place of what they are parts of. @param record as it was before, which it keeps */
function withParts(model: ClusterModel, record: ActRecord, now: CorpusNow, { act, names, parts }: Split): ClusterModel {
  const rows = new ClassRows(record.rows);
  const wholes = rowOfEach(model, now, rows);
  const [own, nodes] = [clusterOfEach(model), evidenceNodes(model)];
  const before = model.clusters.length;
  const partOf = model.sample.map((key) => parts.partOf.get(key));
  const numbers = partOf.map((part, i) => (part === undefined ? own[i] : before + part));
  const all = [
    ...model.clusters.map((cluster, c) => ({ cluster, node: nodes[c] })),
    ...names.map((name, p) => ({
      cluster: { name, held: true, candidates: [], exemplars: parts.exemplars[p] },
      node: -1,
    })),
  ];
  const sizes = all.map(() => 0);
  for (const cluster of numbers) if (cluster >= 0) sizes[cluster]++;
  const order = all.map((_, c) => c).filter((c) => sizes[c] > 0);
  order.sort((a, b) => sizes[b] - sizes[a] || a - b);
  const numberOf = new Map(order.map((c, number) => [c, number]));
  const renumbered = (cluster: number | undefined) => numberOf.get(cluster ?? -1) ?? -1;
  const partRow = (item: number, part: number) => {
    const entry = now.index.owner(names[part]);
    const from = wholes[item];
    if (entry === undefined) return from;
    return rows.place({ classId: entry.id, splitBy: act, ...(from < 0 ? {} : { from }) });
  };
  const rowOf = partOf.map((part, item) => (part === undefined ? wholes[item] : partRow(item, part)));
  return {
    ...model,
    k: order.length,
    cut: {
      clusters: Int32Array.from(numbers, renumbered),
      nodes: Int32Array.from(order, (c) => all[c].node),
      known: Int32Array.from(partOf, (part, i) => renumbered(part === undefined ? model.cut?.known[i] : before + part)),
      rows: Int32Array.from(rowOf),
    },
    clusters: order.map((c) => all[c].cluster),
    acts: { ...record, rows: rows.rows },
  };
}
