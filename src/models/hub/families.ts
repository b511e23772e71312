/**
 * Families of networks on the hub as a table: by the `model_type` of their config, what their graphs give and how that is read.
 * A new family is a new row. Names of values are those of the hub's own exports (Optimum, `onnx-community`).
 */
import type { DetectorEntry, Role } from '../bundle.ts';
import type { Decoder } from '../decoder-spec.ts';

/** How a family's vectors come out of its graph; the first value that the graph has is taken. */
interface EmbeddingValue {
  readonly output: string;
  /** Of [n, tokens, dimensions]. */
  readonly tokens?: 'first' | 'mean';
}

export interface TextSide {
  readonly outputs: readonly string[];
  /** Whether every text is filled up to the network's length: it pools over the filling too. */
  readonly filled: boolean;
  /** The tokenizer may leave the end token out. */
  readonly endToken?: string;
  readonly lowerCase?: boolean;
}

export type Family =
  | {
      readonly role: Extract<Role, 'embedder'>;
      readonly modelTypes: readonly string[];
      /** Tried in order; the inner value before a classifier's last layer comes after them. */
      readonly values: readonly EmbeddingValue[];
      /** With a text twin: trained as a choice among texts, or a yes or no to each. */
      readonly text?: TextSide & { readonly pairing: 'softmax' | 'sigmoid' };
      /** What surprises whoever reads it next. */
      readonly quirk: string;
    }
  | {
      readonly role: Extract<Role, 'detector'>;
      readonly modelTypes: readonly string[];
      readonly activation: Extract<Decoder, { kind: 'detr' }>['activation'];
      /** What its graph may take besides `pixel_values` (default: nothing). */
      readonly takes?: readonly string[];
      readonly quirk: string;
      readonly words?: undefined;
    }
  | {
      readonly role: Extract<Role, 'detector'>;
      readonly modelTypes: readonly string[];
      /** Its classes are words; values are named as above. */
      readonly words: NonNullable<DetectorEntry['words']>;
      readonly text: Omit<TextSide, 'outputs'> & { readonly maxTokens: number };
      /** What its graph takes besides `pixel_values`; all of them can be fed, not all need be there. */
      readonly takes: readonly string[];
      readonly quirk: string;
    }
  | {
      readonly role: Extract<Role, 'segmenter'>;
      readonly modelTypes: readonly string[];
      readonly quirk: string;
    };

export const FAMILIES: readonly Family[] = [
  {
    role: 'embedder',
    modelTypes: ['clip', 'clip_vision_model'],
    values: [{ output: 'image_embeds' }],
    text: { pairing: 'softmax', outputs: ['text_embeds'], filled: false },
    quirk: 'the text’s vector stands at its end token, so nothing is filled up and no mask is needed',
  },
  {
    role: 'embedder',
    modelTypes: ['siglip', 'siglip_vision_model'],
    values: [{ output: 'image_embeds' }, { output: 'pooler_output' }],
    text: { pairing: 'sigmoid', outputs: ['text_embeds', 'pooler_output'], filled: true, lowerCase: true },
    quirk: 'a text is filled up to 64 tokens with its end token (1, not 0): the last token is its vector',
  },
  {
    role: 'embedder',
    modelTypes: ['siglip2'],
    values: [{ output: 'image_embeds' }, { output: 'pooler_output' }],
    text: {
      pairing: 'sigmoid',
      outputs: ['text_embeds', 'pooler_output'],
      filled: true,
      lowerCase: true,
      endToken: '<eos>',
    },
    quirk: 'Gemma’s tokens in lower case, an end token, filled up to 64 with 0; most repositories call it siglip',
  },
  {
    role: 'embedder',
    modelTypes: ['dinov2', 'dinov2_with_registers', 'dinov3_vit', 'vit', 'deit', 'beit', 'data2vec-vision', 'vit_msn'],
    values: [{ output: 'last_hidden_state', tokens: 'first' }],
    quirk:
      'the first token of the last layer; `pooler_output` of ViT goes through a layer that was never trained. DINOv3’s pixels are averaged in floats',
  },
  {
    role: 'embedder',
    modelTypes: ['ijepa'],
    values: [{ output: 'last_hidden_state', tokens: 'mean' }],
    quirk: 'there is no token of the whole image: the mean of all',
  },
  {
    role: 'embedder',
    modelTypes: [
      ...['convnext', 'convnextv2', 'dinov3_convnext', 'resnet', 'regnet', 'swin', 'swinv2', 'efficientnet'],
      ...['mobilenet_v1', 'mobilenet_v2', 'mobilevit', 'mobilevitv2', 'bit', 'focalnet', 'poolformer', 'timm_wrapper'],
    ],
    values: [{ output: 'pooler_output' }],
    quirk: 'exports of the classifier have `logits` alone: then what its last layer takes is the vector',
  },
  {
    role: 'detector',
    modelTypes: ['rf_detr'],
    activation: 'sigmoid',
    quirk: 'numbers of classes are COCO’s own up to 90, whatever the config counts; pixels are sampled, not averaged',
  },
  {
    role: 'detector',
    modelTypes: ['rt_detr', 'rt_detr_v2', 'd_fine'],
    activation: 'sigmoid',
    quirk: 'the whole image in a square whatever its sides; no normalisation; the best pairs of query and class count',
  },
  {
    role: 'detector',
    modelTypes: ['detr', 'yolos', 'table-transformer'],
    activation: 'softmax',
    takes: ['pixel_mask'],
    quirk:
      'COCO’s own numbers up to 90 as classes, and one more for nothing; images keep their proportions, for YOLOS in whole patches of 16',
  },
  {
    role: 'detector',
    modelTypes: ['owlv2'],
    words: { kind: 'vectors', vectors: 'text_embeds' },
    text: { filled: true, maxTokens: 16 },
    takes: ['input_ids', 'attention_mask'],
    quirk: 'a black square around the image, resized in floats by a Gaussian; a text is filled up to 16 tokens with 0',
  },
  {
    role: 'detector',
    modelTypes: ['grounding-dino', 'mm-grounding-dino'],
    words: { kind: 'sentence' },
    text: { filled: false, maxTokens: 256, lowerCase: true },
    takes: ['input_ids', 'attention_mask', 'token_type_ids', 'pixel_mask'],
    quirk:
      'all names in one sentence, a full stop behind each; images keep their proportions, so its input has any size',
  },
  {
    role: 'segmenter',
    modelTypes: ['sam2', 'sam2_video'],
    quirk: 'the whole image in a square; three masks a box, of which it says how good each is; points may be none',
  },
  {
    role: 'segmenter',
    modelTypes: ['sam'],
    quirk: 'zeros beside the image after colours are normalised; most exports take points alone and are refused',
  },
  {
    role: 'segmenter',
    modelTypes: ['sam-export'],
    quirk:
      'SAM by its own code, as MobileSAM is: two ONNX files and no config; a box a run, as two points with labels of its corners',
  },
];

export function familyOf(modelType: string): Family | undefined {
  return FAMILIES.find(({ modelTypes }) => modelTypes.includes(modelType));
}
