/**
 * What a hub model's `preprocessor_config.json` says, as an input of a bundle.
 *
 * Guarantees: every field that changes pixels is understood or the model is refused by the field's name; nothing is guessed
 * where a field is left out but what the publisher's own processor of that type would take. Types and defaults are those of
 * Python's `transformers` (`image_processing_*.py`).
 */
import type { PillowSize, Resample } from '../../core/pillow.ts';
import { LabelsmithError } from '../../errors.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../backbones.ts';
import type { InputSpec } from '../bundle.ts';

export type ProcessorConfig = Readonly<Record<string, unknown>>;

/** The part of an input that a processor decides. */
export type ProcessedInput = Pick<
  InputSpec,
  'width' | 'height' | 'fit' | 'pad' | 'kernel' | 'pillow' | 'scale' | 'mean' | 'std'
>;

interface Defaults {
  readonly resample: Resample;
  readonly crop?: boolean;
  readonly normalise?: boolean;
  /** Made smaller in floats with nothing averaged, by straight lines alone. */
  readonly sampled?: boolean;
  /**
   * What `do_pad` means: to a square before resizing; to the largest of several images, which one is; to the input's size with
   * zeros, once colours are normalised. Default: refused.
   */
  readonly pads?: 'square' | 'batch' | 'zeros';
  /** Where `size` is the shorter side alone, and `max_size` is not given: what the longer side is at most. */
  readonly longest?: number;
  /** Sides that are left open are cut down to multiples of it. */
  readonly multiple?: number;
  /** `size` as a number alone is both sides, of which the middle may be cut out, and not the shorter one. */
  readonly square?: boolean;
  /** Colours are scaled before the image is made smaller, so nothing is rounded to bytes. */
  readonly averaged?: boolean;
  /** `rescale_offset` takes 1 off, and `include_top` divides by the deviation once more; what the latter is if not given. */
  readonly top?: boolean;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711];
const HALF = [0.5, 0.5, 0.5];
const IMAGENET = { mean: IMAGENET_MEAN, std: IMAGENET_STD };
const CENTRED = { mean: HALF, std: HALF };
const CLIP = { mean: CLIP_MEAN, std: CLIP_STD };

/** By the type's name without `ImageProcessor`, `FeatureExtractor`, `Fast` and `Pil`: what it takes where a field is left out. */
const TYPES: Readonly<Record<string, Defaults>> = {
  CLIP: { resample: 'bicubic', crop: true, ...CLIP },
  Siglip: { resample: 'bicubic', ...CENTRED },
  ViT: { resample: 'bilinear', ...CENTRED },
  Bit: { resample: 'bicubic', crop: true, ...CLIP },
  DeiT: { resample: 'bicubic', crop: true, square: true, ...CENTRED },
  Beit: { resample: 'bicubic', square: true, ...CENTRED },
  ConvNext: { resample: 'bicubic', ...CENTRED },
  DINOv3ViT: { resample: 'bilinear', averaged: true, ...IMAGENET },
  EfficientNet: { resample: 'bicubic', square: true, top: true, ...CENTRED },
  MobileNetV2: { resample: 'bilinear', crop: true, ...CENTRED },
  RTDetr: { resample: 'bilinear', normalise: false, ...IMAGENET },
  Detr: { resample: 'bilinear', ...IMAGENET, pads: 'batch', longest: 1333 },
  Yolos: { resample: 'bilinear', ...IMAGENET, pads: 'batch', longest: 1333, multiple: 16 },
  Owlv2: { resample: 'bilinear', ...CLIP, pads: 'square' },
  Sam: { resample: 'bilinear', ...IMAGENET, pads: 'zeros' },
  Sam2: { resample: 'bilinear', ...IMAGENET },
  RfDetr: { resample: 'bilinear', ...IMAGENET, pads: 'batch', sampled: true },
  GroundingDino: { resample: 'bilinear', ...IMAGENET, pads: 'batch' },
};

/** Fields that change nothing of what one image becomes, with what they may be; undefined: anything. */
const HARMLESS: Readonly<Record<string, readonly unknown[] | undefined>> = {
  image_processor_type: undefined,
  feature_extractor_type: undefined,
  processor_class: undefined,
  auto_map: [null],
  _valid_processor_keys: undefined,
  do_convert_rgb: [true, null],
  do_convert_annotations: undefined,
  format: undefined,
  do_reduce_labels: [false, null],
  do_flip_channel_order: [false, null],
  do_pad_square: [false, null],
  default_to_square: undefined,
  use_square_size: [false, null],
  data_format: ['channels_first', null],
  input_data_format: [null],
  device: [null],
  return_tensors: [null],
  return_segmentation_masks: undefined,
  masks_path: [null],
  annotations: [null],
  disable_grouping: undefined,
  image_seq_length: undefined,
  size_divisor: [null],
  mask_size: undefined,
  mask_pad_size: undefined,
};

/** Pillow's numbers of its filters. */
const FILTERS: readonly Resample[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

const READ = new Set(
  (
    'do_resize size resample do_center_crop crop_size do_rescale rescale_factor do_normalize image_mean image_std do_pad ' +
    'crop_pct pad_size max_size'
  ).split(' '),
);

/** @param name of the model, for refusals. @param imageSize of its config, where the file states no size. */
export function inputOfProcessor(name: string, config: ProcessorConfig, imageSize?: number): ProcessedInput {
  const read = new Fields(name, config);
  if ('pretrained_cfg' in config) return inputOfTimm(name, config);
  const type = typeOf(read);
  const defaults = TYPES[type];
  if (!defaults) throw read.refuse('image_processor_type', `is ${type}, which is not known here`);
  const known = new Set([...READ, ...(defaults.top === undefined ? [] : ['rescale_offset', 'include_top'])]);
  for (const key of Object.keys(config)) if (!known.has(key)) read.harmless(key);
  requirePadding(read, defaults);
  if (defaults.pads !== 'zeros' && (config.pad_size ?? null) !== null) {
    throw read.refuse('pad_size', `is ${JSON.stringify(config.pad_size)}, which is not done here`);
  }
  if (type !== 'ConvNext' && (config.crop_pct ?? null) !== null) {
    throw read.refuse('crop_pct', `means nothing to ${type}`);
  }
  const crop = read.flag('do_center_crop', defaults.crop ?? false) ? read.square('crop_size', imageSize) : undefined;
  const { size, side } = sizeOf(read, type, { ...defaults, crop, imageSize });
  const { width, height } = crop ?? side;
  const resample = read.filter(defaults.resample);
  if (size.kind === 'averaged' && resample === 'nearest')
    throw read.refuse('resample', 'is nearest, and the image is averaged');
  return {
    width,
    height,
    fit: 'cover',
    pad: [0, 0, 0],
    kernel: 'cubic',
    pillow: { resample, size },
    ...coloursOf(read, defaults),
  };
}

function coloursOf(read: Fields, defaults: Defaults): Pick<ProcessedInput, 'scale' | 'mean' | 'std'> {
  const scale = read.flag('do_rescale', true) ? read.number('rescale_factor', 1 / 255) : 1;
  const normalised = read.flag('do_normalize', defaults.normalise ?? true);
  const mean = normalised ? read.triple('image_mean', defaults.mean) : [0, 0, 0];
  const std = normalised ? read.triple('image_std', defaults.std) : [1, 1, 1];
  if (defaults.top === undefined) return normalised ? { scale, mean, std } : { scale };
  const offset = read.flag('do_rescale', true) && read.flag('rescale_offset', false) ? 1 : 0;
  const again = read.flag('include_top', defaults.top) ? read.triple('image_std', defaults.std) : [1, 1, 1];
  return { scale, mean: mean.map((value) => value + offset), std: std.map((value, i) => value * (again[i] ?? 1)) };
}

function requirePadding(read: Fields, { pads }: Defaults): void {
  const needed = pads === 'square' || pads === 'zeros';
  const padded = read.flag('do_pad', needed);
  if (padded && !pads) throw read.refuse('do_pad', 'is true, which is not done here');
  if (!padded && needed) throw read.refuse('do_pad', 'is false, and places are read off a square here');
}

function typeOf(read: Fields): string {
  const named = read.config.image_processor_type ?? read.config.feature_extractor_type;
  if (typeof named !== 'string') throw read.refuse('image_processor_type', 'is not given');
  return named.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
}

interface Side {
  readonly width: number;
  readonly height: number;
}

function sizeOf(
  read: Fields,
  type: string,
  {
    crop,
    imageSize,
    pads,
    sampled,
    averaged,
    multiple,
    square,
    longest: most,
  }: { readonly crop?: Side; readonly imageSize?: number } & Omit<Defaults, 'crop'>,
): { readonly size: PillowSize; readonly side: Side } {
  if (!read.flag('do_resize', true)) {
    if (!crop) throw read.refuse('do_resize', 'is false and no middle is cut out, so images have many sizes');
    return { size: { kind: 'none' }, side: crop };
  }
  const given = read.config.size ?? imageSize;
  const isSquare = typeof given === 'number' && square === true;
  const edge = isSquare ? undefined : typeof given === 'number' ? given : read.part('size', 'shortest_edge');
  if (type === 'ConvNext' && edge !== undefined) return convNextSize(read, edge);
  const maxSize = read.config.max_size ?? undefined;
  if (maxSize !== undefined && most === undefined) throw read.refuse('max_size', `means nothing to ${type}`);
  if (typeof given === 'number' && most !== undefined) {
    return openSize({ edge: given, longest: read.whole('max_size', most), multiple });
  }
  const exact = averaged ? 'averaged' : 'exact';
  if (typeof given === 'number' && !crop) return { size: { kind: exact }, side: { width: given, height: given } };
  const longest = read.part('size', 'longest_edge');
  if (pads === 'zeros') return zeroFilledSize(read, longest);
  if (edge !== undefined && longest !== undefined && pads === 'batch' && !sampled) {
    return openSize({ edge, longest, multiple });
  }
  if (edge !== undefined) {
    // One graph takes one size; such a detector is exported with its sides open and sees the whole image otherwise.
    if (longest !== undefined || !crop) throw read.refuse('size', 'leaves the sides of its input open');
    if (averaged) throw read.refuse('size', 'is the shorter side alone, and the image is averaged');
    return { size: { kind: 'shortest', edge }, side: crop };
  }
  const width = isSquare ? given : read.part('size', 'width');
  const height = isSquare ? given : read.part('size', 'height');
  if (width === undefined || height === undefined || longest !== undefined) {
    throw read.refuse('size', `is ${JSON.stringify(given)}, which is not known here`);
  }
  if (sampled) {
    const filter = read.filter('bilinear');
    if (filter !== 'bilinear')
      throw read.refuse('resample', `is ${filter}, and bilinear is what is done without averaging`);
    return { size: { kind: 'sampled' }, side: { width, height } };
  }
  if (pads === 'square') {
    if (width !== height) throw read.refuse('size', 'is no square');
    return { size: { kind: 'blurred-square' }, side: { width, height } };
  }
  if (crop && (crop.width > width || crop.height > height)) throw read.refuse('crop_size', 'is larger than size');
  if (crop && (crop.width !== width || crop.height !== height)) {
    if (averaged) throw read.refuse('crop_size', 'differs from size where the image is averaged');
    return { size: { kind: 'squashed', width, height }, side: crop };
  }
  return { size: { kind: exact }, side: { width, height } };
}

function openSize({ edge, longest, multiple }: { edge: number; longest: number; multiple: number | undefined }) {
  const side = longest - (longest % (multiple ?? 1));
  const size = { kind: 'open', edge, longest, ...(multiple === undefined ? {} : { multiple }) } as const;
  return { size, side: { width: side, height: side } };
}

/** What becomes 0 when the mean is taken off. */
function zeroFilledSize(read: Fields, longest: number | undefined): { readonly size: PillowSize; readonly side: Side } {
  const side = read.square('pad_size', longest);
  if (longest === undefined || side.width !== longest || side.height !== longest) {
    throw read.refuse('pad_size', 'is not a square of the longer side of size');
  }
  const scale = read.flag('do_rescale', true) ? read.number('rescale_factor', 1 / 255) : 1;
  const [red = 0, green = 0, blue = 0] = read.flag('do_normalize', true)
    ? read.triple('image_mean', IMAGENET_MEAN).map((mean) => mean / scale)
    : [];
  return { size: { kind: 'filled', fill: [red, green, blue] }, side };
}

/** Below 384 pixels the middle of a larger image, from there on the whole image. */
function convNextSize(read: Fields, edge: number): { readonly size: PillowSize; readonly side: Side } {
  const side = { width: edge, height: edge };
  if (edge >= 384) return { size: { kind: 'exact' }, side };
  return { size: { kind: 'shortest', edge: Math.trunc(edge / read.number('crop_pct', 224 / 256)) }, side };
}

/** timm's: the shorter side to the input's over `crop_pct`, then the middle (`timm.data.create_transform`). */
function inputOfTimm(name: string, config: ProcessorConfig): ProcessedInput {
  const inner = config.pretrained_cfg;
  const read = new Fields(name, isRecord(inner) ? inner : {}, 'pretrained_cfg.');
  const [channels, height, width] = read.numbers('input_size');
  if (channels !== 3 || !height || !width) throw read.refuse('input_size', 'is not of three channels');
  if (height !== width) throw read.refuse('input_size', 'is no square');
  const mode = read.config.crop_mode || 'center';
  if (mode !== 'center' && mode !== 'squash') {
    throw read.refuse('crop_mode', `is ${JSON.stringify(mode)}, which is not known here`);
  }
  if ((read.config.crop_border_pixels ?? 0) !== 0) throw read.refuse('crop_border_pixels', 'is not 0');
  const interpolation = read.config.interpolation || 'bicubic';
  const resample = FILTERS.find((one) => one === interpolation);
  if (!resample) throw read.refuse('interpolation', `is ${JSON.stringify(interpolation)}, which is not known here`);
  const edge = Math.floor(height / read.number('crop_pct', 0.875));
  if (mode === 'squash' && edge < height) throw read.refuse('crop_pct', 'makes the image smaller than the input');
  const size: PillowSize =
    mode === 'squash' ? { kind: 'squashed', width: edge, height: edge } : { kind: 'shortest', edge };
  return {
    width,
    height,
    fit: 'cover',
    pad: [0, 0, 0],
    kernel: 'cubic',
    scale: 1 / 255,
    pillow: { resample, size, middle: 'torch' },
    mean: read.triple('mean', IMAGENET_MEAN),
    std: read.triple('std', IMAGENET_STD),
  };
}

function isRecord(value: unknown): value is ProcessorConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads fields, and names the one that cannot be taken as it is. */
class Fields {
  readonly config: ProcessorConfig;
  readonly #name: string;
  readonly #prefix: string;

  constructor(name: string, config: ProcessorConfig, prefix = '') {
    this.#name = name;
    this.config = config;
    this.#prefix = prefix;
  }

  refuse(field: string, what: string): LabelsmithError {
    return new LabelsmithError(
      'UNSUPPORTED',
      `${this.#name} is not taken: ${this.#prefix}${field} of its preprocessor_config.json ${what}`,
      { hint: 'labelsmith models import FILE.onnx takes its ONNX file, with the input declared by you.' },
    );
  }

  harmless(field: string): void {
    const value = this.config[field];
    if (!(field in HARMLESS)) {
      if (value === null || value === false) return;
      throw this.refuse(field, `is ${JSON.stringify(value)}, and what that does to pixels is not known here`);
    }
    const allowed = HARMLESS[field];
    if (allowed && !allowed.includes(value)) {
      throw this.refuse(field, `is ${JSON.stringify(value)}, which is not done here`);
    }
  }

  flag(field: string, otherwise: boolean): boolean {
    const value = this.config[field] ?? otherwise;
    if (typeof value !== 'boolean') throw this.refuse(field, `is ${JSON.stringify(value)}, not true or false`);
    return value;
  }

  number(field: string, otherwise: number): number {
    const value = this.config[field] ?? otherwise;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.refuse(field, 'is no number');
    return value;
  }

  /** A positive whole number. */
  whole(field: string, otherwise: number): number {
    const value = this.number(field, otherwise);
    if (!Number.isInteger(value) || value < 1) throw this.refuse(field, `is ${value}`);
    return value;
  }

  numbers(field: string): number[] {
    const value = this.config[field];
    const list = Array.isArray(value) ? value.filter((one) => typeof one === 'number') : [];
    if (list.length === 0) throw this.refuse(field, 'is no list of numbers');
    return list;
  }

  triple(field: string, otherwise: readonly number[]): readonly number[] {
    const value = this.config[field] === undefined ? otherwise : this.numbers(field);
    if (value.length !== 3) throw this.refuse(field, 'has not one number a channel');
    return value;
  }

  /** A positive whole number within an object. */
  part(field: string, key: string): number | undefined {
    const whole = this.config[field];
    const value = isRecord(whole) ? whole[key] : undefined;
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
      throw this.refuse(field, `has ${key} ${JSON.stringify(value)}`);
    }
    return value;
  }

  /** A side, or two of them. */
  square(field: string, otherwise: number | undefined): Side {
    const value = this.config[field] ?? otherwise;
    if (typeof value === 'number') return { width: value, height: value };
    const width = this.part(field, 'width');
    const height = this.part(field, 'height');
    if (width === undefined || height === undefined) throw this.refuse(field, `is ${JSON.stringify(value)}`);
    return { width, height };
  }

  filter(otherwise: Resample): Resample {
    const value = this.config.resample ?? undefined;
    if (value === undefined) return otherwise;
    const found = typeof value === 'number' ? FILTERS[value] : FILTERS.find((one) => one === value);
    if (!found) throw this.refuse('resample', `is ${JSON.stringify(value)}, which is no filter of Pillow`);
    return found;
  }
}
