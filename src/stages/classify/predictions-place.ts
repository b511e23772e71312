/**
 * Where predictions of many files go, by one process or several: a folder, or an address of object storage, that all of them reach.
 *
 * It has `index.json`, which says what the predictions are of and whether they are whole; on the way `parts/`, a file for each shard
 * that is done; and at the end `labels.csv`, the rows that one process prints. A shard is done when its part is there, so whoever is
 * killed goes on, and a shard that is done twice is the same part. Whoever finds all parts there writes the whole: of two that do,
 * both write the same.
 *
 * Resident: one part. On disk of this machine: nothing.
 */
import { createHash } from 'node:crypto';
import { readdir, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { type BlobKind, getDescribed, putDescribed } from '../../blobs/described-blob.ts';
import { openBlobs } from '../../blobs/open.ts';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { patiently } from '../../sources/cloud/object-reader.ts';
import { addressIn } from '../../sources/cloud/object-stores.ts';
import { WORK_FOLDER as SINK_WORK_FOLDER } from '../../sources/folder-sink.ts';
import type { Sink } from '../../sources/sink.ts';
import { openSink } from '../../sources/targets.ts';
import { type FilePrediction, PREDICTION_COLUMNS, predictionRow } from './predict.ts';

const INDEX_FILE = 'index.json';
const LABELS_FILE = 'labels.csv';
const PARTS = 'parts/';
const ENDING = '.part';
const FORMAT = 'labelsmith-predictions';

/** What decides the predictions: processes that differ in it do not share a place. */
const ABOUT = z.object({
  /** The classifier's key. */
  model: z.string(),
  task: z.string(),
  threshold: z.number(),
  /** Where the files are, absolute. */
  source: z.string(),
  /** Null: all files. */
  limit: z.int().nullable(),
  shardSize: z.int(),
  /** Of labelsmith and of what it reads images and runs models with. */
  version: z.string(),
});
export type PredictionsAbout = z.infer<typeof ABOUT>;

const FAILED = z.object({ file: z.string(), message: z.string() });

const WHOLE = z.object({
  /** That were looked at. */
  files: z.int(),
  /** That have a row. */
  predicted: z.int(),
  /** That could not be read. */
  failed: z.array(FAILED),
  bytes: z.int(),
  sha256: z.string(),
  /** Names the files and their versions. */
  listing: z.string(),
});
export type WholePredictions = z.infer<typeof WHOLE>;

const INDEX = z.object({
  format: z.literal(FORMAT),
  complete: z.boolean(),
  about: ABOUT,
  /** Null until it is complete. */
  labels: WHOLE.nullable(),
});
type Index = z.infer<typeof INDEX>;

const KIND: BlobKind<{ sha256: string }> = { version: 1, header: z.object({ sha256: z.string() }) };
const ROWS = z.array(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('done'), file: z.string(), class: z.string(), confidence: z.number() }),
    z.object({ kind: z.literal('failed'), file: z.string(), message: z.string() }),
  ]),
);

/** How each of what decides is asked for. */
const SAID: Readonly<Record<keyof PredictionsAbout, string>> = {
  model: 'the classifier',
  task: 'the task',
  threshold: '--threshold',
  source: 'the files of',
  limit: '--limit',
  shardSize: '--shard-size',
  version: 'the version',
};

export class PredictionsPlace {
  readonly uri: string;
  readonly #about: PredictionsAbout;
  /** Names it. */
  readonly #of: string;
  readonly #blobs: BlobStore;
  readonly #sink: Sink;
  /** Undefined for an address. */
  readonly #folder: string | undefined;
  #index: Index | undefined;

  private constructor(about: PredictionsAbout, blobs: BlobStore, sink: Sink, folder: string | undefined) {
    this.uri = folder ?? sink.uri;
    this.#about = about;
    this.#of = sha256Hex(JSON.stringify(about)).slice(0, 16);
    this.#blobs = blobs;
    this.#sink = sink;
    this.#folder = folder;
  }

  /** Fails where something else is there. @param out a folder, which need not be there, or an address of object storage */
  static async open(out: string, about: PredictionsAbout): Promise<PredictionsPlace> {
    const isAddress = addressIn(out) !== undefined;
    if (!isAddress && /^[a-z][a-z0-9+.-]+:\/\//i.test(out)) {
      throw new LabelsmithError('UNSUPPORTED', `Predictions are not written to ${out}.`, {
        hint: 'Name a folder that all parts reach at the same path, or s3://, gs:// or az://BUCKET/PREFIX.',
      });
    }
    if (!isAddress) await makeOut(resolve(out));
    const { blobs } = openBlobs(out);
    const sink = await openSink(out, { cwd: process.cwd() });
    const place = new PredictionsPlace(about, blobs, sink, isAddress ? undefined : resolve(out));
    try {
      await place.#look();
      return place;
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  get labels(): string {
    return `${this.uri}/${LABELS_FILE}`;
  }

  /** What is written here, where it is whole. */
  get whole(): WholePredictions | undefined {
    return this.#index?.labels ?? undefined;
  }

  /** The same, asked for again: another process may have ended meanwhile. @param names of all shards, in their order */
  async wholeOf(names: readonly string[]): Promise<WholePredictions | undefined> {
    await this.#look();
    return this.whole?.listing === listingOf(names) ? this.whole : undefined;
  }

  /** Names of shards that are done. */
  async done(): Promise<Set<string>> {
    const names = new Set<string>();
    const begin = this.#keyOf('').slice(0, -ENDING.length);
    for await (const { key } of this.#blobs.list(begin)) names.add(key.slice(begin.length, -ENDING.length));
    return names;
  }

  async put(name: string, predictions: readonly FilePrediction[]): Promise<void> {
    await this.#begin();
    const bytes = Buffer.from(JSON.stringify(predictions));
    await putDescribed(this.#blobs, this.#keyOf(name), KIND, { header: { sha256: sha256Hex(bytes) }, bytes });
  }

  /** Puts the parts together. @param names of all shards, in their order. @param parts the same, as they were done */
  async finish(names: readonly string[], parts: readonly string[]): Promise<WholePredictions> {
    const hash = createHash('sha256');
    const failed: z.infer<typeof FAILED>[] = [];
    let [files, bytes] = [0, 0];
    const pieces = this.#rows(parts, (predictions) => {
      files += predictions.length;
      for (const one of predictions) if (one.kind === 'failed') failed.push({ file: one.file, message: one.message });
    });
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
    }
    const promised = { byteSize: bytes, sha256: hash.digest('hex') };
    await patiently(() => this.#sink.put(LABELS_FILE, this.#rows(parts), promised));
    const predicted = files - failed.length;
    const labels = { files, predicted, failed, bytes, sha256: promised.sha256, listing: listingOf(names) };
    await this.#putIndex({ format: FORMAT, complete: true, about: this.#about, labels }, 'any');
    await this.dropParts();
    return labels;
  }

  /** What is whole needs them no more; a process that is late may leave some. */
  async dropParts(): Promise<void> {
    for (const name of await this.done()) await this.#blobs.delete(this.#keyOf(name));
    // Where it is a folder; a part that comes late makes it again.
    if (this.#folder !== undefined) await rmdir(join(this.#folder, PARTS)).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#sink.close();
  }

  /** Says whose the place is. Of two processes that begin at once, one writes, and the other finds it. */
  async #begin(): Promise<void> {
    if (this.#index !== undefined) return;
    await this.#putIndex({ format: FORMAT, complete: false, about: this.#about, labels: null }, 'absent');
    await this.#look();
  }

  async *#rows(
    names: readonly string[],
    onPart: (predictions: readonly FilePrediction[]) => void = () => {},
  ): AsyncGenerator<Uint8Array> {
    yield Buffer.from(PREDICTION_COLUMNS);
    for (const name of names) {
      const predictions = await this.#get(name);
      onPart(predictions);
      yield Buffer.from(predictions.map(predictionRow).join(''));
    }
  }

  async #get(name: string): Promise<FilePrediction[]> {
    const found = await getDescribed(this.#blobs, this.#keyOf(name), KIND);
    if (found !== undefined && sha256Hex(found.bytes) === found.header.sha256) {
      const rows = ROWS.safeParse(JSON.parse(Buffer.from(found.bytes).toString('utf8')));
      if (rows.success) return rows.data;
    }
    // A damaged one is not there: whoever runs this again makes it anew.
    if (found !== undefined) await this.#blobs.delete(this.#keyOf(name));
    throw new LabelsmithError(
      'BUSY',
      `A part of the predictions at ${this.uri} is gone or damaged: ${this.#keyOf(name)}.`,
      {
        hint: 'Run the same command again: it makes what is missing.',
      },
    );
  }

  /** Reads whose the place is; fails where it is of something else. */
  async #look(): Promise<void> {
    let text = await this.#textAt(INDEX_FILE);
    if (text === undefined) {
      const other = await this.#anything();
      // Another process may have begun here in between.
      if (other !== undefined) text = await this.#textAt(INDEX_FILE);
      if (text === undefined && other !== undefined) throw occupied(this.uri, other);
      if (text === undefined) return;
    }
    const index = indexIn(text);
    if (index === undefined) throw occupied(this.uri, INDEX_FILE);
    for (const key of Object.keys(this.#about) as (keyof PredictionsAbout)[]) {
      const [there, mine] = [index.about[key], this.#about[key]];
      if (there === mine) continue;
      throw new LabelsmithError(
        'REFUSED',
        `The predictions at ${this.uri} are of ${SAID[key]} ${there ?? 'none'}, and these of ${mine ?? 'none'}.`,
        { hint: 'Give all parts the same files, classifier and options; for others choose another place with --out.' },
      );
    }
    this.#index = index;
  }

  /** The name of something that is here, its own labels first. */
  async #anything(): Promise<string | undefined> {
    if ((await patiently(() => this.#sink.find(LABELS_FILE))) !== undefined) return LABELS_FILE;
    if (this.#folder !== undefined) {
      return (await readdir(this.#folder)).sort().find((name) => name !== SINK_WORK_FOLDER);
    }
    for await (const { key } of this.#sink.list?.('') ?? []) return key;
    return undefined;
  }

  /** Of a part: what it is of stands in its name, so that none of another classifier or other options is taken for one of these. */
  #keyOf(name: string): string {
    return `${PARTS}${this.#of}-${name}${ENDING}`;
  }

  async #textAt(key: string): Promise<string | undefined> {
    if ((await patiently(() => this.#sink.find(key))) === undefined) return undefined;
    return patiently(async () => (await buffer(this.#sink.open(key))).toString('utf8'));
  }

  async #putIndex(index: Index, kind: 'absent' | 'any'): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(index, null, 2)}\n`);
    const pieces = async function* () {
      yield bytes;
    };
    const promised = { byteSize: bytes.length, sha256: sha256Hex(bytes), condition: { kind } } as const;
    await patiently(() => this.#sink.put(INDEX_FILE, pieces(), promised));
  }
}

/** Names files and their versions by the names of their shards. */
function listingOf(names: readonly string[]): string {
  return sha256Hex(names.join('\n')).slice(0, 32);
}

function indexIn(text: string): Index | undefined {
  try {
    return INDEX.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function occupied(uri: string, name: string): LabelsmithError {
  return new LabelsmithError('REFUSED', `${uri} has ${articled(name)} in it that is of no predictions.`, {
    hint: 'Choose another place with --out, or delete what is there.',
  });
}

/** `an index.json`; other names may be of anything. */
function articled(name: string): string {
  if (name === INDEX_FILE) return `an ${name}`;
  return name === LABELS_FILE ? `a ${name}` : JSON.stringify(name);
}

async function makeOut(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (cause) {
    throw new LabelsmithError('REFUSED', `The folder ${folder} cannot be made (${systemCodeOf(cause)}).`, {
      hint: 'Name a folder that you may write to with --out.',
      cause,
    });
  }
}
