/**
 * Which files of a folder are COCO's: `annotations.json` or one JSON file a split as we write them, `annotations/
 * instances_SPLIT.json` of COCO itself, CVAT and Datumaro, `SPLIT/_annotations.coco.json` of Roboflow, `labels.json`
 * beside `data/` of FiftyOne.
 */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { textOfHead } from '../encodings.ts';
import type { Reckoning } from '../reckoning.ts';
import { splitOfName } from '../split-names.ts';
import { listFolder } from '../walk.ts';

export interface CocoPlace {
  /** Below the folder, `/` between parts. */
  readonly name: string;
  readonly split: string | null;
  /** The folder that file names count from, below the folder, with a slash at its end; empty: the folder itself. */
  readonly base: string;
  /** Annotations without a box are classes of whole images. */
  readonly imageLabels: boolean;
}

/** How deep JSON files are looked for. */
const MAX_LEVELS = 3;
const ANNOTATIONS = 'annotations';
/** What annotations of one image set are called, best first: the same objects stand in several of them. */
const KINDS = ['instances', 'person_keypoints', 'keypoints', 'labels'] as const;
/** Files of COCO's family that hold no objects. */
const OTHERS = /^(?:captions|panoptic|stuff|image_info)_/i;
/** So much of a file tells what it is. */
const HEAD_BYTES = 1 << 16;

/** Sorted by name; files that hold the same again or something else are told. */
export async function cocoPlaces(root: string, reckoning: Reckoning): Promise<CocoPlace[]> {
  const names = await jsonFiles(root, '', 0);
  const own = names.filter((name) => !name.includes('/'));
  if (own.includes('annotations.json')) return [placeOf('annotations.json')];
  const taken = new Map<string, CocoPlace & { rank: number }>();
  for (const name of names) {
    const file = name.slice(name.lastIndexOf('/') + 1);
    if (OTHERS.test(file)) {
      reckoning.note('file-passed-over', name, 'it holds no objects');
      continue;
    }
    if (!(await looksLikeCoco(join(root, name)))) {
      reckoning.note('file-passed-over', name, 'it is no COCO file');
      continue;
    }
    const rank = KINDS.findIndex((kind) => file.startsWith(`${kind}_`));
    const set = rank < 0 ? name : `${name.slice(0, -file.length)}${file.slice((KINDS[rank]?.length ?? 0) + 1)}`;
    const known = taken.get(set);
    const place = { ...placeOf(name), rank };
    const [better, worse] = known === undefined || known.rank > rank ? [place, known] : [known, place];
    taken.set(set, better);
    if (worse !== undefined)
      reckoning.note(
        'file-passed-over',
        worse.name,
        `${better.name} has the same objects; import it by its name instead`,
      );
  }
  const places = [...taken.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  // One file by itself is all there is, whatever it is called; several that lie together are sets.
  const isAlone = places.length === 1 && places[0].split !== null && splitOfName(places[0].split) === null;
  return isAlone ? [{ ...places[0], split: null }] : places;
}

/** @param name below the folder */
function placeOf(name: string): CocoPlace {
  const parts = name.split('/');
  const file = parts.pop() ?? name;
  const stem = file.replace(/\.json$/i, '');
  const kind = KINDS.find((known) => stem.startsWith(`${known}_`));
  const said = kind === undefined ? stem : stem.slice(kind.length + 1);
  const folders = parts.filter((part) => part.toLowerCase() !== ANNOTATIONS);
  const ofFolder = folders.map(splitOfName).find((split) => split !== null) ?? null;
  // A file alone in the folder that is called by anything but a split, such as `labels`, is of no split.
  const plain = said === 'default' || /^(?:_?annotations(?:\.coco)?|labels|data|coco|result|results)$/i.test(said);
  const ofFile = splitOfName(said) ?? (plain || parts.length > 0 ? null : said);
  const base = folders.map((part) => `${part}/`).join('');
  return { name, split: ofFolder ?? ofFile, base, imageLabels: kind === 'labels' };
}

async function jsonFiles(root: string, below: string, level: number): Promise<string[]> {
  const { files, folders } = await listFolder(join(root, below));
  const found = files.filter((file) => file.toLowerCase().endsWith('.json')).map((file) => below + file);
  if (level < MAX_LEVELS)
    for (const folder of folders) found.push(...(await jsonFiles(root, `${below}${folder}/`, level + 1)));
  return found;
}

/** Whether the file begins as COCO's do; its lists may come in any order. */
export async function looksLikeCoco(path: string): Promise<boolean> {
  const isFile = (await stat(path).catch(() => null))?.isFile() ?? false;
  const file = isFile ? await open(path, 'r').catch(() => null) : null;
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = textOfHead(buffer.subarray(0, bytesRead));
    if (/^\s*(?:\uFEFF)?\s*\[/.test(head)) return /"image_id"\s*:/.test(head) && /"category_id"\s*:/.test(head);
    return /"(?:images|annotations|categories)"\s*:\s*\[/.test(head);
  } finally {
    await file.close();
  }
}
