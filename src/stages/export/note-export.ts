/**
 * Notes what an export shows while it is written, so that a corrected copy of it can be told from it later. The same content has
 * the same digest, which the export's marker names; what was noted counts from the moment when all of it is.
 *
 * Resident: the texts of one page of images.
 */
import { createHash } from 'node:crypto';
import type { DatasetImage } from '../../core/dataset.ts';
import type { ImageId } from '../../core/ids.ts';
import type { Origin, Task } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Format } from '../../formats/format.ts';
import type { ExportStore } from '../../store/store.ts';
import { shownOf, shownText } from './shown.ts';

/** Images whose states are written at a time. */
const PAGE = 500;

export interface NotedSelection {
  readonly task: Task | null;
  readonly origins?: readonly Origin[];
  readonly minConfidence?: number;
}

export class ExportNote {
  readonly #store: ExportStore;
  readonly #format: Format;
  readonly #task: Task | null;
  /** Null where the workspace may only be read. */
  readonly #id: number | null;
  readonly #hash = createHash('sha256');
  #page = new Map<ImageId, string>();
  #after: ImageId | null = null;

  private constructor(store: ExportStore, format: Format, task: Task | null, id: number | null) {
    this.#store = store;
    this.#format = format;
    this.#task = task;
    this.#id = id;
  }

  /** An export that its workspace cannot note is made all the same. */
  static async begin(
    store: ExportStore,
    format: Format,
    { task, origins, minConfidence }: NotedSelection,
  ): Promise<ExportNote> {
    const { name, keeps } = format;
    const { imageLabels, boxes, regionClasses } = keeps;
    const says = [imageLabels, boxes === 'none', regionClasses === 'best'];
    const series = JSON.stringify([name, says, task?.name ?? null, origins?.toSorted() ?? null, minConfidence ?? null]);
    const begun = { series, format: name, task: task?.name ?? null, atMs: Date.now() };
    const id = await store.beginExport(begun).catch((error: unknown) => {
      if (error instanceof LabelsmithError && error.code === 'WORKSPACE') return null;
      throw error;
    });
    return new ExportNote(store, format, task, id);
  }

  /** Images come in order of id. */
  async add(image: DatasetImage): Promise<void> {
    const text = shownText(image, this.#format.keeps, this.#task);
    if (text !== null) await this.addText(image.id, text);
  }

  /** The same where another process looked at the image. @param text see `shownText` */
  async addText(id: ImageId, text: string): Promise<void> {
    this.#hash.update(`${id} ${nameless(text)}\n`);
    this.#page.set(id, text);
    if (this.#page.size === PAGE) await this.#put(id);
  }

  /** @returns the digest of all that the export shows */
  async finish(): Promise<string> {
    await this.#put(null);
    const digest = this.#hash.digest('hex');
    if (this.#id !== null) await this.#store.finishExport(this.#id, digest);
    return digest;
  }

  async #put(upTo: ImageId | null): Promise<void> {
    const states = this.#page;
    const after = this.#after;
    this.#page = new Map();
    this.#after = upTo;
    if (this.#id !== null) await this.#store.putExportStates({ exportId: this.#id, after, upTo }, states);
  }
}

/** Without ids of regions, and in an order that does not follow from them: the same labels have the same digest. */
function nameless(text: string): string {
  const { labels, regions } = shownOf(text);
  return JSON.stringify([labels, regions.map(({ id: _, ...region }) => JSON.stringify(region)).sort()]);
}
