/**
 * Reads Label Studio's JSON, as exported (`JSON`, `JSON-MIN`, lines of either) or as imported: annotations and predictions of every task,
 * whatever the control tags are called. Shapes with a `parentID` belong to that region; choices, texts and ratings that
 * have the id of a region are attributes of it. Tasks are the elements of one list; one is resident at a time.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImportedImage } from '../../core/dataset.ts';
import { arrayAt, badFile, fileNameAt, type JsonObject, jsonOf, objectAt, sha256At } from '../check.ts';
import type { ReadOptions } from '../format.ts';
import { eachJsonStream } from '../json-files.ts';
import { isJsonList, jsonElements, parseJson } from '../json-stream.ts';
import { linesOf } from '../lines.ts';
import type { Reckoning } from '../reckoning.ts';
import { regionsOfShapes } from '../shapes.ts';
import { listFolder, readSmallText } from '../walk.ts';
import { resultsOfRow } from './json-min.ts';
import { replacedIn } from './replaced.ts';
import { readResults, type Said } from './results.ts';

const TASKS = 'tasks.json';

/** @param path the JSON file, or a folder with `tasks.json`, or with one JSON file or several */
export async function* readLabelStudio(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const files = (await stat(path)).isDirectory() ? await taskFiles(path) : null;
  if (files === null || files.length === 1) {
    yield* readFile(files === null ? path : join(path, files[0]), files?.[0] ?? basename(path), reckoning);
    return;
  }
  const options = { reckoning, isWanted: (name: string) => files.includes(name), hint: '' };
  yield* eachJsonStream(path, options, (file, name) => readFile(file, name, reckoning));
}

async function* readFile(file: string, name: string, reckoning: Reckoning): AsyncGenerator<ImportedImage> {
  if (!(await isJsonList(file, name))) {
    yield* readLines(file, name, reckoning);
    return;
  }
  for await (const { index, value } of jsonElements(file, name)) {
    const image = reckoning.attempt('row-unreadable', () => imageOfTask(value(), `${name} [${index}]`, reckoning));
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

/** A task a line, as JSON Lines; or one by itself, as the API of Label Studio gives it, over several lines or on one. */
async function* readLines(file: string, name: string, reckoning: Reckoning): AsyncGenerator<ImportedImage> {
  const isTask = (value: unknown) => typeof value === 'object' && value !== null && 'data' in value;
  let found = false;
  for await (const { text, number } of linesOf(file, name)) {
    if (text.trim() === '') continue;
    const where = `${name}:${number}`;
    if (!found && !isTask(jsonOrNull(text))) {
      const task = objectAt(parseJson((await readSmallText(file, name)) ?? ''), name);
      if (!isTask(task)) throw badFile(`${name} (byte 0)`, 'a JSON list was expected, and this is an object');
      yield imageOfTask(task, name, reckoning);
      return;
    }
    found = true;
    const image = reckoning.attempt('row-unreadable', () => imageOfTask(jsonOf(text, where), where, reckoning));
    if (image === null) continue;
    reckoning.take('rows');
    yield image;
  }
}

/** Null for what is no JSON. */
function jsonOrNull(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

async function taskFiles(path: string): Promise<string[]> {
  const { files } = await listFolder(path);
  const json = files.filter((name) => name.toLowerCase().endsWith('.json'));
  return json.includes(TASKS) || json.length === 0 ? [TASKS] : json;
}

/** One task, or a row of JSON-MIN. */
export function imageOfTask(value: unknown, where: string, reckoning: Reckoning): ImportedImage {
  const task = objectAt(value, where);
  // JSON-MIN has what the tags say beside the data.
  const short = task.data === undefined && task.annotations === undefined && task.predictions === undefined;
  const data = short ? task : objectAt(task.data, `${where}.data`);
  const said: Said & { handedIn: boolean } = {
    labels: [],
    shapes: [],
    attributes: {},
    frames: new Set(),
    handedIn: false,
  };
  const [file, ...otherNames] = namesOf(data, `${where}.data`);
  if (short) {
    const results = resultsOfRow(task, where);
    // Rows are of annotations that were handed in; with no key of a tag, it was one with nothing on the picture.
    if (task.annotation_id != null || task.annotator != null) said.handedIn = true;
    if (results.length === 0 && !said.handedIn) throw badFile(`${where}.data`, 'an object was expected, not nothing');
    readResults(
      results,
      where,
      { origin: null, annotator: annotatorOf(task.annotator), group: 'min' },
      said,
      reckoning,
    );
  } else readEntries(task, where, said, { reckoning, isOwn: isOwn(data) });
  if (Array.isArray(task.drafts) && task.drafts.length > 0)
    reckoning.note('draft-passed-over', `${where}.drafts`, undefined, task.drafts.length);
  const own = isOwn(data);
  return {
    file,
    ...(otherNames.length === 0 ? {} : { otherNames }),
    ...(own ? NO_FRAME : frameOf(said.frames)),
    labels: said.labels,
    regions: regionsOfShapes(said.shapes, reckoning),
    where,
    split: typeof data.split === 'string' ? data.split : null,
    ...(data.sha256 == null ? {} : { sha256: sha256At(data.sha256, `${where}.data.sha256`) }),
    ...(Object.keys(said.attributes).length === 0 ? {} : { attributes: said.attributes }),
    ...(own ? { ownExport: true as const } : {}),
    ...(said.handedIn ? { handedIn: true as const } : {}),
  };
}

/** One of our exports wrote it. */
function isOwn(data: JsonObject): boolean {
  return data.sha256 != null && data.file !== undefined;
}

function readEntries(
  task: JsonObject,
  where: string,
  said: Said & { handedIn: boolean },
  { reckoning, isOwn: own }: { readonly reckoning: Reckoning; readonly isOwn: boolean },
): void {
  const isReplaced = replacedIn(task);
  for (const [list, origin] of [
    ['annotations', null],
    // What annotations were called before version 1.0.
    ['completions', null],
    ['predictions', 'model'],
  ] as const) {
    for (const [i, entry] of listAt(task[list], `${where}.${list}`).entries()) {
      const at = `${where}.${list}[${i}]`;
      // Where they were not asked for, exports have the ids of predictions in place of them.
      if (typeof entry === 'number') {
        reckoning.note('row-unreadable', at, `the id ${entry} alone, without what it says`);
        continue;
      }
      reckoning.attempt('row-unreadable', () => {
        const {
          result,
          score,
          model_version: version,
          was_cancelled: cancelled,
          completed_by: by,
        } = objectAt(entry, at);
        if (cancelled === true) {
          reckoning.note('annotation-cancelled', at);
          return;
        }
        if (list === 'predictions' && isReplaced(entry)) {
          reckoning.note('prediction-replaced', at);
          return;
        }
        const modelVersion = typeof version === 'string' && version !== '' ? version : null;
        const prediction = list === 'predictions' && !own ? { prediction: { score, modelVersion } } : {};
        const source = { origin, annotator: annotatorOf(by), group: `${list}[${i}]`, ...prediction };
        readResults(listAt(result, `${at}.result`), `${at}.result`, source, said, reckoning);
        if (list !== 'predictions') said.handedIn = true;
      });
    }
  }
}

function listAt(value: unknown, where: string): readonly unknown[] {
  return value == null ? [] : arrayAt(value, where);
}

/** A number, an address, or an object that has one of them. */
function annotatorOf(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'string') return String(value);
  if (typeof value !== 'object' || value === null) return null;
  if ('email' in value && typeof value.email === 'string') return value.email;
  return 'id' in value && typeof value.id === 'number' ? String(value.id) : null;
}

const NO_FRAME = { width: null, height: null };

/** The frame that all of its results name; where they name several, nobody knows which is the picture's. */
function frameOf(frames: ReadonlySet<string>): Pick<ImportedImage, 'width' | 'height'> {
  const [only] = frames;
  if (frames.size !== 1 || only === undefined) return NO_FRAME;
  const [width, height] = only.split('×').map(Number);
  return { width, height };
}

/** The file's name: ours, else the path at the end of whatever the image's address is; then what else it may be. */
function namesOf(data: JsonObject, where: string): [string, ...string[]] {
  if (data.file !== undefined) return [fileNameAt(data.file, `${where}.file`)];
  const key = ['image', 'img', 'url'].find((known) => typeof data[known] === 'string') ?? firstText(data);
  if (key === undefined) throw badFile(where, 'no key of it names an image');
  const path = pathOfAddress(storedAddress(fileNameAt(data[key], `${where}.${key}`)));
  const upload = /^.*\/data\/upload\/(?:\d+\/)?/;
  if (!upload.test(path)) return [path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, '')];
  // A picture that was uploaded got eight digits before its name; it may have been added with them.
  const stored = path.replace(upload, '');
  const plain = stored.replace(/^[0-9a-f]{8}-/, '');
  return plain === stored ? [stored] : [plain, stored];
}

/** Pictures of cloud storage come as `/tasks/1/presign/?fileuri=` and their address in base64. */
function storedAddress(address: string): string {
  const encoded = /[?&]fileuri=([^&]+)/.exec(address)?.[1];
  if (encoded === undefined) return address;
  const plain = decoded(encoded);
  const stored = Buffer.from(plain, 'base64').toString('utf8');
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(stored) ? stored : plain;
}

function pathOfAddress(address: string): string {
  const local = /^.*\/data\/local-files\/\?d=/;
  return decoded(
    local.test(address) ? address.replace(local, '') : address.replace(/^([a-z][a-z0-9+.-]*:\/\/[^?#]*)[?#].*$/i, '$1'),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A per cent sign that stands for itself.
    return text;
  }
}

function firstText(data: JsonObject): string | undefined {
  return Object.keys(data).find((key) => typeof data[key] === 'string' && /[./]/.test(data[key]));
}
