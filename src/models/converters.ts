/** Converters as a table: from an entry's source files to one ONNX network. */
import { LabelsmithError } from '../errors.ts';
import type { Converter, ModelEntry } from './bundle.ts';
import { networkOutputs } from './compose-model.ts';
import { BACKBONE_CONVERTER_VERSION, backboneOf } from './convert/backbone.ts';
import { EFFICIENTNET_LITE_CONVERTER_VERSION, efficientNetLiteToOnnx } from './convert/efficientnet-lite.ts';
import { EFFICIENTNET_LITE_RANGES } from './convert/efficientnet-lite-ranges.ts';
import { MOBILENETV3_CONVERTER_VERSION, mobileNetV3ToOnnx } from './convert/mobilenetv3.ts';
import { TFJS_CONVERTER_VERSION, tfjsToOnnx } from './convert/tfjs.ts';
import { selfContained } from './onnx-files.ts';

interface ConverterRow {
  /** Grows whenever the same files would be converted to another network. */
  readonly version: number;
  /** `files`: contents, in the order of the entry's source files. */
  readonly convert: (files: readonly Uint8Array[], entry: ModelEntry) => Uint8Array;
}

export const CONVERTERS: Readonly<Record<Converter, ConverterRow>> = {
  tfjs: {
    version: TFJS_CONVERTER_VERSION,
    convert: ([json, weights], entry) =>
      tfjsToOnnx(json, weights, {
        outputs: networkOutputs(entry),
        channelsFirst: entry.input.layout === 'NCHW',
      }),
  },
  'gguf-mobilenetv3': {
    version: MOBILENETV3_CONVERTER_VERSION,
    convert: ([gguf]) => mobileNetV3ToOnnx(gguf),
  },
  'efficientnet-lite': {
    version: EFFICIENTNET_LITE_CONVERTER_VERSION,
    convert: ([file]) => efficientNetLiteToOnnx(file),
  },
  'efficientnet-lite-int8': {
    version: EFFICIENTNET_LITE_CONVERTER_VERSION,
    convert: ([file], { id }) => {
      const ranges = EFFICIENTNET_LITE_RANGES[id];
      if (!ranges) throw new LabelsmithError('UNSUPPORTED', `the ranges of ${id} in 8-bit integers are not known`);
      return efficientNetLiteToOnnx(file, { ranges });
    },
  },
  onnx: { version: 1, convert: selfContained },
  'onnx-backbone': {
    version: BACKBONE_CONVERTER_VERSION,
    convert: (files, entry) => {
      const network = selfContained(files);
      return entry.role === 'embedder' && entry.votes ? backboneOf(network, entry.votes.output) : network;
    },
  },
};
