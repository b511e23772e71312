/**
 * The embedders that piles are drawn from: the default one, and where its file is there MobileNetV2 in int8 under a recipe of
 * the same form. What a rule is worth must not hang on one network's features.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { sha256Hex } from '../../src/core/ids.ts';
import { MOBILENET_V2 } from '../../src/models/backbones.ts';
import type { EmbedderEntry, ViewRecipe } from '../../src/models/bundle.ts';
import { composeModel, inputOf, SINGLE } from '../../src/models/compose-model.ts';
import { type Embedder, openEmbedder } from '../../src/models/embedder.ts';
import { runOnPool } from '../../src/models/open-model.ts';
import { DATA } from '../photos.ts';

export const DEFAULT_BACKBONE = 'mobilenetv3-small';
const INT8_FILE = 'mobilenetv2-12-qdq.onnx';

/** As in the catalogue, of a file that is there and under the name that its vectors are cached by. */
const INT8_ENTRY: EmbedderEntry = {
  ...MOBILENET_V2,
  id: 'mobilenetv2-int8',
  source: { files: [], converter: 'onnx' },
  // Vectors alone, and the graph by which those in the cache are named.
  output: '464',
  votes: undefined,
};
const INT8_VIEWS = viewsOf(INT8_ENTRY);

function viewsOf({ id, views }: EmbedderEntry): ViewRecipe {
  if (views === undefined) throw new Error(`${id} has no views`);
  return views;
}

/** Names of the embedders that can be had here. */
export function backbones(): string[] {
  return existsSync(int8Path()) ? [DEFAULT_BACKBONE, INT8_ENTRY.id] : [DEFAULT_BACKBONE];
}

const int8Path = () => resolve(DATA, '..', 'models', INT8_FILE);

/** @param threads of inference. */
export function openBackbone(name: string, threads: number): Promise<Embedder> {
  return name === INT8_ENTRY.id ? openInt8(threads) : openEmbedder(name, { threads });
}

async function openInt8(threads: number): Promise<Embedder> {
  const recipe = { ...SINGLE, views: INT8_VIEWS };
  const model = composeModel(INT8_ENTRY, new Uint8Array(readFileSync(int8Path())), recipe);
  const key = `${INT8_ENTRY.id}@${sha256Hex(model).slice(0, 16)}`;
  const input = inputOf(INT8_ENTRY, recipe);
  const { capacity, run, close } = await runOnPool(model, { key, input }, { threads });
  const blocks = INT8_VIEWS.parts.map(({ channels, weight }) => ({ columns: channels, weight }));
  const embed = async (pixels: Uint8Array) => (await run(pixels)).embedding?.data as Float32Array;
  return {
    key,
    id: INT8_ENTRY.id,
    dimensions: blocks.reduce((sum, { columns }) => sum + columns, 0),
    blocks,
    input,
    batch: 1,
    gathered: 1,
    capacity,
    votes: null,
    look: async (pixels) => ({ embeddings: await embed(pixels), votes: null }),
    embed,
    close,
  };
}
