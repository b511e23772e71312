/**
 * The results of a device: a line an image, and the images that models are not sure of. A line is written when everything
 * that it tells of is there, so a device that loses its power goes on where it was; a line that was cut is cut off.
 */
import { copyFile, type FileHandle, link, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeFolder } from '../../../files/make-folder.ts';
import type { EdgeResult } from './edge-labels.ts';

export const RESULTS_FILE = 'results.jsonl';
export const UNSURE_FOLDER = 'unsure';

export interface ResultsOptions {
  /** Images that are kept because nobody is sure of them, at most. */
  readonly maxUnsure: number;
}

export interface ImageFile {
  /** Where it lies on this device. */
  readonly path: string;
  readonly version: string;
}

export class EdgeResults {
  readonly counts = { labelled: 0, unsure: 0, keptUnsure: 0, failed: 0, known: 0 };
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #maxUnsure: number;
  readonly #known = new Map<string, string>();
  #unflushed = 0;

  private constructor(folder: string, file: FileHandle, { maxUnsure }: ResultsOptions) {
    [this.#folder, this.#file, this.#maxUnsure] = [folder, file, maxUnsure];
  }

  /** @param packJson is put beside the results, so that they say by which pack they were made */
  static async open(folder: string, packJson: string, options: ResultsOptions): Promise<EdgeResults> {
    await makeFolder(join(folder, UNSURE_FOLDER));
    await writeFile(join(folder, 'pack.json'), packJson);
    const path = join(folder, RESULTS_FILE);
    await cutHalfLine(path);
    const file = await open(path, 'a+');
    const results = new EdgeResults(folder, file, options);
    for await (const line of createInterface({ input: file.createReadStream({ autoClose: false, start: 0 }) })) {
      results.#remember(line);
    }
    return results;
  }

  /** Images whose lines are here: about 200 bytes of memory each. */
  isKnown({ path, version }: ImageFile): boolean {
    return this.#known.get(path) === version;
  }

  async add(image: ImageFile, bytes: Uint8Array, result: EdgeResult): Promise<void> {
    if (result.unsure) {
      this.counts.unsure++;
      if (this.counts.keptUnsure < this.#maxUnsure) {
        await keep(image.path, bytes, join(this.#folder, UNSURE_FOLDER, result.file));
        this.counts.keptUnsure++;
      }
    }
    await this.#write({ ...result, ...image });
    this.counts.labelled++;
  }

  /** A file that cannot be read is told once. */
  async addFailure(image: ImageFile, why: string): Promise<void> {
    await writeFile(join(this.#folder, 'failed.txt'), `${image.path}: ${why}\n`, { flag: 'a' });
    this.#known.set(image.path, image.version);
    this.counts.failed++;
  }

  /** Everything that was added is on the disk afterwards. */
  async flush(): Promise<void> {
    if (this.#unflushed > 0) await this.#file.datasync();
    this.#unflushed = 0;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  async #write(line: EdgeResult & ImageFile): Promise<void> {
    await this.#file.write(`${JSON.stringify(line)}\n`);
    this.#known.set(line.path, line.version);
    this.#unflushed++;
    if (this.#unflushed >= 100) await this.flush();
  }

  #remember(text: string): void {
    const line: unknown = JSON.parse(text);
    if (typeof line !== 'object' || line === null || !('path' in line) || !('version' in line)) return;
    this.#known.set(String(line.path), String(line.version));
    this.counts.known++;
    if ('unsure' in line && line.unsure === true) this.counts.keptUnsure++;
  }
}

/** Another name of the same file costs no room; where that cannot be, its bytes. */
async function keep(path: string, bytes: Uint8Array, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(path, to)
    .catch(() => copyFile(path, to))
    .catch(() => writeFile(to, bytes));
}

async function cutHalfLine(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size === 0) return;
  // The last line is short beside this; what is cut was never told to be there.
  const tail = await readFile(path).then((bytes) => bytes.lastIndexOf('\n'));
  if (tail + 1 < found.size) await truncate(path, tail + 1);
}
