/** Converters as a table: from an entry's source files to one ONNX network. */
import type { Converter, ModelEntry } from './catalogue.ts';

export interface ConverterRow {
  /** Grows whenever the same files would be converted to another network. */
  readonly version: number;
  /** `files`: contents, in the order of the entry's source files. */
  readonly convert: (files: readonly Uint8Array[], entry: ModelEntry) => Uint8Array;
}

export const CONVERTERS: Readonly<Record<Converter, ConverterRow>> = {
  tfjs: {
    version: 1,
    convert: () => {
      throw new Error('pending');
    },
  },
  'gguf-mobilenetv3': {
    version: 1,
    convert: () => {
      throw new Error('pending');
    },
  },
  onnx: { version: 1, convert: ([onnx]) => onnx as Uint8Array },
};
