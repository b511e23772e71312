/**
 * What an agent may do with a workspace, as a table: a name, what it is for, what it takes, and one function each. Knows nothing
 * of the protocol that carries it.
 *
 * The permissions are the review app's: look, name, merge, label, choose what to ask next, export into a new place, undo. Every
 * write is an operation of the store with the agent as its actor, and is undone as one; nothing deletes. Labels given here count
 * as a person's, since somebody set the agent to it.
 */
import { z } from 'zod';
import { type ItemId, isImageId, isRegionId } from '../../core/ids.ts';
import { change } from '../../corpus/corpus.ts';
import { nameHere } from '../../corpus/same-names.ts';
import { LabelsmithError } from '../../errors.ts';
import { formatNamed } from '../../formats/table.ts';
import { contactSheet } from '../../images/contact-sheet.ts';
import { originalBytes } from '../../jobs/image-reader.ts';
import { itemPictures } from '../../jobs/item-pictures.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { undoOperation } from '../../stages/audit/answer-one.ts';
import type { ClusterModel } from '../../stages/discover/cluster-model.ts';
import { clustersToName } from '../../stages/discover/clusters-to-name.ts';
import { nearClusters } from '../../stages/discover/near-clusters.ts';
import { exportIn } from '../../stages/export/export-in.ts';
import { searchFor } from '../../stages/search/search.ts';
import { selectIn } from '../../stages/teach/select-stage.ts';

export interface AgentContext {
  readonly workspace: Workspace;
  readonly seed: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

export interface AgentAnswer {
  /** Written as JSON. */
  readonly value: unknown;
  /** A JPEG to look at beside it. */
  readonly picture?: Uint8Array;
}

export interface AgentTool {
  readonly name: string;
  readonly description: string;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
  /** Strict: an agent that misspells a task would else change another. */
  readonly input: z.ZodObject;
  /** Checks what came, and does it. */
  call(context: AgentContext, given: unknown): Promise<AgentAnswer>;
}

function tool<S extends z.ZodObject>(
  spec: Pick<AgentTool, 'name' | 'description' | 'readOnly'> & { readonly input: S },
  run: (context: AgentContext, asked: z.output<S>) => Promise<AgentAnswer>,
): AgentTool {
  return {
    ...spec,
    call(context, given) {
      const asked = spec.input.safeParse(given);
      if (asked.success) return run(context, asked.data);
      const [issue] = asked.error.issues;
      const takes = Object.keys(spec.input.shape).join(', ');
      const message = `${spec.name} takes something else: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''} (it takes ${takes})`;
      return Promise.reject(new LabelsmithError('USAGE', message.trim()));
    },
  };
}

const task = z.string().min(1).max(200).default('class').describe('The task; clusters fill "class" by default.');
const className = z.string().min(1).max(200);
const count = (most: number, usual: number) => z.int().min(1).max(most).default(usual);
const CLUSTERS_TOLD = 200;

export const AGENT_TOOLS: readonly AgentTool[] = [
  tool(
    {
      name: 'list_clusters',
      description:
        'The clusters of a task, the largest first: name, number of items, the chance that it is one thing, candidates for names with their evidence, and clusters near it that may be the same thing.',
      readOnly: true,
      input: z.strictObject({ task }),
    },
    async ({ workspace }, asked) => {
      const near = (model: ClusterModel) => nearClusters(workspace, model);
      const clusters = (await clustersToName(workspace.store, asked.task, near)).slice(0, CLUSTERS_TOLD);
      return {
        value: {
          clusters: clusters.map(({ exemplars: _, near, ...cluster }) => ({
            ...cluster,
            near: near.map(({ name }) => name),
          })),
        },
      };
    },
  ),
  tool(
    {
      name: 'contact_sheet',
      description:
        'Pictures of a class as one image, row by row: the most typical first where it is a cluster. Gives their ids in order.',
      readOnly: true,
      input: z.strictObject({ className, task, count: count(36, 16) }),
    },
    async ({ workspace }, asked) => {
      const ids = await picturesOf(workspace, asked);
      const { shown, picture } = await sheetOf(workspace, ids);
      return { value: { className: asked.className, itemIds: shown }, picture };
    },
  ),
  tool(
    {
      name: 'name_class',
      description: 'Gives a class or cluster another name; the old one becomes a synonym. Undone by undo.',
      readOnly: false,
      input: z.strictObject({ from: className, to: className }),
    },
    async ({ workspace }, { from, to }) => ({
      value: { event: await change(workspace.store, { kind: 'rename', from, to }) },
    }),
  ),
  tool(
    {
      name: 'merge_classes',
      description: 'Makes one class of several, under the name "into". Undone by undo.',
      readOnly: false,
      input: z.strictObject({ names: z.array(className).min(2).max(100), into: className }),
    },
    async ({ workspace }, { names, into }) => ({
      value: { event: await change(workspace.store, { kind: 'merge', names, into }) },
    }),
  ),
  tool(
    {
      name: 'search',
      description:
        'Images that words describe best, with a contact sheet. Needs embeddings by a model that knows words.',
      readOnly: true,
      input: z.strictObject({ words: z.string().min(1).max(500), count: count(36, 9) }),
    },
    async ({ workspace, threads }, { words, count: n }) => {
      const value = await searchFor(workspace, words, { n, threads });
      const { picture } = await sheetOf(
        workspace,
        value.found.map(({ id }) => id),
      );
      return { value, picture };
    },
  ),
  tool(
    {
      name: 'ask_next',
      description:
        'Which items are most worth labelling next in a task, with why and the present guess, and a contact sheet.',
      readOnly: true,
      input: z.strictObject({ task, count: count(36, 9) }),
    },
    async ({ workspace, seed, threads, signal }, asked) => {
      const { questions } = await selectIn(workspace, { ...asked, seed, threads, signal, audit: 0 });
      const { picture } = await sheetOf(
        workspace,
        questions.map(({ itemId }) => itemId),
      );
      return { value: { questions }, picture };
    },
  ),
  tool(
    {
      name: 'label',
      description:
        'Says of items that they are of a class (or, with present false, that they are not). A task that is not there is made. Undone by undo, as one.',
      readOnly: false,
      input: z.strictObject({
        task,
        className,
        itemIds: z.array(z.string().min(1).max(200)).min(1).max(1000),
        present: z.boolean().default(true),
      }),
    },
    async ({ workspace: { store } }, { itemIds, ...given }) => {
      const asked = { ...given, className: await nameHere(store, given.className) };
      const images = await store.pathsOfImages(itemIds.filter(isImageId));
      const unknown = itemIds.find((id) => isImageId(id) && !images.has(id));
      if (unknown !== undefined) throw new LabelsmithError('NOT_FOUND', `there is no image ${unknown} here`);
      const said = { ...asked, origin: 'human', confidence: 1, runId: null } as const;
      const items = itemIds.some(isRegionId) ? 'regions' : 'images';
      // What is refused leaves neither an operation nor a task behind.
      const operation = await store.atomically(async (inner) => {
        const isNew = !(await inner.tasks()).some(({ name }) => name === asked.task);
        if (isNew) await inner.ensureTask({ name: asked.task, rule: 'single', items });
        const begun = await inner.beginOperation({
          name: 'label',
          arguments: { class: asked.className, items: itemIds.length },
        });
        await inner.putLabels(
          itemIds.map((itemId) => ({ ...said, itemId })),
          { operation: begun },
        );
        return begun;
      });
      return { value: { operation, labelled: itemIds.length } };
    },
  ),
  tool(
    {
      name: 'undo',
      description: 'Takes back the newest change, of this agent or of anybody, or the operation of that number.',
      readOnly: false,
      input: z.strictObject({ operation: z.int().min(1).optional() }),
    },
    async ({ workspace }, { operation }) => ({ value: { undone: await undoOperation(workspace.store, operation) } }),
  ),
  tool(
    {
      name: 'history',
      description: 'What people and agents did, the newest first, with the actor of each.',
      readOnly: true,
      input: z.strictObject({ count: count(100, 20) }),
    },
    async ({ workspace }, { count: limit }) => ({ value: { operations: await workspace.store.operations({ limit }) } }),
  ),
  tool(
    {
      name: 'export',
      description:
        'Writes the labels in a format to a new place on this machine; what is there already is never replaced.',
      readOnly: false,
      input: z.strictObject({
        format: z.string().min(1).max(40).describe('coco, yolo, csv, folders, …'),
        out: z.string().min(1).max(1000),
        task: z.string().optional(),
      }),
    },
    async ({ workspace, seed, signal }, { format, out, task: named }) => {
      const options = { task: named, seed, margin: 0, replace: false, signal };
      return { value: await exportIn(workspace, formatNamed(format).name, out, options) };
    },
  ),
];

/** Exemplars of a cluster of that name, else items whose label it is, the surest first. */
async function picturesOf(
  { store }: Workspace,
  asked: { readonly className: string; readonly task: string; readonly count: number },
): Promise<readonly ItemId[]> {
  const cluster = (await clustersToName(store, asked.task)).find(({ name }) => name === asked.className);
  if (cluster && cluster.exemplars.length >= asked.count) return cluster.exemplars.slice(0, asked.count);
  const filter = { task: asked.task, className: asked.className };
  const { items } = await store.page({ filter, order: 'confidence', limit: asked.count });
  const ids = [...new Set([...(cluster?.exemplars ?? []), ...items.map(({ itemId }) => itemId)])];
  if (ids.length > 0) return ids.slice(0, asked.count);
  throw new LabelsmithError('NOT_FOUND', `nothing is of the class "${asked.className}" in the task "${asked.task}"`, {
    hint: 'list_clusters has the names of clusters.',
  });
}

/** What cannot be read is left out. */
async function sheetOf(
  workspace: Workspace,
  ids: readonly ItemId[],
): Promise<{ readonly shown: readonly ItemId[]; readonly picture?: Uint8Array }> {
  const readBytes = originalBytes(workspace);
  const pictures = await (await itemPictures({ store: workspace.store, readBytes }, ids)).of(ids);
  const shown = pictures.map(({ id }) => id);
  if (pictures.length === 0) return { shown };
  return { shown, picture: await contactSheet(pictures.map(({ bytes }) => bytes)) };
}
