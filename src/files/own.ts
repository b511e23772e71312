/**
 * What this program wrote before, and so may write over: everything else is somebody's.
 *
 * A folder has a marker in it, hidden, which readers of the formats pass over; it also tells what else somebody has put
 * there since. A file is known by how it begins or ends. Folders that 0.1.0 wrote have no marker: they are known by what
 * is in them, where that is unmistakable.
 */
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isEarlierFolder } from './earlier-folders.ts';

export const MARKER = '.labelsmith-export.json';

/** Names that a marker lists at most; of more it has the number. */
const MAX_LISTED = 1000;

const Marker = z.object({
  madeBy: z.literal('labelsmith'),
  /** `an export to coco` */
  what: z.string(),
  /** Names directly in the folder when it was made; null where there were too many to list. */
  entries: z.array(z.string()).nullable(),
  count: z.int(),
  /** Of what an export shows. */
  digest: z.string().optional(),
});

/** Written by the system, or by what trains on an export, without anybody asking. */
const LITTER = /^(?:\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|.*\.cache(?:\.npy)?)$/i;

export type Ownership =
  | { readonly kind: 'own' }
  | { readonly kind: 'foreign' }
  /** Ours, with something in it that is not. */
  | { readonly kind: 'mixed'; readonly names: readonly string[] };

/** The marker of a finished folder; the same content gives the same marker. @param facts what else it tells whoever opens it */
export async function writeMarker(
  folder: string,
  what: string,
  facts: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const names = (await readdir(folder)).sort();
  const marker: z.output<typeof Marker> = {
    madeBy: 'labelsmith',
    what,
    entries: names.length <= MAX_LISTED ? names : null,
    count: names.length,
  };
  await writeFile(join(folder, MARKER), `${JSON.stringify({ ...marker, ...facts })}\n`);
}

export async function ownershipOfFolder(folder: string): Promise<Ownership> {
  const names = (await readdir(folder)).filter((name) => name !== MARKER && !LITTER.test(name)).sort();
  const marker = await markerIn(folder);
  if (marker === null) return { kind: (await isEarlierFolder(folder, names)) ? 'own' : 'foreign' };
  const { entries, count } = marker;
  if (entries === null) return names.length <= count ? { kind: 'own' } : { kind: 'mixed', names: [] };
  const known = new Set(entries);
  const added = names.filter((name) => !known.has(name));
  return added.length === 0 ? { kind: 'own' } : { kind: 'mixed', names: added };
}

/** Null where there is none, or none of ours. */
export async function markerIn(folder: string): Promise<z.output<typeof Marker> | null> {
  const isFile = (await stat(join(folder, MARKER)).catch(() => null))?.isFile() ?? false;
  const text = isFile ? await readFile(join(folder, MARKER), 'utf8').catch(() => null) : null;
  if (text === null) return null;
  try {
    return Marker.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // no JSON: not ours
  }
}

/** How one kind of file of ours is known. */
export interface Signature {
  /** It begins so, a byte order mark aside. */
  readonly begins?: string;
  /** Its first 4 KiB hold this. */
  readonly holds?: string;
  /** Its last 64 KiB hold this. */
  readonly endHolds?: string;
}

const HEAD_BYTES = 4096;
const TAIL_BYTES = 65_536;

export async function hasSignature(path: string, { begins = '', holds = '', endHolds }: Signature): Promise<boolean> {
  // A pipe would never answer.
  if (!(await stat(path)).isFile()) return false;
  const file = await open(path, 'r');
  try {
    const head = (await bytesAt(file, 0, HEAD_BYTES)).toString('utf8').replace(/^\uFEFF/, '');
    if (!head.startsWith(begins) || !head.includes(holds)) return false;
    if (endHolds === undefined) return true;
    const { size } = await file.stat();
    return (await bytesAt(file, Math.max(0, size - TAIL_BYTES), TAIL_BYTES)).includes(endHolds);
  } finally {
    await file.close();
  }
}

async function bytesAt(file: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
