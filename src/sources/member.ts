/** One member of an archive that is open by position: its bytes as a whole, piece by piece, or its first few. */
import { LabelsmithError } from '../errors.ts';
import type { EntryBytes } from './entry.ts';
import { filePieces, readRange, refuseLarger, type SystemPath, withFile } from './file.ts';
import { SNIFFED_BYTES } from './names.ts';
import { readZipMember, type ZipPlace, zipMemberPieces } from './zip.ts';

/** Where a member's bytes are: in a zip, or at a position of a plain tar file. */
export type MemberPlace =
  | ({ readonly kind: 'zip' } & ZipPlace)
  | { readonly kind: 'tar'; readonly offset: number; readonly byteSize: number };

/** How an entry has its bytes. */
export function memberBytes(file: SystemPath, place: MemberPlace, shown: string): EntryBytes {
  return {
    pieces: () => memberPieces(file, place, shown),
    whole: (maxBytes) => readMember(file, place, shown, maxBytes),
    checksum: place.kind === 'zip' ? place.crc.toString(16) : undefined,
  };
}

/** One member piece by piece, where it lies. */
export function memberPieces(file: SystemPath, place: MemberPlace, shown: string): AsyncGenerator<Buffer> {
  if (place.kind === 'zip') return zipMemberPieces(file, place, shown);
  return filePieces(file, shown, () => ({ start: place.offset, byteSize: place.byteSize }));
}

/** Reads one member where it lies. */
export async function readMember(
  file: SystemPath,
  place: MemberPlace,
  shown: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (place.kind === 'zip') return readZipMember(file, place, shown, maxBytes);
  refuseLarger(place.byteSize, maxBytes, shown);
  return withFile(file, shown, (handle) => readRange(handle, place.offset, place.byteSize, shown));
}

/** The first bytes of a member; one that is damaged gives none. */
export async function headOf(file: SystemPath, place: MemberPlace): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of memberPieces(file, place, 'a member')) {
      pieces.push(piece);
      length += piece.length;
      if (length >= SNIFFED_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
  }
  return Buffer.concat(pieces, Math.min(length, SNIFFED_BYTES));
}
