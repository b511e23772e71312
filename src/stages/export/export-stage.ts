/**
 * The stage `export`: shards of an export to a place that everybody finds, each written by whoever takes it.
 *
 * A shard is the images between two ids. Whoever does it reads them, writes the file that one machine writes of them, and takes
 * it to its place; who runs the export is told what is in it, notes that, and puts the index. A shard that is there with its
 * bytes is not written again, so that doing it twice does no harm. Names of classes and sources are those of the process that
 * runs the export: where another one finds other names, the export is begun again.
 *
 * Resident: what the format's writer holds, and what a shard shows of its images, some 200 bytes each. On disk: one shard.
 */
import { z } from 'zod';
import type { DatasetImage } from '../../core/dataset.ts';
import { type ImageId, sha256Hex } from '../../core/ids.ts';
import { ORIGINS, type Task } from '../../core/labels.ts';
import { LABELSMITH_VERSION } from '../../core/version.ts';
import { TaskOwners } from '../../corpus/task-owner.ts';
import { requireTask } from '../../corpus/tasks.ts';
import { LabelsmithError } from '../../errors.ts';
import type { TallyCounts } from '../../formats/format.ts';
import { SHARD_FORMATS, type ShardEntry } from '../../formats/shard-index.ts';
import { NO_SPLIT, type SplitPlan } from '../../formats/splits.ts';
import { formatNamed } from '../../formats/table.ts';
import { originalBytes, readImage } from '../../jobs/image-reader.ts';
import type { StageDefinition, StageJob } from '../../jobs/stage.ts';
import { openSink } from '../../sources/targets.ts';
import type { DatasetView } from '../../store/store.ts';
import { errorOf, type PlainError, plainError } from '../../threads/plain-error.ts';
import { BACKGROUNDS } from './background.ts';
import { openOwnFolder } from './own-folder.ts';
import { Selection, type SelectionOf } from './selection.ts';
import { type ShardPlace, sinkPlace } from './shard-place.ts';
import { shardsOf, writeShard } from './shards.ts';
import { shownText } from './shown.ts';
import { type NotedContext, Writing } from './write.ts';

/** What goes in, the same for all processes of an export. */
export const SELECTION_SETTINGS = z.strictObject({
  format: z.enum(SHARD_FORMATS),
  /** Null: every task. */
  task: z.string().nullable(),
  /** Default: everybody's labels. */
  origins: z.array(z.enum(ORIGINS)).readonly().optional(),
  minConfidence: z.number().optional(),
  background: z.enum(BACKGROUNDS),
  detectors: z.array(z.string()).readonly(),
  /** Of all names of classes and sources, and of whose labels count, as the process has them that runs the export. */
  names: z.string(),
});
export type SelectionSettings = z.infer<typeof SELECTION_SETTINGS>;

export const EXPORT_SETTINGS = SELECTION_SETTINGS.extend({
  /** An address, with no `/` at its end. */
  out: z.string(),
  shardSize: z.int().positive(),
  /** Names of the splits; null without. */
  splits: z.array(z.string()).readonly().nullable(),
  /** How often it was begun, this time too. */
  attempt: z.int(),
});
export type ExportSettings = z.infer<typeof EXPORT_SETTINGS>;

export const RANGE = z.strictObject({ after: z.string().nullable(), upTo: z.string().nullable() });

export const EXPORT_SHARD = RANGE.extend({
  number: z.int().nonnegative(),
  /** Of a split that is drawn: where each image goes, by number of the split, and a digest of their ids. */
  drawn: z.strictObject({ splits: z.array(z.int()).readonly(), ids: z.string() }).optional(),
});
export type ExportShard = z.infer<typeof EXPORT_SHARD>;

interface Written {
  readonly kind: 'written';
  /** Null where none of its images goes in. */
  readonly entry: ShardEntry | null;
  readonly put: 'written' | 'there';
  readonly tally: TallyCounts;
  readonly seen: number;
  readonly notLookedAt: number;
  /** What is shown of the images, in order of id. */
  readonly shown: readonly (readonly [ImageId, string])[];
}

/** `ended`: no other process would get further. */
type ShardResult = Written | { readonly kind: 'ended'; readonly error: PlainError };

export interface ExportStageContext {
  readonly settings: ExportSettings;
  /** As this process has them. */
  readonly names: string;
  readonly place: ShardPlace;
  readonly selection: () => Selection;
  readonly context: NotedContext;
  /** In the process that runs the export: the same ones however often they are asked for. */
  readonly shards?: () => AsyncIterable<ExportShard>;
  readonly onWritten?: (written: Written) => Promise<void>;
  close?(): Promise<void>;
}

export const exportStage: StageDefinition<ExportSettings, ExportStageContext, ExportShard, ShardResult> = {
  name: 'export',
  settings: EXPORT_SETTINGS,
  shard: EXPORT_SHARD,
  open,
  close: async ({ close }) => close?.(),

  async *plan({ shards }) {
    if (shards !== undefined) yield* shards();
  },

  async process(opened, shard, eachItem) {
    const result = await shardOrEnd(opened, shard);
    const images = result.kind === 'written' ? result.tally.images : 0;
    // Tells how far it is, in images: they are written as a stream.
    await eachItem(Array.from({ length: images }), async () => {});
    return result;
  },

  async commit({ onWritten }, _shard, result) {
    if (result.kind === 'ended') throw errorOf(result.error);
    await onWritten?.(result);
    const { images, regions, labels } = result.tally;
    return { images, regions, labels };
  },
};

/** Of what exports read: who has it alike reads the same names. */
export function namesOf({ namesDigest }: Pick<DatasetView, 'namesDigest'>, owners: TaskOwners): string {
  return sha256Hex(`${namesDigest}\n${owners.key()}`).slice(0, 32);
}

/** What an export goes over, from its settings. */
export async function openSelection(
  { store }: StageJob<unknown>['workspace'],
  { format, task: named, origins, minConfidence, background, detectors }: SelectionSettings,
): Promise<{ readonly of: SelectionOf; readonly task: Task | null; readonly names: string }> {
  const task = named === null ? null : await requireTask(store, named);
  const view = await store.datasetView();
  const owners = new TaskOwners(origins === undefined ? await store.classes() : []);
  const unlabelled = background !== 'none' || formatNamed(format).keeps.rejections;
  const query = { task: task?.name, origins, minConfidence, unlabelled };
  const of = { store, view, query, owners, background, detectors, task: task?.name, origins };
  return { of, task, names: namesOf(view, owners) };
}

async function open({ workspace, settings }: StageJob<ExportSettings>): Promise<ExportStageContext> {
  const { store, dir: workspaceDir } = workspace;
  const { of, task, names } = await openSelection(workspace, settings);
  const { folder: work, remove } = await openOwnFolder(workspaceDir, settings.out);
  const sink = await openSink(settings.out, { cwd: '/' });
  const read = originalBytes(workspace);
  return {
    settings,
    names,
    place: await sinkPlace(sink, { work, begun: null, replace: false }),
    selection: () => new Selection(of),
    context: {
      task,
      classNames: (await store.classes()).map(({ name }) => name),
      readImage: (id) => readImage(store, id, read),
      sourcePathOf: async () => null,
      splits: null,
      unlabelled: settings.background !== 'none',
      margin: 0,
      version: LABELSMITH_VERSION,
      replace: false,
      protectedPaths: [],
    },
    async close() {
      await sink.close();
      await remove();
    },
  };
}

async function shardOrEnd(opened: ExportStageContext, shard: ExportShard): Promise<ShardResult> {
  try {
    return await doShard(opened, shard);
  } catch (error) {
    const ends = error instanceof LabelsmithError && (error.code === 'REFUSED' || error.code === 'BUSY');
    if (!ends) throw error;
    return { kind: 'ended', error: plainError(error) };
  }
}

async function doShard(
  { settings, names, place, selection: select, context }: ExportStageContext,
  { number, drawn, ...range }: ExportShard,
): Promise<Written> {
  if (names !== settings.names) throw changed('names of classes or sources, or whose labels count,');
  const { format: name } = settings;
  const selection = select();
  const shown: [ImageId, string][] = [];
  const { keeps } = formatNamed(name);
  const note = {
    async add(image: DatasetImage) {
      const text = shownText(image, keeps, context.task);
      if (text !== null) shown.push([image.id, text]);
    },
    finish: async () => '',
  };
  const splits = splitsOf(settings.splits, drawn);
  const writing = new Writing(name, selection.images(range), { ...context, splits, note });
  let made: Pick<Written, 'entry' | 'put'> = { entry: null, put: 'there' };
  const ids: string[] = [];
  const counted = (async function* () {
    for await (const image of writing.images) {
      ids.push(image.id);
      yield image;
    }
  })();
  for await (const shard of shardsOf(counted, Number.POSITIVE_INFINITY)) {
    made = await writeShard(name, number, shard, writing, place);
  }
  if (drawn !== undefined && idsDigest(ids) !== drawn.ids) throw changed('images');
  const { seen, notLookedAt } = selection;
  return { kind: 'written', ...made, tally: writing.job.tally, seen, notLookedAt, shown };
}

/** Splits of images that come in the order in which they were drawn, or with their own. */
function splitsOf(names: readonly string[] | null, drawn: ExportShard['drawn']): SplitPlan | null {
  if (names === null) return null;
  if (drawn === undefined) return { names, splitOf: ({ split }) => split ?? NO_SPLIT };
  let next = 0;
  return {
    names,
    splitOf() {
      const split = drawn.splits[next++];
      if (split === undefined) throw changed('images');
      return names[split];
    },
  };
}

export function idsDigest(ids: readonly string[]): string {
  return sha256Hex(ids.join('\n')).slice(0, 32);
}

function changed(what: string): LabelsmithError {
  return new LabelsmithError('BUSY', `${what} changed while this was exported`, {
    hint: 'Run it again when nobody changes them.',
    details: { changed: what },
  });
}
