/** Detectors' decoders as a table; a new kind of detector is a new row. */
import { decodeCenterNet } from './centernet.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { decodeNanoDet } from './nanodet.ts';
import { decodeYolox } from './yolox.ts';

type Of<K extends Decoder['kind']> = Extract<Decoder, { kind: K }>;

const DECODERS: {
  readonly [K in Decoder['kind']]: {
    readonly outputs: (decoder: Of<K>) => readonly string[];
    readonly decode: (context: DecodeContext<Of<K>>) => Candidates;
  };
} = {
  centernet: { outputs: ({ heatmap, distances }) => [heatmap, distances], decode: decodeCenterNet },
  nanodet: {
    outputs: ({ levels }) => levels.flatMap(({ scores, distances }) => [scores, distances]),
    decode: decodeNanoDet,
  },
  yolox: { outputs: ({ output }) => [output], decode: decodeYolox },
};

/** The network's values that a decoder reads. */
export function outputsOf(decoder: Decoder): readonly string[] {
  return (DECODERS[decoder.kind].outputs as (decoder: Decoder) => readonly string[])(decoder);
}

/** Adds the decoder's nodes. */
export function decode(context: DecodeContext<Decoder>): Candidates {
  return (DECODERS[context.decoder.kind].decode as (context: DecodeContext<Decoder>) => Candidates)(context);
}
