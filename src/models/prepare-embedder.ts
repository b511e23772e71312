/**
 * An embedder's graph, ready to run: of one model, or of several side by side under a name such as
 * `mobilenetv3-small+centernet-backbone`.
 *
 * Side by side, one image of the largest input goes to all of them, made smaller for those with less, and their vectors
 * stand behind each other in the order of the name. So all that takes an embedder takes several.
 */
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../core/ids.ts';
import { LabelsmithError } from '../errors.ts';
import { inlineModel } from '../onnx/compose.ts';
import { Graph } from '../onnx/ops.ts';
import type { Value } from '../onnx/value.ts';
import type { EmbedderEntry, InputSpec, VoteClasses } from './bundle.ts';
import { defaultRecipe, inputOf, type Recipe } from './compose-model.ts';
import { findRole } from './open-model.ts';
import { type PrepareOptions, prepareEntry } from './prepare.ts';

export interface PreparedEmbedder {
  readonly id: string;
  /** The name and the first 16 digits of the hash of the graph. */
  readonly key: string;
  /** A file, or the bytes themselves: `pixels` uint8 [batch, height, width, 3] → `embedding`. */
  readonly model: string | Uint8Array;
  readonly input: Pick<InputSpec, 'width' | 'height' | 'fit' | 'pad' | 'kernel' | 'pillow'>;
  /** Null where the graph alone knows how wide the vector is. */
  readonly blocks: readonly { readonly columns: number; readonly weight: number }[] | null;
  readonly batch: number;
  /** Whose classes the graph's `votes` are, see `compose-model.ts`; null where it has none. */
  readonly votes: VoteClasses | null;
}

const JOIN = '+';
/**
 * What the vectors of a second model count beside those of the first: for CenterNet's backbone beside MobileNetV3, 0.2 to
 * 0.4 are alike and 1 is worse than none.
 */
const SECOND = 0.3;

/** Prepares an embedder by its name. @param recipe for a single model: in place of fields of its own. */
export async function prepareEmbedder(
  name: string,
  options: PrepareOptions & { readonly recipe?: Partial<Recipe> } = {},
): Promise<PreparedEmbedder> {
  const names = partsOf(name);
  if (names.length === 1) return prepareSingle(name, options);
  const parts: PreparedEmbedder[] = [];
  for (const part of names) parts.push(await prepareSingle(part, { ...options, recipe: undefined }));
  return joined(name, parts);
}

/** Refuses a name that is not of an embedder, or of several side by side. */
export async function requireEmbedder(name: string, cacheDir?: string): Promise<void> {
  for (const part of partsOf(name)) await findRole(part, 'embedder', cacheDir);
}

/** Names of the models side by side. */
function partsOf(name: string): readonly string[] {
  const names = name.split(JOIN);
  const twice = names.find((part, i) => names.indexOf(part) !== i);
  if (names.length === 1 || (twice === undefined && !names.includes(''))) return names;
  const wrong = names.includes('') ? `a model is missing in "${name}"` : `"${name}" names ${twice} twice`;
  throw new LabelsmithError('USAGE', wrong, {
    hint: 'Two different embedders side by side are written FIRST+SECOND; one alone by its name.',
  });
}

async function prepareSingle(
  name: string,
  { recipe: own, ...options }: PrepareOptions & { readonly recipe?: Partial<Recipe> },
): Promise<PreparedEmbedder> {
  const entry = await findRole(name, 'embedder', options.cacheDir);
  refuseOblong(entry);
  const recipe = { ...defaultRecipe(entry), ...own };
  const { key, path } = await prepareEntry(entry, recipe, options);
  const { width, height, fit, pad, kernel, pillow } = inputOf(entry, recipe);
  const { views, layers, batch } = recipe;
  const plain = layers?.length ? null : [{ columns: entry.dimensions, weight: 1 }];
  const blocks = views ? views.parts.map(({ channels, weight }) => ({ columns: channels, weight })) : plain;
  const votes = entry.votes?.classes ?? null;
  const input = { width, height, fit, pad, kernel, ...(pillow ? { pillow } : {}) };
  return { id: entry.id, key, model: path, input, blocks, batch, votes };
}

function refuseOblong({ id, input }: EmbedderEntry): void {
  if (input.fit !== 'cover' || input.width === input.height) return;
  const size = `${input.width} × ${input.height}`;
  throw new LabelsmithError('UNSUPPORTED', `${id} takes the middle of an image at ${size}, and only squares are cut`, {
    hint: 'An imported embedder needs a square input.',
  });
}

async function joined(id: string, parts: readonly PreparedEmbedder[]): Promise<PreparedEmbedder> {
  const [first] = parts as [PreparedEmbedder];
  const other = parts.find(({ input, batch }) => input.fit !== 'cover' || input.pillow !== undefined || batch !== 1);
  if (other) {
    throw new LabelsmithError(
      'UNSUPPORTED',
      `${other.id} sees all of an image, on a ground: it stands beside no other`,
      {
        hint: 'Only embedders that see the middle of an image (fit: cover) go side by side.',
      },
    );
  }
  const side = Math.max(...parts.map(({ input }) => input.width));
  const g = new Graph(id);
  const pixels = g.input('pixels', 'uint8', [1, side, side, 3]);
  const embeddings: Value[] = [];
  for (const [i, { model, input }] of parts.entries()) {
    const bytes = typeof model === 'string' ? new Uint8Array(await readFile(model)) : model;
    const feeds = { pixels: input.width === side ? pixels : shrunk(g, pixels, input.width) };
    const { embedding } = inlineModel(g, bytes, { prefix: `part${i}`, feeds, outputs: ['embedding'] });
    embeddings.push(embedding);
  }
  g.output(g.concat(embeddings, 1), 'embedding');
  const model = g.toModel({ model: id });
  const whole = (blocks: PreparedEmbedder['blocks']) =>
    Math.sqrt((blocks ?? []).reduce((s, b) => s + b.weight ** 2, 0));
  const blocks = parts.flatMap((part, i) => {
    const scale = i === 0 ? 1 : (SECOND * whole(first.blocks)) / whole(part.blocks);
    return (part.blocks ?? []).map(({ columns, weight }) => ({ columns, weight: scale * weight }));
  });
  const key = `${id}@${sha256Hex(model).slice(0, 16)}`;
  // What one of them says of an image is not said here: the parts may disagree.
  return { id, key, model, input: { ...first.input, width: side, height: side }, blocks, batch: 1, votes: null };
}

/** Bilinear, rounded to bytes again: the parts take bytes. */
function shrunk(g: Graph, pixels: Value, size: number): Value {
  const planes = g.transpose(g.cast(pixels, 'float32'), [0, 3, 1, 2]);
  const small = g.resize(planes, [1, 3, size, size], { mode: 'linear', coordinates: 'half_pixel' });
  return g.transpose(g.cast(g.add(small, g.scalar(0.5)), 'uint8'), [0, 2, 3, 1]);
}
