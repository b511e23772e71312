/**
 * Reference images: a folder for each class, embedded as the workspace's images are, and kept so that more can join. They
 * are kept under their folder's name and count for what that class is called by now: a class that was renamed or merged
 * keeps its references, and one that is taken out again has its own back.
 */
import { readdir } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { type ImageId, sha256Hex } from '../../core/ids.ts';
import { namesNow } from '../../corpus/class-names.ts';
import { adoptNames } from '../../corpus/same-names.ts';
import { LabelsmithError } from '../../errors.ts';
import { DEFAULT_MAX_BYTES } from '../../images/decode.ts';
import { pixelsFor } from '../../images/pixels-for.ts';
import { type Matrix, newSharedMatrix } from '../../math/matrix.ts';
import type { Embedder } from '../../models/embedder.ts';
import { isHiddenName, pathTextOf } from '../../sources/names.ts';
import type { Source } from '../../sources/source.ts';
import type { Store, StoredReference } from '../../store/store.ts';
import { columnsOf, type EmbeddingRecipe, refuseOtherModel } from '../embed/recipe.ts';

export interface References {
  /** Sorted. */
  readonly classNames: readonly string[];
  /** Shape [references]: index into `classNames`. */
  readonly classes: Int32Array;
  /** SHA-256 of each reference's bytes. */
  readonly ids: readonly ImageId[];
  /** Shape [references, columns], as the model gives them. */
  readonly vectors: Matrix;
}

export interface ReferenceProblem {
  readonly path: string;
  readonly message: string;
}

export interface GatheredReferences {
  readonly references: References;
  readonly problems: readonly ReferenceProblem[];
  /** Classes with a folder and no reference, sorted. */
  readonly bare: readonly string[];
}

/** What is kept of earlier runs; undefined where there is none. */
export async function savedReferences(
  store: Pick<Store, 'references' | 'classes'>,
  task: string,
  recipe: EmbeddingRecipe,
): Promise<References | undefined> {
  const saved = await store.references(task, recipe.space);
  return saved.length > 0 ? referencesOf(saved, await namesNow(store), columnsOf(recipe)) : undefined;
}

/**
 * Reads REFS (a folder for each class; pictures deeper down belong to their top folder's class) and joins what was kept
 * from earlier runs, unless `replace`. The same picture under two classes is refused; a file that cannot be read is
 * left out and reported, and so is a class that is left with none.
 */
export async function gatherReferences(
  store: Store,
  source: Source,
  recipe: EmbeddingRecipe,
  embedder: Embedder,
  { task, replace }: { readonly task: string; readonly replace: boolean },
): Promise<GatheredReferences> {
  refuseOtherModel(recipe, embedder);
  const before = replace ? [] : await store.references(task, recipe.space);
  const known = new Map(before.map((saved) => [saved.id, saved]));
  const folders = new Set(await foldersIn(source));
  await adoptNames(store, [...folders]);
  const nameNow = await namesNow(store);
  const classOf = new Map<ImageId, string>();
  const problems: ReferenceProblem[] = [];
  for await (const item of source.list()) {
    if (item.kind === 'problem') {
      problems.push(item.problem);
      continue;
    }
    const { entry } = item;
    const [className, ...rest] = relative(source.root, entry.path).split(sep);
    if (className === undefined || rest.length === 0) {
      problems.push({ path: entry.path, message: 'lies in no class’s folder' });
      continue;
    }
    folders.add(className);
    try {
      const bytes = await entry.read(DEFAULT_MAX_BYTES);
      const id = sha256Hex(bytes);
      const other = classOf.get(id);
      if (other !== undefined && nameNow(other) !== nameNow(className)) {
        throw new LabelsmithError('BAD_FILE', `${entry.path} is a reference of ${other} and of ${className}.`, {
          hint: 'Leave it in one of the two folders.',
          details: { reason: 'contradiction' },
        });
      }
      classOf.set(id, className);
      const vector = known.get(id)?.vector ?? (await embedder.embed(await pixelsFor(bytes, embedder.input), 1));
      known.set(id, { id, className, vector });
    } catch (error) {
      if (!(error instanceof LabelsmithError) || error.details.reason === 'contradiction') throw error;
      problems.push({ path: entry.path, message: error.message });
    }
  }
  if (known.size === 0) {
    const [first] = problems;
    const why = first ? ` that can be used: ${first.path}: ${first.message}` : '';
    throw new LabelsmithError('NOT_FOUND', `There are no reference images in ${source.root}${why}.`, {
      hint: 'Make a folder for each class in it, with one picture or more in each.',
    });
  }
  const saved = [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  // What another process added meanwhile stays beside these.
  await store.putReferences(
    task,
    recipe.space,
    saved.filter(({ id }) => replace || classOf.has(id)),
    { replace },
  );
  const references = referencesOf(saved, nameNow, columnsOf(recipe));
  const named = new Set([...folders].map(nameNow));
  const bare = [...named].filter((name) => !references.classNames.includes(name)).sort();
  return { references, problems, bare };
}

/** Names of the folders in a folder, empty ones too; what is in an archive, a glob or a list is known by its files alone. */
async function foldersIn({ spec, root }: Source): Promise<string[]> {
  if (resolve(spec) !== root) return [];
  const found = await readdir(root, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
  const names = found.filter((entry) => entry.isDirectory()).map(({ name }) => pathTextOf(name).path);
  return names.filter((name) => !isHiddenName(name));
}

function referencesOf(
  saved: readonly StoredReference[],
  nameNow: (name: string) => string,
  columns: number,
): References {
  const names = saved.map(({ className }) => nameNow(className));
  const classNames = [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));
  const vectors = newSharedMatrix(saved.length, columns);
  for (const [i, { vector }] of saved.entries()) vectors.data.set(vector, i * columns);
  const indexOf = new Map(classNames.map((name, i) => [name, i]));
  const classes = Int32Array.from(names, (name) => indexOf.get(name) as number);
  return { classNames, classes, ids: saved.map(({ id }) => id), vectors };
}
