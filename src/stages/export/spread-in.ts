/** Prepares an export that the engine of a workspace writes shard by shard. */

import type { RunId } from '../../core/ids.ts';
import type { Task } from '../../core/labels.ts';
import type { ShardFormat } from '../../formats/shard-index.ts';
import type { SplitPart } from '../../formats/splits.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { StageJob, Workspace } from '../../jobs/stage.ts';
import { type Cuts, cutsOf } from './cuts-stage.ts';
import { type ExportSettings, namesOf } from './export-stage.ts';
import type { ExportNote } from './note-export.ts';
import { Selection, type SelectionOf } from './selection.ts';
import type { ShardContext } from './shards.ts';
import { exportSpread, type SpreadExport, shardsEndingAt, shardsWithSplits } from './spread.ts';
import { Writing } from './write.ts';

export interface SpreadEffects {
  readonly workspace: Workspace;
  readonly run: RunOptions;
  /** The run that shards are noted under. */
  readonly runId: RunId;
}

interface Planned {
  readonly of: SelectionOf;
  readonly task: Task | null;
  readonly shards: { readonly format: ShardFormat; readonly size: number };
}

interface SpreadOptions {
  readonly split?: readonly SplitPart[];
  readonly minConfidence?: number;
  readonly spreadFrom?: number;
  /** From 1. */
  readonly attempt: number;
}

interface Prepared {
  /** Undefined where a split is drawn: then one process goes over everything. */
  readonly cuts: Cuts | undefined;
  run(
    context: Omit<ShardContext, 'note' | 'shardSize'> & { readonly beginNote: () => Promise<ExportNote> },
  ): Promise<SpreadExport>;
}

export async function spreadIn(
  { workspace, run, runId }: SpreadEffects,
  address: string,
  { of, task, shards: { format, size: shardSize } }: Planned,
  { split, minConfidence, spreadFrom, attempt }: SpreadOptions,
): Promise<Prepared> {
  const { background, detectors, origins } = of;
  const names = namesOf(of.view, of.owners);
  const selected = { format, task: task?.name ?? null, origins, minConfidence, background, detectors, names };
  const job = { ...run, workspace, runId, limit: undefined };
  const images = await workspace.store.countImages();
  const cuts = split === undefined ? await cutsOf(job, selected, of, { shardSize, images, spreadFrom }) : undefined;
  return {
    cuts,
    async run({ beginNote, ...context }) {
      const { splits } = context;
      const out = address.replace(/\/+$/, '');
      const settings: ExportSettings = { ...selected, out, shardSize, splits: splits?.names ?? null, attempt };
      const exportJob: StageJob<ExportSettings> = { ...job, settings };
      const written = () => new Writing(format, new Selection(of).images(), { ...context, note: undefined }).images;
      const shards = () =>
        cuts === undefined ? shardsWithSplits(written(), splits?.names ?? [], shardSize) : shardsEndingAt(cuts.ends);
      const isEmpty = cuts === undefined ? context.classNames.length === 0 : cuts.images === 0;
      const selection = () => new Selection(of);
      const here = { ...context, shardSize, onProgress: undefined };
      return exportSpread({ job: exportJob, names, selection, shards, isEmpty, beginNote }, here);
    },
  };
}
