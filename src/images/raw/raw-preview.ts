/**
 * The picture that a camera puts into its raw file: the largest JPEG of it, which is the photograph as the camera's screen
 * shows it, turned as the raw file says. Raw data is not developed. Own readers of the four structures there are:
 *
 * - TIFF directories (CR2, NEF, ARW, DNG, RW2, ORF and others): JPEGs named by tags 513 and 514, as a single strip, as
 *   Panasonic's tag 46, or by Olympus' maker note;
 * - Fujifilm's RAF header;
 * - boxes of an ISO base media file (CR3): the JPEG track, and the preview box.
 *
 * Reads what it is pointed at and no more; a file that is cut is told by what its own directories say lies beyond its end.
 */
import { endsWithinBox, isoBoxes } from '../iso-boxes.ts';
import { BadImageError } from '../reasons.ts';
import {
  type ByteRange,
  EXIF_DIRECTORY,
  MAKER_NOTE,
  PANASONIC_JPEG,
  type TiffDirectory,
  TiffFile,
} from '../tiff/directories.ts';
import { type EmbeddedJpeg, embeddedJpeg, jpegWithFacts, type RawFacts } from './jpeg-in-raw.ts';

/** Smaller than this is a thumbnail for the camera's list, not a picture to find things in. */
const MIN_SIDE = 320;

interface Found {
  /** Where there may be JPEGs. */
  readonly places: readonly ByteRange[];
  readonly facts: RawFacts | null;
  /** The file says that it goes on behind its last byte. */
  readonly cut: boolean;
}

/** JPEG bytes with an EXIF block that says orientation, camera and time. Fails with `BadImageError`. */
export function rawPreview(bytes: Uint8Array): Uint8Array {
  const { places, facts, cut } = structureOf(bytes);
  if (cut || places.some(({ start, length }) => start + length > bytes.length)) {
    throw new BadImageError('truncated', 'the camera raw file ends before its picture does');
  }
  let best: EmbeddedJpeg | null = null;
  for (const place of places) {
    const jpeg = embeddedJpeg(bytes, place);
    if (jpeg && (!best || jpeg.width * jpeg.height > best.width * best.height)) best = jpeg;
  }
  if (!best || Math.max(best.width, best.height) < MIN_SIDE) {
    const has = best ? `only a thumbnail of ${best.width} × ${best.height}` : 'no JPEG picture';
    throw new BadImageError(
      'unsupported',
      `the camera raw file holds ${has}, and raw data is not developed; develop the file to JPEG or TIFF and add it again`,
    );
  }
  return jpegWithFacts(bytes.subarray(best.start, best.start + best.length), facts);
}

function structureOf(bytes: Uint8Array): Found {
  const mark = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (mark.startsWith('FUJIFILMCCD-RAW')) return fujifilm(bytes);
  if (mark.startsWith('ftypcrx', 4)) return canonBoxes(bytes);
  return tiffBased(bytes);
}

// ── TIFF ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const JPEG_COMPRESSIONS = [6, 7, 99];
/** Tags of the places and lengths of pixel data: strips and tiles. */
const DATA_TAGS = [
  [273, 279],
  [324, 325],
] as const;

function tiffBased(bytes: Uint8Array): Found {
  const file = new TiffFile(bytes);
  const { directories, cut: directoriesCut } = file.all();
  const [main] = directories;
  if (!main) return { places: [], facts: null, cut: directoriesCut };
  const exif = directoryAt(file, main, EXIF_DIRECTORY);
  const places: ByteRange[] = [];
  let cut = directoriesCut || (exif ? exif.cut : main.numbers(EXIF_DIRECTORY).length > 0);
  for (const directory of directories) {
    const [start, length] = [directory.numbers(513)[0], directory.numbers(514)[0]];
    if (start !== undefined && length !== undefined) places.push({ start, length });
    const panasonic = directory.range(PANASONIC_JPEG);
    if (panasonic) places.push(panasonic);
    const isJpeg = JPEG_COMPRESSIONS.includes(directory.numbers(259)[0] ?? 1);
    for (const [startTag, lengthTag] of DATA_TAGS) {
      const [starts, lengths] = [directory.numbers(startTag), directory.numbers(lengthTag)];
      if (starts.length !== lengths.length) continue;
      cut ||= starts.some((at, i) => at !== NOWHERE && at + lengths[i] > bytes.length);
      if (isJpeg && starts.length === 1) places.push({ start: starts[0], length: lengths[0] });
    }
  }
  if (exif) places.push(...olympusPreview(bytes, exif));
  return { places, facts: factsOf(main, exif), cut };
}

/** What Panasonic writes where other fields say it. */
const NOWHERE = 0xffffffff;

function directoryAt(file: TiffFile, directory: TiffDirectory, tag: number): TiffDirectory | null {
  const [offset] = directory.numbers(tag);
  return offset === undefined ? null : file.directory(offset);
}

function factsOf(main: TiffDirectory, exif: TiffDirectory | null): RawFacts {
  const [orientation = 0] = main.numbers(274);
  return {
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 0,
    make: main.text(271),
    model: main.text(272),
    taken: exif?.text(36867) || main.text(36867) || main.text(306),
    subSeconds: exif?.text(37521) ?? '',
    zone: exif?.text(36881) ?? '',
  };
}

/**
 * Olympus and OM System: the maker's note is a TIFF block with offsets from its own start; its directory 0x2020 (camera
 * settings) names the preview by tags 0x101 and 0x102.
 */
function olympusPreview(bytes: Uint8Array, exif: TiffDirectory): ByteRange[] {
  const note = exif.range(MAKER_NOTE);
  if (!note) return [];
  const head = Buffer.from(bytes.subarray(note.start, note.start + 16)).toString('latin1');
  const skipped = head.startsWith('OLYMPUS\0') ? 12 : head.startsWith('OM SYSTEM\0') ? 16 : 0;
  if (skipped === 0) return [];
  const little = head[skipped === 12 ? 8 : 12] === 'I';
  const file = new TiffFile(bytes, note.start, little);
  const main = file.directory(skipped);
  const settings = main && directoryAt(file, main, 0x2020);
  const [start, length] = [settings?.numbers(0x101)[0], settings?.numbers(0x102)[0]];
  return start === undefined || length === undefined ? [] : [{ start: note.start + start, length }];
}

// ── RAF ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Big-endian places and lengths of the JPEG, of the sensor's header and of its data. The JPEG has EXIF of its own. */
const RAF_PLACES = [84, 92, 100] as const;

function fujifilm(bytes: Uint8Array): Found {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 108) return { places: [], facts: null, cut: true };
  const [jpeg, ...sensor] = RAF_PLACES.map((at) => ({ start: view.getUint32(at), length: view.getUint32(at + 4) }));
  const cut = sensor.some(({ start, length }) => start + length > bytes.length);
  return { places: [jpeg], facts: null, cut };
}

// ── CR3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Canon's boxes of metadata, within `moov`, and of the preview, beside it. */
const CANON_METADATA = '85c0b687820f11e08111f4ce462b6a48';
const CANON_PREVIEW = 'eaf42b5e1c984b88b9fbb7dc406e4d16';

function canonBoxes(bytes: Uint8Array): Found {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places: ByteRange[] = [];
  let facts: RawFacts | null = null;
  for (const box of isoBoxes(view)) {
    if (box.type === CANON_PREVIEW) {
      const start = Buffer.from(bytes.buffer, bytes.byteOffset + box.start, box.end - box.start).indexOf(
        '\xff\xd8\xff',
        0,
        'latin1',
      );
      if (start >= 0) places.push({ start: box.start + start, length: box.end - box.start - start });
    }
    if (box.type !== 'moov') continue;
    for (const inner of isoBoxes(view, box.start, box.end)) {
      if (inner.type === CANON_METADATA) facts = canonFacts(bytes, view, inner.start, inner.end);
      if (inner.type === 'trak') {
        const place = firstSample(view, inner.start, inner.end);
        if (place) places.push(place);
      }
    }
  }
  return { places, facts, cut: endsWithinBox(bytes) };
}

/** CMT1 and CMT2 are TIFF files: the main directory, and the one of EXIF. */
function canonFacts(bytes: Uint8Array, view: DataView, start: number, end: number): RawFacts | null {
  const directoryOf = new Map<string, TiffDirectory | null>();
  for (const box of isoBoxes(view, start, end)) {
    if (box.type !== 'CMT1' && box.type !== 'CMT2') continue;
    const file = new TiffFile(bytes.subarray(box.start, box.end));
    directoryOf.set(box.type, file.directory(file.first()));
  }
  const main = directoryOf.get('CMT1');
  return main ? factsOf(main, directoryOf.get('CMT2') ?? null) : null;
}

const TRACK_BOXES = ['mdia', 'minf', 'stbl'];

/** Where the first sample of a track lies: its size by `stsz`, its place by `co64` or `stco` (ISO/IEC 14496-12, 8.7). */
function firstSample(view: DataView, start: number, end: number): ByteRange | null {
  let [from, to] = [start, end];
  for (const name of TRACK_BOXES) {
    const box = [...isoBoxes(view, from, to)].find(({ type }) => type === name);
    if (!box) return null;
    [from, to] = [box.start, box.end];
  }
  let place: number | undefined;
  let length: number | undefined;
  for (const { type, start: at, end: last } of isoBoxes(view, from, to)) {
    if (type === 'stsz' && at + 12 <= last) {
      const same = view.getUint32(at + 4);
      if (same > 0) length = same;
      else if (at + 16 <= last) length = view.getUint32(at + 12);
    }
    if (type === 'co64' && at + 16 <= last) place = Number(view.getBigUint64(at + 8));
    if (type === 'stco' && at + 12 <= last) place = view.getUint32(at + 8);
  }
  return place === undefined || length === undefined ? null : { start: place, length };
}
