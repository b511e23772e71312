/** The text side of a pair of graphs, as data. Its graph is fetched when words are first asked for. */
import type { FetchOptions } from '../../fetch/fetch.ts';
import type { ListedFile, Listing } from '../../fetch/hub-listing.ts';
import type { EmbedderEntry } from '../bundle.ts';
import { fileNamed, type ModelConfig, readConfig, sourceOf, TOKENIZER_CONFIG } from './configs.ts';
import type { TextSide } from './families.ts';
import { dataFilesOf, graphFile, type Precision } from './graph-files.ts';
import { tokenizerOf } from './tokenizer-files.ts';

type FurtherGraph = NonNullable<EmbedderEntry['graphs']>[string];

export interface TextGraphOptions extends FetchOptions {
  readonly config: ModelConfig;
  readonly precision?: Precision;
  /** Files of the graph that makes vectors of texts (default: those named `text_model`). */
  readonly graphFiles?: readonly ListedFile[];
  /** Whatever the config says. */
  readonly maxTokens?: number;
}

/** CLIP's and SigLIP's own lengths, where a config leaves them to its type's default. */
const MAX_TOKENS = { cut: 77, filled: 64 };

/** Undefined where the repository has no text side. */
export async function textGraph(
  listing: Listing,
  { outputs, filled, endToken, lowerCase }: TextSide,
  { config, precision, graphFiles, maxTokens: otherwise, ...options }: TextGraphOptions,
): Promise<FurtherGraph | undefined> {
  const tokenizer = fileNamed(listing, 'tokenizer.json');
  const tokenizerConfig = fileNamed(listing, 'tokenizer_config.json');
  if (!tokenizer || !tokenizerConfig) return undefined;
  if (!graphFiles && !listing.files.some(({ path }) => /text_model.*\.onnx$/.test(path))) return undefined;
  const files = [...(graphFiles ?? textModelFiles(listing, precision)), tokenizer, tokenizerConfig];
  const read = await readConfig(listing, 'tokenizer_config.json', TOKENIZER_CONFIG, options);
  const tokens = await tokenizerOf(listing, options);
  const usual = filled ? MAX_TOKENS.filled : MAX_TOKENS.cut;
  const maxTokens = otherwise ?? config.text_config?.max_position_embeddings ?? usual;
  const idOf = (token: string | { content: string } | null | undefined) =>
    token ? tokens.idOf(typeof token === 'string' ? token : token.content) : undefined;
  // Gemma's tokenizer, which SigLIP2 has whatever its config calls itself.
  const endId = idOf(endToken ?? read.eos_token);
  return {
    source: { files: files.map(sourceOf), converter: 'onnx' },
    takes: {
      kind: 'text',
      processor: {
        name: 'input_ids',
        tokenizerFile: files.length - 2,
        tokenizerConfigFile: files.length - 1,
        maxTokens,
        padId: filled ? (idOf(read.pad_token) ?? config.text_config?.pad_token_id ?? 0) : null,
        ...(endId === undefined ? {} : { endId }),
        ...(lowerCase ? { lowerCase } : {}),
      },
    },
    outputs,
  };
}

function textModelFiles(listing: Listing, precision: Precision | undefined): ListedFile[] {
  const graph = graphFile(listing, 'text_model', precision);
  return [graph, ...dataFilesOf(listing, graph)];
}
