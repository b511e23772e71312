/** The formats there are, and reading by name. */
import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import type { ImportedImage } from '../core/dataset.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { coco } from './coco/coco.ts';
import { crops } from './crops/crops.ts';
import { csv } from './csv/csv.ts';
import { cvat } from './cvat/cvat.ts';
import { folders } from './folders/folders.ts';
import { FOREIGN_READERS } from './foreign/table.ts';
import type { Format, LabelReader, ReaderName, ReadOptions } from './format.ts';
import { hf } from './hf/hf.ts';
import { jsonl } from './jsonl/jsonl.ts';
import { labelStudio } from './label-studio/label-studio.ts';
import { labelme } from './labelme/labelme.ts';
import { MAX_NAME_CHARACTERS } from './names.ts';
import { parquet } from './parquet/parquet.ts';
import type { Reckoning } from './reckoning.ts';
import { recogniseFormat } from './recognise.ts';
import { indexIn, readShards } from './shard-index.ts';
import { regularFileSize } from './special-files.ts';
import { voc } from './voc/voc.ts';
import { webdataset } from './webdataset/webdataset.ts';
import { xmp } from './xmp/xmp.ts';
import { yolo, yoloPose, yoloSegment, yoloTurned } from './yolo/yolo.ts';

export const FORMATS: readonly Format[] = [
  coco,
  yolo,
  yoloSegment,
  yoloPose,
  yoloTurned,
  voc,
  folders,
  crops,
  csv,
  jsonl,
  parquet,
  labelStudio,
  cvat,
  labelme,
  hf,
  webdataset,
  xmp,
];

/** All that can be imported. */
export const READERS: readonly LabelReader[] = [...FORMATS, ...FOREIGN_READERS];

/** What reads a format. */
export function readerNamed(name: string): LabelReader {
  const reader = READERS.find((known) => known.name === name);
  if (reader === undefined)
    throw new LabelsmithError('USAGE', `there is no format ${JSON.stringify(name)}`, {
      hint: `What can be read is ${READERS.map((known) => known.name).join(', ')}.`,
    });
  return reader;
}

/** A format that is read and written. */
export function formatNamed(name: string): Format {
  const format = FORMATS.find((known) => known.name === name);
  if (format === undefined)
    throw new LabelsmithError('USAGE', notWritten(name), {
      hint: `The formats are ${FORMATS.map((known) => known.name).join(', ')}.`,
    });
  return format;
}

function notWritten(name: string): string {
  const isRead = FOREIGN_READERS.some((known) => known.name === name);
  return isRead ? `${name} is read, and not written` : `there is no format ${JSON.stringify(name)}`;
}

/**
 * Reads labels, one image after the other. A fault of the whole file ends the stream with one `BAD_FILE` error that names
 * line or key; nothing before it is taken back, so go through it once before writing anything.
 */
export async function* readFormat(name: ReaderName, path: string, options: ReadOptions): AsyncGenerator<ImportedImage> {
  const format = readerNamed(name);
  try {
    const found = await stat(path);
    if (!found.isDirectory()) await regularFileSize(path, path);
    const index = found.isDirectory() ? await indexIn(path) : null;
    if (index === null && format.kind === 'file' && !format.readsFolders && found.isDirectory())
      throw new LabelsmithError('USAGE', `${path} is a folder; ${name} is read from a file`);
    const read = index === null ? format.read(path, options) : readShards(format, path, index, options);
    for await (const image of read) {
      const named = withUsableNames(image, options.reckoning);
      if (named !== null) yield named;
    }
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new LabelsmithError('NOT_FOUND', absence(name, path, error as NodeJS.ErrnoException), { cause: error });
    if (code === 'EACCES' || code === 'EPERM')
      throw new LabelsmithError('BAD_FILE', `may not read ${name} from ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    throw error;
  }
}

/** Null, with a note, for an image that goes by no name that a file can have. */
function withUsableNames(image: ImportedImage, reckoning: Reckoning): ImportedImage | null {
  const names = [image.file, ...(image.otherNames ?? [])];
  const usable = names.filter(({ length }) => length <= MAX_NAME_CHARACTERS);
  if (usable.length === names.length) return image;
  const [file, ...otherNames] = usable;
  if (file !== undefined) return { ...image, file, otherNames };
  reckoning.note('image-unreadable', image.where, `a name of ${image.file.length} characters is none of a file`);
  return null;
}

/** What is not there: the path itself, or what a format looks for in it. */
function absence(name: ReaderName, path: string, { code, path: missing = path }: NodeJS.ErrnoException): string {
  if (code === 'ENOTDIR') return `${path} is a file; ${name} is read from a folder`;
  const within = relative(path, missing);
  return within === '' ? `${path} does not exist` : `${path}: there is no ${within} in it, which ${name} is read from`;
}

/** Which format something on disk looks like. */
export async function guessFormat(path: string): Promise<ReaderName> {
  return (await recogniseFormat(path)).format;
}
