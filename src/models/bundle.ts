/**
 * A model as data: where its files come from, what its graphs take and give, what its results mean.
 *
 * The schemas are the only description; entries of the catalogue are checked by them in a test, imported ones whenever
 * they are read. Nothing here runs anything.
 */
import { z } from 'zod';
import { PLAIN_SIZES, RESAMPLES } from '../core/pillow.ts';
import { DECODER, valueName } from './decoder-spec.ts';

export const ROLES = ['detector', 'embedder', 'pose', 'segmenter', 'classifier', 'reader'] as const;
export type Role = (typeof ROLES)[number];

const id = z.string().regex(/^[a-z0-9_]+(-[a-z0-9_]+)*$/, 'is not of lower-case letters, digits and "-"');
/** Pixels. The bound is far beyond what any network takes, and keeps a made-up entry from filling the memory. */
const side = z.int().min(1).max(8192);
const byte = z.int().min(0).max(255);
const perChannel = z.array(z.number()).length(3).readonly();
const names = z.array(z.string()).min(1).readonly();

/**
 * How source files become ONNX, in the order in which the converter takes them: `tfjs` a TensorFlow.js graph model
 * (`model.json` and its one weight file), `gguf-mobilenetv3` a MobileNetV3-Small in a GGUF file with torchvision's
 * tensor names, `onnx` an ONNX file and the files of its weights, `onnx-backbone` the same of a classifier, which gets the
 * values `features` [n, dimensions], what its last layer takes, and where that is pooled over places `map` [n, dimensions,
 * height, width], `efficientnet-lite` an EfficientNet-Lite in a file of PyTorch's weights, `efficientnet-lite-int8` the same
 * in 8-bit integers.
 */
const CONVERTER_NAMES = [
  'tfjs',
  'gguf-mobilenetv3',
  'onnx',
  'onnx-backbone',
  'efficientnet-lite',
  'efficientnet-lite-int8',
] as const;
export type Converter = (typeof CONVERTER_NAMES)[number];

const SOURCE = z.object({
  files: z
    .array(
      z
        .object({
          reference: z.string(),
          /** More places of the same content, in the order in which they are tried; only where `sha256` is given. */
          otherPlaces: z.array(z.string()).readonly().optional(),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
          byteSize: z.int().min(1).optional(),
        })
        .refine(
          ({ otherPlaces, sha256 }) => !otherPlaces?.length || sha256 !== undefined,
          'names places of no known content',
        )
        .readonly(),
    )
    .min(1)
    .readonly(),
  converter: z.enum(CONVERTER_NAMES),
});
export type ModelSource = Readonly<z.infer<typeof SOURCE>>;

/** What a graph takes, and so how an image becomes its input. Callers always hand over RGB bytes, [n, height, width, 3]. */
const IMAGE_PROCESSOR = z.object({
  /** Name of the input in the converted model. */
  name: valueName,
  width: side,
  height: side,
  /**
   * `letterbox`: the whole image, its sides in proportion, at the top left, the rest filled with `pad`. `cover`: the
   * middle of the image, scaled so that it fills the input.
   */
  fit: z.enum(['letterbox', 'cover']),
  /**
   * How the image is made smaller, as sharp names it: what the model scores best with (CenterNet on 128 photographs: mAP
   * .324 linear, .330 lanczos3).
   */
  kernel: z.enum(['linear', 'cubic', 'lanczos3']),
  /** Whole images go in as Pillow and the hub's processors make them, in place of `fit` and `kernel`. */
  pillow: z
    .object({
      resample: z.enum(RESAMPLES),
      middle: z.literal('torch').optional(),
      size: z.discriminatedUnion('kind', [
        z.object({ kind: z.enum(PLAIN_SIZES) }),
        z.object({ kind: z.literal('shortest'), edge: side }),
        z.object({ kind: z.literal('open'), edge: side, longest: side, multiple: side.optional() }),
        z.object({ kind: z.literal('squashed'), width: side, height: side }),
        z.object({ kind: z.literal('filled'), fill: z.tuple([z.number(), z.number(), z.number()]).readonly() }),
      ]),
    })
    .optional(),
  /** RGB; only for `letterbox`. */
  pad: z.tuple([byte, byte, byte]).readonly(),
  /** Default `NCHW`; `CHW` and `HWC` are without the number of images. */
  layout: z.enum(['NCHW', 'NHWC', 'CHW', 'HWC']).optional(),
  /** Order of the channels that the model takes (default `RGB`). */
  colours: z.enum(['RGB', 'BGR']).optional(),
  /** Multiplies the 0 to 255 of each channel, before mean and std (default 1). */
  scale: z.number().optional(),
  /** Taken off each channel, in the model's order of colours (default 0). */
  mean: perChannel.optional(),
  /** Each channel is divided by it, in the model's order of colours (default 1). */
  std: perChannel.optional(),
  /** Default `float32`. */
  dtype: z.enum(['float32', 'float16', 'int32', 'uint8']).optional(),
});
export type InputSpec = Readonly<z.infer<typeof IMAGE_PROCESSOR>>;

/** How text becomes a graph's input. */
const TEXT_PROCESSOR = z.object({
  /** Name of the input that takes token ids, [n, tokens]; one named `attention_mask` gets ones, should the graph have it. */
  name: valueName,
  /** The tokenizer's files among the graph's files, as Hugging Face writes them (`tokenizer.json`, `tokenizer_config.json`). */
  tokenizerFile: z.int().min(0),
  tokenizerConfigFile: z.int().min(0),
  /** Longer texts are cut, before the end token. */
  maxTokens: z.int().min(2).max(65_536),
  /** What every text is filled up to `maxTokens` with; null: texts go in at their own length. */
  padId: z.int().min(0).nullable(),
  /** What ends a text, where the tokenizer may leave it out. */
  endId: z.int().min(0).optional(),
  /** The network was trained on lower case, and the tokenizer does not see to it. */
  lowerCase: z.boolean().optional(),
});

/** A graph beside the one that takes images: the text side of an embedder, the prompt decoder of a segmenter, what reads a line. */
const FURTHER_GRAPH = z.object({
  source: SOURCE.readonly(),
  takes: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('text'), processor: TEXT_PROCESSOR.readonly() }),
    /** Values by name, made by the code that runs it. */
    z.object({ kind: z.literal('values'), inputs: names }),
  ]),
  outputs: names,
});

const ENTRY = z.object({
  /** What people call it by: lower case, digits and `-`. */
  id,
  /** SPDX identifier, or `unknown` when nobody declared one. */
  licence: z.string(),
  /** One line. */
  description: z.string(),
  /** What its publisher says that it scores, and on what. */
  stated: z.string().optional(),
  /** What it scored when this version was made, and on what; without it nobody ran it then. */
  measured: z.string().optional(),
  source: SOURCE.readonly(),
  input: IMAGE_PROCESSOR.readonly(),
  /** By what they are for: `text`, `prompt`, `line`. */
  graphs: z.record(z.string(), FURTHER_GRAPH.readonly()).optional(),
});

/** How words become what a network looks for, where its classes are words that come with every run. */
const WORDS = z.discriminatedUnion('kind', [
  z.object({
    /** A vector a word, which is compared with a vector of every box (OWL). */
    kind: z.literal('vectors'),
    /** The value [1, words, dimensions] that the network makes of token ids, and reads instead of them. */
    vectors: valueName,
  }),
  /** All words in one sentence, each ended by a full stop (Grounding DINO). */
  z.object({ kind: z.literal('sentence') }),
]);

const DETECTOR = ENTRY.extend({
  role: z.literal('detector'),
  decoder: DECODER.readonly(),
  /** None where classes are words. */
  classNames: z.array(z.string()).readonly(),
  words: WORDS.readonly().optional(),
}).refine(({ classNames, words }) => (classNames.length === 0) === (words !== undefined), 'names no class');

/**
 * Several looks at an image in one vector: what layers say at several sizes of the image, on average over its places and
 * how unevenly. `docs/discover.md` has the measurements.
 */
const VIEWS = z.object({
  /** Sides of the square in pixels, each a pass of the network. The largest is what is decoded. */
  sizes: z.array(side).min(1).readonly(),
  /** One block of the vector each. */
  parts: z
    .array(
      z.object({
        /** The value that is pooled over places, [n, channels, height, width]. */
        layer: valueName,
        channels: z.int().min(1),
        pool: z.enum(['mean', 'deviation']),
        /** What the block counts when vectors are compared. */
        weight: z.number().positive(),
      }),
    )
    .min(1)
    .readonly(),
});
export type ViewRecipe = Readonly<z.infer<typeof VIEWS>>;
export type ViewPart = ViewRecipe['parts'][number];

/** Lists of classes that networks share, with the meaning of each class (`corpus/vote-classes.ts`). */
export const VOTE_CLASSES = ['imagenet-1000'] as const;
export type VoteClasses = (typeof VOTE_CLASSES)[number];

/** What a network that also classifies says of an image; see `VOTES` of `compose-model.ts` for what is kept of it. */
const VOTES = z.object({
  /** Shape [n, classes], with any number of ones behind. */
  output: valueName,
  /** Whether the output is logits (before softmax) or probabilities. */
  outputKind: z.enum(['logits', 'probabilities']),
  classes: z.enum(VOTE_CLASSES),
});
export type VotesSpec = Readonly<z.infer<typeof VOTES>>;

const EMBEDDER = ENTRY.extend({
  role: z.literal('embedder'),
  /** The value that is the embedding: its shape is [n, dimensions], with any number of ones behind. */
  output: valueName,
  /** Length of the embedding. */
  dimensions: z.int().min(1),
  /** Where the output is [n, tokens, dimensions]: its first token, or the mean of all. */
  tokens: z.enum(['first', 'mean']).optional(),
  /** How its vectors were trained against those of the graph `text`; only where there is one. */
  pairing: z.enum(['softmax', 'sigmoid']).optional(),
  /** How its embedding is made richer where nothing else is asked for; only for networks that take any input size. */
  views: VIEWS.readonly().optional(),
  /** Kept beside the embedding; where the network does not classify, there is none. */
  votes: VOTES.readonly().optional(),
  /** Where it was trained on people's labels here: of which embedder, and the labels of which task. */
  tuned: z.object({ of: z.string(), task: z.string() }).readonly().optional(),
});

const POSE = ENTRY.extend({
  role: z.literal('pose'),
  /** Shape [1, 1, keypoints, 3]: y and x as fractions of the input's height and width, and a score. */
  output: valueName,
  keypointNames: names,
});

const CLASSIFIER = ENTRY.extend({
  role: z.literal('classifier'),
  /** Shape [n, classes]. */
  output: valueName,
  /** Whether the output is logits (before softmax) or probabilities. */
  outputKind: z.enum(['logits', 'probabilities']),
  classNames: names,
});

/**
 * Masks of what is in boxes: its graph is run once an image, and its graph `prompt` on what came of it and on boxes, in pixels of
 * the input.
 */
const SEGMENTER = ENTRY.extend({
  role: z.literal('segmenter'),
  /** What the graph makes of an image, and the graph `prompt` takes under the same names. */
  values: names,
  /** Whether it takes boxes, or one at a time as its corners (`compose-corners.ts`); default `boxes`. */
  asked: z.enum(['boxes', 'corners']).optional(),
  /** Input of the graph `prompt`, [1, boxes, 4]: x1, y1, x2, y2; of corners [1, 2, 2]. */
  boxes: valueName,
  /** Output of the graph `prompt`, [1, boxes, masks, rows, columns], logits; of corners [1, masks, rows, columns]. */
  masks: valueName,
  /** The same, without rows and columns: how good each is; the best is taken. */
  scores: valueName,
});

/**
 * Reads words: its graph says where lines of text are in an image of any size up to its input's, in multiples of 32 pixels; its
 * graph `line` takes a picture of one line, [1, 3, height, width], BGR from −1 to 1, and gives [1, steps, signs], 0 to 1.
 */
const READER = ENTRY.extend({
  role: z.literal('reader'),
  /** Shape [1, 1, height, width] of the image: the chance that a place is within a line of text, shrunk. */
  map: valueName,
  /** Among the files of the graph `line`: a sign a line, in UTF-8. Before them comes the blank, behind them the space. */
  dictionaryFile: z.int().min(0),
  /** What the graph `line` takes: its height in pixels, and the least width, with nothing on the right. */
  line: z.object({ height: side, minWidth: side }).readonly(),
});

export const MODEL_ENTRY = z.discriminatedUnion('role', [DETECTOR, EMBEDDER, POSE, CLASSIFIER, SEGMENTER, READER]);

export type DetectorEntry = Readonly<z.infer<typeof DETECTOR>>;
export type EmbedderEntry = Readonly<z.infer<typeof EMBEDDER>>;
export type PoseEntry = Readonly<z.infer<typeof POSE>>;
export type SegmenterEntry = Readonly<z.infer<typeof SEGMENTER>>;
export type ClassifierEntry = Readonly<z.infer<typeof CLASSIFIER>>;
export type ReaderEntry = Readonly<z.infer<typeof READER>>;
export type ModelEntry = Readonly<z.infer<typeof MODEL_ENTRY>>;
