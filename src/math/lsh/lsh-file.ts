/**
 * An LSH index as one file: hyperplanes, codes and keys, without the vectors. The same index gives the same bytes.
 *
 * Layout: 8 bytes magic, the length of the header (uint32), the header (JSON, filled up with spaces to a multiple of 8),
 * then `planes` and `offsets` (float32), `codes` and `keys` (uint32), all little-endian.
 */
import { createHash } from 'node:crypto';
import { LabelsmithError } from '../../errors.ts';
import { matrix } from '../matrix.ts';
import type { Hashed, HashFamily } from './family.ts';
import type { LshIndex } from './lsh-index.ts';

const MAGIC = 'LbSmLSH1';

interface Header {
  readonly codeBits: number;
  readonly tables: number;
  readonly keyBits: number;
  readonly columns: number;
  readonly size: number;
  /** Of everything behind the header. */
  readonly sha256: string;
}

export function encodeLsh(index: LshIndex): Uint8Array {
  const { family } = index;
  const { codes, keys } = index.hashed();
  const sections = [family.planes.data, family.offsets, codes, keys].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  const hash = createHash('sha256');
  for (const section of sections) hash.update(section);
  const header: Header = {
    codeBits: family.codeBits,
    tables: family.tables,
    keyBits: family.keyBits,
    columns: index.columns,
    size: index.size,
    sha256: hash.digest('hex'),
  };
  const text = JSON.stringify(header);
  // Sections start at a multiple of 8 bytes.
  const padded = text.padEnd(text.length + ((8 - ((12 + text.length) % 8)) % 8));
  const start = Buffer.alloc(12);
  start.write(MAGIC, 'latin1');
  start.writeUInt32LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, 'latin1'), ...sections]);
}

/** What `new LshIndex(pool, family)` and `add(vectors, hashed)` take. */
export function decodeLsh(bytes: Uint8Array): { family: HashFamily; hashed: Hashed; size: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 12 || view.toString('latin1', 0, 8) !== MAGIC) throw broken('it does not start like one');
  const body = 12 + view.readUInt32LE(8);
  let header: Header;
  try {
    header = JSON.parse(view.toString('latin1', 12, body)) as Header;
  } catch (cause) {
    throw broken('its header does not parse', cause);
  }
  if (createHash('sha256').update(view.subarray(body)).digest('hex') !== header.sha256) {
    throw broken('it was cut or changed');
  }
  const { codeBits, tables, keyBits, columns, size } = header;
  const planes = codeBits + tables * keyBits;
  let at = body;
  const take = (length: number): ArrayBuffer => {
    const part = new Uint8Array(view.subarray(at, at + length * 4));
    at += length * 4;
    return part.buffer;
  };
  const family: HashFamily = {
    codeBits,
    tables,
    keyBits,
    planes: matrix(new Float32Array(take(planes * columns)), planes, columns),
    offsets: new Float32Array(take(planes)),
  };
  const codes = new Uint32Array(take((size * codeBits) / 32));
  return { family, hashed: { codes, keys: new Uint32Array(take(size * tables)) }, size };
}

function broken(why: string, cause?: unknown): LabelsmithError {
  return new LabelsmithError('BAD_FILE', `not an LSH index: ${why}`, {
    cause,
    hint: 'Delete it: it is made again from the vectors.',
  });
}
