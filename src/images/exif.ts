/** What a camera says of a picture: when and by what it was taken. Reads an EXIF block, not a whole file. */
import ExifReader from 'exifreader';

export interface CameraFacts {
  /** Milliseconds since 1970; of local time taken as UTC where EXIF names no zone. Null where unknown. */
  readonly capturedAtMs: number | null;
  /** Make and model as one text; null where unknown. */
  readonly camera: string | null;
}

const WANTED = [
  'DateTimeOriginal',
  'DateTimeDigitized',
  'DateTime',
  'SubSecTimeOriginal',
  'OffsetTimeOriginal',
  'OffsetTime',
  'Make',
  'Model',
];

/** Blocks of cameras have some 50 KB, with a thumbnail; of megabytes, reading takes seconds and gigabytes. */
const MAX_BLOCK_BYTES = 2 ** 20;
/** A name; whatever is longer was not written by a camera. */
const MAX_TEXT_LENGTH = 100;

const NOTHING: CameraFacts = { capturedAtMs: null, camera: null };

/** `exif` as libvips gives it: `Exif\0\0` and a TIFF block, or the block alone. A broken block says nothing. */
export function cameraFactsOf(exif: Uint8Array | undefined): CameraFacts {
  if (exif === undefined) return NOTHING;
  const marked = exif[0] === 0x45 && exif[1] === 0x78 && exif[2] === 0x69 && exif[3] === 0x66;
  const block = marked ? exif.subarray(6) : exif;
  if (block.length < 8 || block.length > MAX_BLOCK_BYTES) return NOTHING;
  let tags: ExifReader.Tags;
  try {
    // Copied, since the reader takes an ArrayBuffer from its start, and a Buffer is a piece of a larger one.
    tags = ExifReader.load(new Uint8Array(block).buffer, { includeTags: { exif: WANTED } });
  } catch {
    // EXIF is not part of the picture: editors leave broken blocks behind, and an image is none the worse for it.
    return NOTHING;
  }
  const text = (name: keyof ExifReader.Tags) => {
    const value: unknown = (tags[name] as { value?: unknown } | undefined)?.value;
    const first = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' ? first.slice(0, MAX_TEXT_LENGTH).replaceAll('\0', '').trim() : '';
  };
  const taken = text('DateTimeOriginal') || text('DateTimeDigitized') || text('DateTime');
  const [make, model] = [text('Make'), text('Model')];
  // Models often begin with the maker's name.
  const camera = model.toLowerCase().startsWith(make.toLowerCase()) ? model : `${make} ${model}`.trim();
  return {
    capturedAtMs: timeOf(taken, text('SubSecTimeOriginal'), text('OffsetTimeOriginal') || text('OffsetTime')),
    camera: camera === '' ? null : camera,
  };
}

/** `2024:05:31 10:20:30`, a fraction's digits, and `+02:00`; null where it is not a time (cameras write blanks and zeros). */
function timeOf(taken: string, fraction: string, offset: string): number | null {
  const parts = /^(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(taken);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year < 1826 || month < 1 || month > 12 || day < 1 || day > 31) return null;
  const milliseconds = /^\d+$/.test(fraction) ? Math.round(Number(`0.${fraction}`) * 1000) : 0;
  const zone = /^([+-])(\d\d):(\d\d)$/.exec(offset);
  const minutesEast = zone === null ? 0 : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - minutesEast * 60_000;
}
