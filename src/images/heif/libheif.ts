/**
 * One HEIF file decoded by libheif's WebAssembly build, through libheif's own C interface (libheif/heif.h): the first
 * argument of a call that can fail is where its `heif_error` goes, three 32-bit words: code, sub-code, message.
 *
 * libheif applies the file's own turns and mirrors (`irot`, `imir`) and its crop (`clap`); the orientation of an EXIF block
 * says the same again and is not to be applied (ISO/IEC 23008-12, annex A.2.1). Runs in a thread of its own, since it
 * computes for about a second on 12 million pixels.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tiffFile } from '../tiff/write.ts';

export interface HeifImage {
  /** The primary image, upright, as an uncompressed TIFF file with its colour profile. */
  readonly tiff: Uint8Array<ArrayBuffer>;
  /** The TIFF block of its EXIF data. */
  readonly exif: Uint8Array<ArrayBuffer> | null;
  /** Images of the file that stand for themselves: those of a burst, say. */
  readonly images: number;
}

export interface HeifFailure {
  readonly reason: 'too-large' | 'truncated' | 'corrupt' | 'unsupported' | 'memory';
  /** What libheif said. */
  readonly message: string;
}

type Pointer = number;

/** What is used of the module. */
interface Libheif {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(bytes: number): Pointer;
  _free(at: Pointer): void;
  _heif_context_alloc(): Pointer;
  _heif_context_free(context: Pointer): void;
  _heif_context_set_maximum_image_size_limit(context: Pointer, side: number): void;
  _heif_context_read_from_memory_without_copy(
    error: Pointer,
    context: Pointer,
    bytes: Pointer,
    length: number,
    options: 0,
  ): void;
  _heif_context_get_number_of_top_level_images(context: Pointer): number;
  _heif_context_get_primary_image_handle(error: Pointer, context: Pointer, handle: Pointer): void;
  _heif_image_handle_release(handle: Pointer): void;
  _heif_image_handle_get_width(handle: Pointer): number;
  _heif_image_handle_get_height(handle: Pointer): number;
  _heif_image_handle_has_alpha_channel(handle: Pointer): number;
  _heif_image_handle_get_raw_color_profile_size(handle: Pointer): number;
  _heif_image_handle_get_raw_color_profile(error: Pointer, handle: Pointer, out: Pointer): void;
  _heif_image_handle_get_list_of_metadata_block_IDs(
    handle: Pointer,
    type: Pointer,
    ids: Pointer,
    count: number,
  ): number;
  _heif_image_handle_get_metadata_size(handle: Pointer, id: number): number;
  _heif_image_handle_get_metadata(error: Pointer, handle: Pointer, id: number, out: Pointer): void;
  _heif_decode_image(
    error: Pointer,
    handle: Pointer,
    image: Pointer,
    colourSpace: number,
    chroma: number,
    options: 0,
  ): void;
  _heif_image_release(image: Pointer): void;
  _heif_image_get_width(image: Pointer, channel: number): number;
  _heif_image_get_height(image: Pointer, channel: number): number;
  _heif_image_get_plane_readonly2(image: Pointer, channel: number, stride: Pointer): Pointer;
}

const COLOUR_SPACE_RGB = 1;
const [CHROMA_RGB, CHROMA_RGBA] = [10, 11] as const;
const CHANNEL_INTERLEAVED = 10;
/** `heif_error_code` and `heif_suberror_code` that say more than "damaged". */
const [UNSUPPORTED_FILETYPE, UNSUPPORTED_FEATURE, MEMORY_ALLOCATION] = [3, 4, 6] as const;
const [END_OF_DATA, SECURITY_LIMIT] = [100, 1000] as const;
/** Beyond any camera's. */
const [MAX_EXIF_BYTES, MAX_ICC_BYTES] = [2 ** 20, 2 ** 22] as const;

export class HeifError extends Error {
  readonly failure: HeifFailure;

  constructor(failure: HeifFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export class HeifDecoder {
  readonly #lib: Libheif;

  constructor() {
    const require = createRequire(import.meta.url);
    const create = require('libheif-js/libheif-wasm/libheif.js') as (options: unknown) => Libheif;
    const wasmBinary = readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'));
    // It would print warnings of its own over the program's output.
    this.#lib = create({ wasmBinary, print: () => {}, printErr: () => {} });
  }

  /** Memory of the module in bytes; it never shrinks. */
  get heapBytes(): number {
    return this.#lib.HEAPU8.length;
  }

  /** Fails with `HeifError`; after any other failure the decoder must not be used again. */
  decode(bytes: Uint8Array, maxPixels: number): HeifImage {
    const lib = this.#lib;
    const frees: (() => void)[] = [];
    try {
      const allocate = (size: number): Pointer => {
        const at = lib._malloc(size);
        if (at === 0) throw new HeifError({ reason: 'memory', message: 'no memory' });
        frees.push(() => lib._free(at));
        return at;
      };
      const error = allocate(12);
      const out = allocate(4);
      const word = (at: Pointer) => lib.HEAPU32[at >>> 2];
      const checked = () => {
        const [code, subCode, message] = [word(error), word(error + 4), word(error + 8)];
        if (code !== 0) throw new HeifError({ reason: reasonOf(code, subCode), message: this.#text(message) });
      };
      const input = allocate(bytes.length);
      lib.HEAPU8.set(bytes, input);
      const context = lib._heif_context_alloc();
      frees.push(() => lib._heif_context_free(context));
      lib._heif_context_set_maximum_image_size_limit(context, Math.ceil(Math.sqrt(maxPixels)));
      lib._heif_context_read_from_memory_without_copy(error, context, input, bytes.length, 0);
      checked();
      lib._heif_context_get_primary_image_handle(error, context, out);
      checked();
      const handle = word(out);
      frees.push(() => lib._heif_image_handle_release(handle));
      const pixels = lib._heif_image_handle_get_width(handle) * lib._heif_image_handle_get_height(handle);
      if (pixels > maxPixels) throw new HeifError({ reason: 'too-large', message: `${pixels} pixels` });
      const channels = lib._heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
      lib._heif_decode_image(error, handle, out, COLOUR_SPACE_RGB, channels === 4 ? CHROMA_RGBA : CHROMA_RGB, 0);
      checked();
      const image = word(out);
      frees.push(() => lib._heif_image_release(image));
      const plane = lib._heif_image_get_plane_readonly2(image, CHANNEL_INTERLEAVED, out);
      const stride = word(out);
      const width = lib._heif_image_get_width(image, CHANNEL_INTERLEAVED);
      const height = lib._heif_image_get_height(image, CHANNEL_INTERLEAVED);
      if (plane === 0 || width < 1 || height < 1) throw new HeifError({ reason: 'corrupt', message: 'no pixels' });
      const iccBytes = lib._heif_image_handle_get_raw_color_profile_size(handle);
      let icc: Uint8Array | undefined;
      if (iccBytes > 0 && iccBytes <= MAX_ICC_BYTES) {
        const profile = allocate(iccBytes);
        lib._heif_image_handle_get_raw_color_profile(error, handle, profile);
        if (word(error) === 0) icc = lib.HEAPU8.slice(profile, profile + iccBytes);
      }
      const exif = this.#exif(handle, error, allocate);
      const row = (y: number) => lib.HEAPU8.subarray(plane + y * stride, plane + y * stride + width * channels);
      const tiff = tiffFile({ width, height, channels, icc, row });
      return { tiff, exif, images: lib._heif_context_get_number_of_top_level_images(context) };
    } finally {
      for (const free of frees.reverse()) free();
    }
  }

  /** The block begins with four bytes that say how far its TIFF header is from behind them. A broken one says nothing. */
  #exif(handle: Pointer, error: Pointer, allocate: (size: number) => Pointer): Uint8Array<ArrayBuffer> | null {
    const lib = this.#lib;
    const type = allocate(5);
    lib.HEAPU8.set(Buffer.from('Exif\0', 'latin1'), type);
    const ids = allocate(4);
    if (lib._heif_image_handle_get_list_of_metadata_block_IDs(handle, type, ids, 1) < 1) return null;
    const id = lib.HEAPU32[ids >>> 2];
    const size = lib._heif_image_handle_get_metadata_size(handle, id);
    if (size < 12 || size > MAX_EXIF_BYTES) return null;
    const at = allocate(size);
    lib._heif_image_handle_get_metadata(error, handle, id, at);
    if (lib.HEAPU32[error >>> 2] !== 0) return null;
    const block = lib.HEAPU8.slice(at, at + size);
    const start = 4 + new DataView(block.buffer).getUint32(0);
    return start < size ? block.slice(start) : null;
  }

  #text(at: Pointer): string {
    if (at === 0) return '';
    const { HEAPU8 } = this.#lib;
    const end = HEAPU8.indexOf(0, at);
    return Buffer.from(HEAPU8.subarray(at, Math.min(end, at + 200))).toString('utf8');
  }
}

function reasonOf(code: number, subCode: number): HeifFailure['reason'] {
  if (subCode === SECURITY_LIMIT) return 'too-large';
  if (subCode === END_OF_DATA) return 'truncated';
  if (code === MEMORY_ALLOCATION) return 'memory';
  return code === UNSUPPORTED_FILETYPE || code === UNSUPPORTED_FEATURE ? 'unsupported' : 'corrupt';
}
