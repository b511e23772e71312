/**
 * What exports showed of each image, so that a file that comes back can be compared with the export it is a copy of. A part
 * of the store's contract (`store.ts`).
 *
 * Exports of one series (one format's way to show one selection of labels) are kept as what is new in each: an export that
 * shows the same again takes one row. What an export showed can be asked for once it is finished; the last
 * `EXPORTS_KEPT` of a series are.
 */
import type { ImageId } from '../core/ids.ts';

/** Finished exports of a series that can still be asked for. */
export const EXPORTS_KEPT = 20;

export interface ExportRecord {
  /** Grows with every export. */
  readonly id: number;
  readonly series: string;
  readonly format: string;
  /** The task's name when it was made; null: all tasks. */
  readonly task: string | null;
  readonly atMs: number;
  /** Of all that it showed. */
  readonly digest: string;
}

/** Images of an export between two ids: after the first (all images where it is null) up to the last. */
export interface ExportPart {
  readonly exportId: number;
  readonly after: ImageId | null;
  /** Null: to the end. */
  readonly upTo: ImageId | null;
}

export interface ExportStore {
  /** @returns the number of the export */
  beginExport(begun: Omit<ExportRecord, 'id' | 'digest'>): Promise<number>;
  /** What it shows of the images of a part, those that are not named here being not in it. */
  putExportStates(part: ExportPart, states: ReadonlyMap<ImageId, string>): Promise<void>;
  /**
   * From now on it is among `finishedExports`, but where another one of its series began meanwhile: that one takes its place, and
   * what it showed is not kept.
   */
  finishExport(exportId: number, digest: string): Promise<void>;
  /** Of a format, the newest first. */
  finishedExports(format: string): Promise<ExportRecord[]>;
  /** What a finished export showed of these images; those that were not in it are left out. */
  exportStates(exportId: number, ids: readonly ImageId[]): Promise<Map<ImageId, string>>;
}
