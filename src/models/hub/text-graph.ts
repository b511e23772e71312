/** The text side of a pair of graphs, as data. Its graph is fetched when words are first asked for. */
import type { FetchOptions } from '../../fetch/fetch.ts';
import type { Listing } from '../../fetch/hub-listing.ts';
import type { EmbedderEntry } from '../bundle.ts';
import { fileNamed, type ModelConfig, readConfig, sourceOf, TOKENIZER_CONFIG } from './configs.ts';
import type { TextSide } from './families.ts';
import { dataFilesOf, graphFile, type Precision } from './graph-files.ts';
import { tokenizerOf } from './tokenizer-files.ts';

type FurtherGraph = NonNullable<EmbedderEntry['graphs']>[string];

export interface TextGraphOptions extends FetchOptions {
  readonly config: ModelConfig;
  readonly precision?: Precision;
}

/** CLIP's and SigLIP's own lengths, where a config leaves them to its type's default. */
const MAX_TOKENS = { cut: 77, filled: 64 };

/** Undefined where the repository has no text side. */
export async function textGraph(
  listing: Listing,
  { outputs, filled, endToken, lowerCase }: TextSide,
  { config, precision, ...options }: TextGraphOptions,
): Promise<FurtherGraph | undefined> {
  const tokenizer = fileNamed(listing, 'tokenizer.json');
  const tokenizerConfig = fileNamed(listing, 'tokenizer_config.json');
  if (!tokenizer || !tokenizerConfig || !listing.files.some(({ path }) => /text_model.*\.onnx$/.test(path))) {
    return undefined;
  }
  const graph = graphFile(listing, 'text_model', precision);
  const files = [graph, ...dataFilesOf(listing, graph), tokenizer, tokenizerConfig];
  const read = await readConfig(listing, 'tokenizer_config.json', TOKENIZER_CONFIG, options);
  const tokens = await tokenizerOf(listing, options);
  const maxTokens = config.text_config?.max_position_embeddings ?? (filled ? MAX_TOKENS.filled : MAX_TOKENS.cut);
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
