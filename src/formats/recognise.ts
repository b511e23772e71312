/** Which format something on disk is, and by what that is seen: the names in a folder, and how a file begins. */
import { open, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { looksLikeCoco } from './coco/layout.ts';
import type { FormatName } from './format.ts';
import { splitOfName } from './split-names.ts';
import { isImageName, listFolder, walkFiles } from './walk.ts';

export interface Recognised {
  readonly format: FormatName;
  /** Goes after "because": `there is data.yaml in it`. */
  readonly why: string;
  /** What is read: the path, or the one file in it that holds the labels. */
  readonly path: string;
}

export async function recogniseFormat(path: string): Promise<Recognised> {
  const found = await stat(path).catch((cause) => {
    throw new LabelsmithError('NOT_FOUND', `there is no ${path}`, { cause });
  });
  const recognised = found.isDirectory() ? await ofFolder(path) : await ofFile(path);
  if (recognised !== null) return recognised;
  throw new LabelsmithError('USAGE', `cannot tell the format of ${path}`, {
    hint: 'Name the format: labelsmith import --help lists them.',
  });
}

/** Files that one format alone has, first. */
const MARKS: readonly (readonly [name: RegExp, format: FormatName])[] = [
  [/^(?:data|dataset)\.ya?ml$/i, 'yolo'],
  [/^(?:obj\.data|obj\.names|classes\.txt|_darknet\.labels)$/i, 'yolo'],
  [/^annotations\.xml$/, 'cvat'],
  [/^crops\.csv$/, 'crops'],
  [/^metadata\.(?:jsonl|csv)$/, 'hf'],
  [/^tasks\.json$/, 'label-studio'],
];

async function ofFolder(path: string): Promise<Recognised | null> {
  const { files, folders } = await listFolder(path);
  const is = (format: FormatName, why: string, at = path): Recognised => ({ format, why, path: at });
  if (files.some((name) => name.endsWith('.tar'))) return is('webdataset', 'there are tar files in it');
  if (files.includes('annotations.json')) return is('coco', 'there is annotations.json in it');
  for (const [pattern, format] of MARKS) {
    const mark = files.find((name) => pattern.test(name));
    if (mark !== undefined) return is(format, `there is ${mark} in it`);
  }
  const annotations = folders.find((name) => name.toLowerCase() === 'annotations');
  if (annotations !== undefined) {
    const inside = (await listFolder(join(path, annotations))).files;
    if (inside.some((name) => /\.xml$/i.test(name)) || inside.length === 0)
      return is('voc', `there is a folder ${annotations} with XML files`);
    if (inside.some((name) => /\.json$/i.test(name)))
      return is('coco', `there is a folder ${annotations} with JSON files`);
  }
  for (const folder of folders.filter((name) => splitOfName(name) !== null)) {
    const inside = (await listFolder(join(path, folder))).files;
    const mark = inside.find((name) => /^_annotations\.coco\.json$|^metadata\.(?:jsonl|csv)$/.test(name));
    if (mark !== undefined) return is(mark.endsWith('coco.json') ? 'coco' : 'hf', `there is ${mark} in ${folder}`);
  }
  if (folders.some((name) => name.toLowerCase() === 'labels')) return is('yolo', 'there is a folder labels in it');
  const byContent = await byFirstFile(path);
  if (byContent !== null) return byContent;
  return folders.length > 0 ? is('folders', 'there are folders in it, and no file of labels') : null;
}

/** By the label files that there are, wherever they lie: enough of them to tell. */
async function byFirstFile(path: string): Promise<Recognised | null> {
  const tables: string[] = [];
  let looked = 0;
  for await (const file of walkFiles(path)) {
    if (isImageName(file) || ++looked > 200) continue;
    const extension = extname(file).toLowerCase();
    const one = ['.json', '.xml', '.xmp'].includes(extension) ? await ofFile(join(path, file)) : null;
    if (one !== null) return { format: one.format, why: `${file} is one: ${one.why}`, path };
    if (['.csv', '.jsonl', '.parquet'].includes(extension)) tables.push(file);
  }
  if (tables.length !== 1) return null;
  const [only] = tables;
  const one = await ofFile(join(path, only));
  return one === null ? null : { ...one, why: `${only} is the one table in it` };
}

const BY_EXTENSION: Readonly<Record<string, FormatName>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.yaml': 'yolo',
  '.yml': 'yolo',
  '.data': 'yolo',
  '.parquet': 'parquet',
  '.tar': 'webdataset',
  '.xmp': 'xmp',
};

async function ofFile(path: string): Promise<Recognised | null> {
  const name = basename(path);
  const extension = extname(path).toLowerCase();
  const is = (format: FormatName, why: string): Recognised => ({ format, why, path });
  if (name === 'metadata.jsonl' || name === 'metadata.csv') return is('hf', `it is called ${name}`);
  const byName = BY_EXTENSION[extension];
  if (byName !== undefined) return is(byName, `its name ends in ${extension}`);
  const head = await headOf(path);
  if (extension === '.xml') {
    if (name === 'annotations.xml' || /<annotations[\s>]/.test(head)) return is('cvat', 'it is XML with <annotations>');
    return /<annotation[\s>]/.test(head) ? is('voc', 'it is XML with <annotation>') : is('voc', 'it is XML');
  }
  if (extension !== '.json') return null;
  if (/"shapes"\s*:/.test(head)) return is('labelme', 'it has a list of shapes');
  if (await looksLikeCoco(path)) return is('coco', 'it has images, annotations and categories, or results of them');
  if (/^\s*\[/.test(head) && /"(?:data|annotations|predictions|annotation_id|original_width)"\s*:/.test(head))
    return is('label-studio', 'it is a list of tasks');
  return name === 'tasks.json' ? is('label-studio', 'it is called tasks.json') : is('coco', 'its name ends in .json');
}

const HEAD_BYTES = 1 << 16;

async function headOf(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) return '';
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
