/**
 * Blobs that say what they are: a header (JSON, by a schema and a version) before the bytes, in one blob, so that the two
 * never speak of different things. What is there and does not fit, by its form, its version or its damage, is not there:
 * blobs can be made again.
 *
 * The form: `LSBLOB1\n`, the length of the header in bytes (32 bits, little-endian), the header with blanks at its end, the
 * bytes, which begin at a multiple of 8.
 */
import { z } from 'zod';
import type { BlobStore } from './blob-store.ts';

export interface BlobKind<Header> {
  /** From 1; another version is made again. */
  readonly version: number;
  readonly header: z.ZodType<Header>;
}

export interface DescribedBlob<Header> {
  readonly header: Header;
  readonly bytes: Uint8Array;
}

const MAGIC = Buffer.from('LSBLOB1\n');
const START = MAGIC.length + 4;
const ENVELOPE = z.object({ version: z.number(), header: z.unknown() });

export function putDescribed<Header>(
  blobs: Pick<BlobStore, 'put'>,
  key: string,
  { version }: BlobKind<Header>,
  { header, bytes }: DescribedBlob<Header>,
): Promise<void> {
  const text = Buffer.from(JSON.stringify({ version, header }));
  const head = Buffer.alloc(Math.ceil((START + text.length) / 8) * 8 - START, ' ');
  text.copy(head);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return blobs.put(key, Buffer.concat([MAGIC, length, head, bytes]));
}

export async function getDescribed<Header>(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  kind: BlobKind<Header>,
): Promise<DescribedBlob<Header> | undefined> {
  const found = await blobs.get(key);
  if (found === undefined) return undefined;
  const whole = Buffer.from(found.buffer, found.byteOffset, found.byteLength);
  if (whole.length < START || !whole.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const end = START + whole.readUInt32LE(MAGIC.length);
  if (end > whole.length) return undefined;
  const envelope = ENVELOPE.safeParse(jsonOf(whole.toString('utf8', START, end)));
  if (!envelope.success || envelope.data.version !== kind.version) return undefined;
  const header = kind.header.safeParse(envelope.data.header);
  return header.success ? { header: header.data, bytes: whole.subarray(end) } : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
