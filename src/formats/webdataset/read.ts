/**
 * Reads WebDataset shards: members of a sample stand together and share the key before the first dot of their base name.
 * Resident: the labels of one sample.
 */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extract } from 'tar-stream';
import type { ImportedImage } from '../../core/dataset.ts';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { badFile, jsonOf, numberIn, shown } from '../check.ts';
import { filesInTurn } from '../files-in-turn.ts';
import type { ReadOptions } from '../format.ts';
import { imageOfJson } from '../jsonl/read.ts';
import type { Reckoning } from '../reckoning.ts';
import { regularFileSize } from '../special-files.ts';
import { isImageName, readSmallText } from '../walk.ts';

export const CLASSES_FILE = 'classes.txt';

/** Members of a sample are small but for its image, which is passed over. */
const MAX_MEMBER_BYTES = 1 << 28;

/** As `extract` gives it. */
type Member = AsyncIterable<unknown> & { readonly header: { readonly size?: number | null } };

/** What a shard says of one sample; members that mean nothing here (captions, masks as images) are left alone. */
interface Sample {
  readonly key: string;
  image: string | null;
  json: string | null;
  cls: string | null;
}

/** @param path a shard, or a folder of them */
export async function* readWebdataset(path: string, { reckoning }: ReadOptions): AsyncGenerator<ImportedImage> {
  const isFolder = (await stat(path)).isDirectory();
  const folder = isFolder ? path : join(path, '..');
  const shards = isFolder ? (await readdir(path)).filter((name) => name.endsWith('.tar')).sort() : [basename(path)];
  const classNames = await readClassNames(folder);
  if (shards.length === 0 && classNames === null) throw badFile(path, 'there are no tar files in it');
  const read = (shard: string) => readShard(join(folder, shard), shard, classNames, reckoning);
  if (isFolder) yield* filesInTurn(shards, reckoning, read);
  else yield* read(shards[0]);
}

async function readClassNames(folder: string): Promise<string[] | null> {
  const text = await readSmallText(join(folder, CLASSES_FILE), CLASSES_FILE);
  if (text === null) return null;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    if (!line.startsWith('"')) return line;
    const name = jsonOf(line, `${CLASSES_FILE}:${i + 1}`);
    if (typeof name !== 'string')
      throw badFile(`${CLASSES_FILE}:${i + 1}`, `a class name was expected, not ${shown(name)}`);
    return name;
  });
}

async function* readShard(
  path: string,
  shard: string,
  classNames: string[] | null,
  reckoning: Reckoning,
): AsyncGenerator<ImportedImage> {
  await regularFileSize(path, shard);
  const read = (sample: Sample) => {
    const image = reckoning.attempt('row-unreadable', () => imageOf(sample, shard, classNames, reckoning));
    if (image !== null) reckoning.take('rows');
    return image === null ? [] : [image];
  };
  const members = extract();
  const source = createReadStream(path);
  source.on('error', (error) => members.destroy(error));
  source.pipe(members);
  let sample: Sample | null = null;
  let last = '';
  try {
    for await (const member of members) {
      const name = member.header.name.replace(/^(?:\.\/)+/, '');
      last = name;
      const [, key, extension] = /^((?:.*\/)?[^./]+)(\.[^/]*)$/.exec(name) ?? [];
      const isFile = member.header.type === 'file' || member.header.type === 'contiguous-file';
      if (!isFile || key === undefined || extension === undefined) {
        member.resume();
        continue;
      }
      if (sample !== null && sample.key !== key) {
        yield* read(sample);
        sample = null;
      }
      sample ??= { key, image: null, json: null, cls: null };
      const kind = extension.toLowerCase();
      if (kind === '.json') sample.json = await textOf(member, `${shard} ${name}`);
      else if (kind === '.cls') sample.cls = await textOf(member, `${shard} ${name}`);
      else {
        if (isImageName(name) || kind === '.img') sample.image ??= name;
        member.resume();
      }
    }
  } catch (error) {
    if (error instanceof LabelsmithError) throw error;
    const where = last === '' ? shard : `${shard} after ${last}`;
    throw badFile(where, `not a whole tar file: ${messageOf(error)}`, undefined, error);
  } finally {
    source.destroy();
  }
  if (sample !== null) yield* read(sample);
  if (last === '' && (await stat(path)).size % 512 !== 0) throw badFile(shard, 'not a tar file');
  if (last !== '' && !(await hasEnd(path))) reckoning.note('archive-without-end', shard, `the last in it is ${last}`);
}

/** Whether the two blocks of zeros are there that end a tar file. */
async function hasEnd(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const end = Buffer.alloc(1024);
    const { bytesRead } = await file.read(end, 0, end.length, Math.max(0, size - end.length));
    return bytesRead === end.length && end.every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

async function textOf(member: Member, where: string): Promise<string> {
  const pieces: Buffer[] = [];
  if ((member.header.size ?? 0) > MAX_MEMBER_BYTES)
    throw badFile(where, `it is ${member.header.size} bytes, more than labels have`);
  for await (const piece of member as AsyncIterable<Buffer>) pieces.push(piece);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    throw badFile(where, 'the text is not UTF-8', 'Save it as UTF-8.', cause);
  }
}

function imageOf(
  { key, image, json, cls }: Sample,
  shard: string,
  classNames: string[] | null,
  reckoning: Reckoning,
): ImportedImage {
  const where = `${shard} ${key}`;
  const value = json === null ? null : jsonOf(json, `${where}.json`);
  // JSON of other tools says other things; ours names the file.
  if (typeof value === 'object' && value !== null && 'file' in value)
    return imageOfJson(value, `${where}.json`, reckoning);
  const file = image ?? key;
  const bare = { file, width: null, height: null, regions: [], where, split: null };
  if (cls === null) return { ...bare, labels: [] };
  const className = classNames === null ? cls.trim() : classNames[numberIn(cls, `${where}.cls`)];
  if (className === undefined || className === '')
    throw badFile(`${where}.cls`, `the class number ${shown(cls.trim())} is unknown; ${CLASSES_FILE} has 0 and up`);
  return { ...bare, labels: [{ className, confidence: null, origin: null, task: null }] };
}
