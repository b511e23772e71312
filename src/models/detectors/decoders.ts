/** Detectors' decoders as a table; a new kind of detector is a new row. */
import { decodeCenterNet } from './centernet.ts';
import type { Candidates, DecodeContext, Decoder } from './decoder.ts';
import { decodeDetr } from './detr.ts';
import { decodeListed, decodeYolov3 } from './listed.ts';
import { decodeNanoDet } from './nanodet.ts';
import { decodePhrases } from './phrases.ts';
import { decodeRetinaNet } from './retinanet.ts';
import { decodeYolov4 } from './yolov4.ts';
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
  retinanet: {
    outputs: ({ levels }) => levels.flatMap(({ scores, deltas }) => [scores, deltas]),
    decode: decodeRetinaNet,
  },
  yolov3: { outputs: ({ boxes, scores }) => [boxes, scores], decode: decodeYolov3 },
  yolov4: { outputs: ({ levels }) => levels.map(({ output }) => output), decode: decodeYolov4 },
  detr: { outputs: ({ logits, boxes }) => [logits, boxes], decode: decodeDetr },
  phrases: { outputs: ({ logits, boxes }) => [logits, boxes], decode: decodePhrases },
  listed: { outputs: ({ boxes, labels, scores }) => [boxes, labels, scores], decode: decodeListed },
};

/** The network's values that a decoder reads. */
export function outputsOf(decoder: Decoder): readonly string[] {
  return (DECODERS[decoder.kind].outputs as (decoder: Decoder) => readonly string[])(decoder);
}

/** Adds the decoder's nodes. */
export function decode(context: DecodeContext<Decoder>): Candidates {
  return (DECODERS[context.decoder.kind].decode as (context: DecodeContext<Decoder>) => Candidates)(context);
}

/** Inputs of the network besides the image, which are the same for every image: shape [1, 2], height and width each. */
export function sizeInputsOf(decoder: Decoder): readonly string[] {
  return decoder.kind === 'yolov3' ? [decoder.imageSize] : [];
}
