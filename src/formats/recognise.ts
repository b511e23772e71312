/** Which format something on disk is, and by what that is seen: the names in a folder, and how a file begins. */
import { open, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { BESIDE } from '../files/beside.ts';
import { looksLikeCoco } from './coco/layout.ts';
import { tablesIn } from './csv/tables.ts';
import { looksLikeVia } from './csv/via-json.ts';
import { textOfHead } from './encodings.ts';
import { CITYSCAPES_MASK, foreignJson, foreignRows, ROW_FOLDERS, unreadJson, unreadKind } from './foreign/recognise.ts';
import type { ReaderName } from './format.ts';
import { INDEX_FILE, indexIn } from './shard-index.ts';
import { regularFileSize } from './special-files.ts';
import { splitOfName } from './split-names.ts';
import { maskFolderIn } from './voc/masks.ts';
import { foldersOfMasksBeside } from './voc/masks-beside.ts';
import { isImageName, listFolder, walkFiles } from './walk.ts';

export interface Recognised {
  readonly format: ReaderName;
  /** Goes after "because": `there is data.yaml in it`. */
  readonly why: string;
  /** What is read: the path, or the one file in it that holds the labels. */
  readonly path: string;
}

export async function recogniseFormat(path: string): Promise<Recognised> {
  const found = await stat(path).catch((cause) => {
    throw new LabelsmithError('NOT_FOUND', `there is no ${path}`, { cause });
  });
  if (!found.isDirectory()) await regularFileSize(path, path);
  const recognised = found.isDirectory() ? await ofFolder(path) : await ofFile(path);
  if (recognised !== null) return recognised;
  const unread = await unreadIn(path, path);
  if (unread !== null) throw notRead(path, unread);
  throw new LabelsmithError('USAGE', `cannot tell the format of ${path}`, {
    hint: 'Name the format: labelsmith import --help lists them.',
  });
}

function notRead(path: string, { is, instead }: { readonly is: string; readonly instead: string }): LabelsmithError {
  return new LabelsmithError('USAGE', `${path} is ${is}, and is not read`, { hint: instead });
}

/** Files that one format alone has, first. */
const MARKS: readonly (readonly [name: RegExp, format: ReaderName])[] = [
  [/^(?:data|dataset)\.ya?ml$/i, 'yolo'],
  [/^(?:obj\.data|obj\.names|classes\.txt|_darknet\.labels)$/i, 'yolo'],
  [/^annotations\.xml$/, 'cvat'],
  [/^crops\.csv$/, 'crops'],
  [/^metadata\.(?:jsonl|csv)$/, 'hf'],
  [/^tasks\.json$/, 'label-studio'],
];

async function ofFolder(path: string): Promise<Recognised | null> {
  const { files, folders } = await listFolder(path);
  const is = (format: ReaderName, why: string, at = path): Recognised => ({ format, why, path: at });
  const index = files.includes(INDEX_FILE) ? await indexIn(path) : null;
  if (index !== null) return is(index.format, `${INDEX_FILE} says so`);
  if (files.some((name) => name.endsWith('.tar'))) return is('webdataset', 'there are tar files in it');
  if (files.includes('annotations.json')) return is('coco', 'there is annotations.json in it');
  const labels = folders.find((name) => name.toLowerCase() === 'labels');
  const masks = labels === undefined && !folders.some(isAnnotations) ? await maskFolderIn(path) : null;
  if (masks !== null) return is('voc', `there is a folder ${masks} with pictures of masks`);
  const [beside] = await foldersOfMasksBeside(path);
  if (beside !== undefined)
    return is('voc', `there are masks (_mask.png) and _classes.csv in ${beside === '' ? 'it' : beside}`);
  const rows = await rowsIn(path, '', 0);
  if (rows !== null) return rows;
  for (const [pattern, format] of MARKS) {
    const mark = files.find((name) => pattern.test(name));
    if (mark !== undefined) return is(format, `there is ${mark} in it`);
  }
  const annotations = folders.find(isAnnotations);
  if (annotations !== undefined) {
    const inside = (await listFolder(join(path, annotations))).files;
    if (inside.some((name) => /\.xml$/i.test(name)) || inside.length === 0)
      return is('voc', `there is a folder ${annotations} with XML files`);
    const one = inside.find((name) => /\.json$/i.test(name));
    const foreign = one === undefined ? null : foreignJson(await headOf(join(path, annotations, one)));
    if (foreign !== null) return is(foreign.format, `${annotations}/${one} is one: ${foreign.why}`);
    if (one !== undefined) return is('coco', `there is a folder ${annotations} with JSON files`);
  }
  for (const folder of folders.filter((name) => splitOfName(name) !== null)) {
    const found = await ofSplit(path, folder);
    if (found !== null) return is(...found);
  }
  if (labels !== undefined && (await holdsRows(join(path, labels))))
    return is('yolo', `there is a folder ${labels} in it`);
  const byContent = await byFirstFile(path);
  if (byContent !== null) return byContent;
  const { hasClasses, picture } = await treeIn(path, folders.length > 0);
  if (folders.length === 0) return null;
  if (!hasClasses && picture !== null) throw noClasses(path, picture);
  return is('folders', 'there are folders in it, and no file of labels');
}

/** A folder that is called `images` or `train` is no class: what is in it would all be labelled `images`. */
function noClasses(path: string, picture: string): LabelsmithError {
  const message = `cannot tell what the labels of ${path} are: no file in it is of a format that is known, and no folder is called after a class`;
  return new LabelsmithError('USAGE', message, {
    hint:
      `Pictures are in ${dirname(picture)}. Where that is a class: labelsmith import folders PATH. ` +
      'Else name the format: labelsmith import --help lists them.',
  });
}

/** Depth at which folders of a label file an image are looked for. */
const MAX_ROW_LEVELS = 3;
const MAX_ROW_FILES = 5;

/** A folder with text files whose rows are those of KITTI or DOTA, in whatever folder of a split. */
async function rowsIn(path: string, below: string, level: number): Promise<Recognised | null> {
  const { folders } = await listFolder(join(path, below));
  for (const folder of folders) {
    const at = `${below}${folder}`;
    const files = ROW_FOLDERS.test(folder) ? (await listFolder(join(path, at))).files : [];
    for (const file of files.filter((name) => /\.txt$/i.test(name)).slice(0, MAX_ROW_FILES)) {
      const found = foreignRows(await headOf(join(path, at, file)));
      if (found !== null) return { format: found.format, why: `${at}/${file} is one: ${found.why}`, path };
    }
    const inside = level < MAX_ROW_LEVELS && files.length === 0 ? await rowsIn(path, `${at}/`, level + 1) : null;
    if (inside !== null) return inside;
  }
  return null;
}

/** What no tree of classes has. Tables and arrays may lie in one. */
const NO_TREE = /\.(?:tfrecords?(?:-\d+-of-\d+)?|vott|json)$|(?:^|\/)gt\/gt\.txt$/i;

interface Tree {
  /** Some picture lies in a folder that could be a class. */
  readonly hasClasses: boolean;
  /** The first picture in a folder, `/` between parts. */
  readonly picture: string | null;
}

/** A folder of what no reader reads is called what it is: also one with pictures, where none lies in a folder that could be a class. */
async function treeIn(path: string, mayBeTree: boolean): Promise<Tree> {
  let inTree: LabelsmithError | null = null;
  let hasClasses = false;
  let picture: string | null = null;
  for await (const file of walkFiles(path)) {
    if (isImageName(file)) {
      hasClasses ||= isInClass(file);
      if (file.includes('/')) picture ??= file;
    }
    if (file.endsWith(BESIDE) || (inTree !== null && !NO_TREE.test(file))) continue;
    const unread = await unreadIn(join(path, file), file);
    if (unread === null) continue;
    inTree = notRead(file, unread);
    if (!mayBeTree || NO_TREE.test(file)) throw inTree;
  }
  if (inTree !== null && !hasClasses) throw inTree;
  return { hasClasses, picture };
}

/** Folders that are called after what is in them. */
const OF_PICTURES = /^(?:images?|imgs?|jpe?gs?|pngs?|pictures?|photos?|jpegimages|data(?:set)?)$/i;

function isInClass(file: string): boolean {
  const folders = file.split('/').slice(0, -1);
  return folders.some((folder) => !OF_PICTURES.test(folder) && splitOfName(folder) === null);
}

/** What a file is that no reader reads. */
async function unreadIn(path: string, name: string): Promise<ReturnType<typeof unreadKind>> {
  return unreadKind(name) ?? (/\.json$/i.test(name) ? unreadJson(await headOf(path)) : null);
}

function isAnnotations(folder: string): boolean {
  return folder.toLowerCase() === 'annotations';
}

/** Files that the folder of a split has in one format alone. */
const MARKS_OF_SPLITS: readonly (readonly [name: RegExp, format: ReaderName])[] = [
  [/^_annotations\.coco\.json$/, 'coco'],
  [/^metadata\.(?:jsonl|csv)$/, 'hf'],
  [/^(?:_annotations|_classes)\.csv$/, 'csv'],
  [/^(?:_darknet\.labels|classes\.txt)$/, 'yolo'],
];

async function ofSplit(path: string, folder: string): Promise<[format: ReaderName, why: string] | null> {
  const { files, folders } = await listFolder(join(path, folder));
  for (const [pattern, format] of MARKS_OF_SPLITS) {
    const mark = files.find((name) => pattern.test(name));
    if (mark !== undefined) return [format, `there is ${mark} in ${folder}`];
  }
  const labels = folders.find((name) => name.toLowerCase() === 'labels');
  if (labels === undefined || !(await holdsRows(join(path, folder, labels)))) return null;
  return ['yolo', `there is a folder ${labels} in ${folder}`];
}

/** Whether a folder called `labels` is YOLO's: there are text files in it, or nothing that says otherwise. */
async function holdsRows(folder: string): Promise<boolean> {
  let [rows, others] = [0, 0];
  for await (const file of walkFiles(folder)) {
    if (/\.txt$/i.test(file)) rows++;
    else if (!isImageName(file)) others++;
    if (rows + others > 100) break;
  }
  return rows > 0 || others === 0;
}

/** Endings of files that are told by what is in them. */
const LOOKED_INTO = ['.json', '.xml', '.xmp', '.txt', '.manifest'];

/** By the label files that there are, wherever they lie: enough of them to tell. */
async function byFirstFile(path: string): Promise<Recognised | null> {
  let [tables, parquet] = [0, 0];
  let only: string | null = null;
  let looked = 0;
  for await (const file of walkFiles(path)) {
    if (CITYSCAPES_MASK.test(file)) return { format: 'cityscapes', why: `${file} is a mask of it`, path };
    if (isImageName(file) || ++looked > 200) continue;
    const extension = extname(file).toLowerCase();
    const one = LOOKED_INTO.includes(extension) ? await ofFile(join(path, file)) : null;
    // Tables are read from folders, but not JSON of VIA.
    if (one !== null)
      return { format: one.format, why: `${file} is one: ${one.why}`, path: one.format === 'csv' ? one.path : path };
    const lines = ['.jsonl', '.ndjson'].includes(extension) ? foreignJson(await headOf(join(path, file))) : null;
    if (lines !== null) return { format: lines.format, why: `${file} is one: ${lines.why}`, path };
    if (['.yaml', '.yml'].includes(extension) && !file.includes('/') && (await namesClasses(join(path, file))))
      return { format: 'yolo', why: `${file} names classes`, path: join(path, file) };
    if (['.csv', '.tsv', '.jsonl', '.ndjson', '.parquet'].includes(extension)) {
      tables++;
      parquet += Number(extension === '.parquet');
      only = file;
    }
  }
  const labels = await tablesIn(path, null);
  if (labels.length > 1) return { format: 'csv', why: `${labels[0].name} and others are tables of labels`, path };
  if (only !== null && labels.length === 0 && tables === parquet)
    return { format: 'parquet', why: `${only} is a table${parquet > 1 ? ', as are others' : ''}`, path };
  const one = labels[0]?.name ?? (tables === 1 ? only : null);
  const found = one === null ? null : await ofFile(join(path, one));
  return found === null ? null : { ...found, why: `${one} is the one table in it` };
}

/** YOLO's settings may be called anything. */
async function namesClasses(path: string): Promise<boolean> {
  const head = await headOf(path);
  return /^names\s*:/m.test(head) && /^(?:train|val|test|path|nc)\s*:/m.test(head);
}

/** Label Studio's. */
const IS_TASK_LINE = /^\s*\{(?=[^\n]*"data"\s*:\s*\{)[^\n]*"(?:annotations|predictions)"\s*:/;

const METADATA_NAME = /^metadata\.(?:jsonl|csv|parquet)$/i;

const BY_EXTENSION: Readonly<Record<string, ReaderName>> = {
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
  const is = (format: ReaderName, why: string): Recognised => ({ format, why, path });
  if (METADATA_NAME.test(name)) return is('hf', `it is called ${name}`);
  const byName = BY_EXTENSION[extension];
  const isText = ['.json', '.jsonl', '.ndjson', '.manifest', '.txt'].includes(extension);
  const head = isText || byName === undefined ? await headOf(path) : '';
  const foreign = extension === '.txt' ? foreignRows(head) : isText ? foreignJson(head) : null;
  if (foreign !== null) return is(foreign.format, foreign.why);
  if (extension === '.json' && unreadJson(head) !== null) return null;
  if (byName === 'jsonl' && IS_TASK_LINE.test(head)) return is('label-studio', 'its lines are tasks');
  if (byName === 'jsonl' && /^\s*\{[^\n]*"file_name"\s*:/.test(head)) return is('hf', 'its lines have file_name');
  if (byName !== undefined) return is(byName, `its name ends in ${extension}`);
  if (extension === '.xml') {
    if (name === 'annotations.xml' || /<annotations[\s>]/.test(head)) return is('cvat', 'it is XML with <annotations>');
    return /<annotation[\s>]/.test(head) ? is('voc', 'it is XML with <annotation>') : is('voc', 'it is XML');
  }
  if (extension !== '.json') return null;
  const index = name === INDEX_FILE ? await indexIn(dirname(path)) : null;
  if (index !== null) return { format: index.format, why: 'it names the shards of an export', path: dirname(path) };
  if (/"shapes"\s*:/.test(head)) return is('labelme', 'it has a list of shapes');
  if (/"(?:was_cancelled|from_name)"\s*:/.test(head)) return is('label-studio', 'it has annotations of tasks');
  if (await looksLikeCoco(path)) return is('coco', 'it has images, annotations and categories, or results of them');
  if (/^\s*\[/.test(head) && /"(?:data|annotations|predictions|annotation_id|original_width)"\s*:/.test(head))
    return is('label-studio', 'it is a list of tasks');
  if (looksLikeVia(head)) return is('csv', 'it is JSON of VIA');
  return name === 'tasks.json' ? is('label-studio', 'it is called tasks.json') : null;
}

const HEAD_BYTES = 1 << 16;

async function headOf(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) return '';
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return textOfHead(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
