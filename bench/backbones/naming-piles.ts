/**
 * Piles that rules for names are chosen on, drawn from the labelled sets (`piles/draw.ts`) and clustered as `discover` does: so a
 * rule is chosen on some hundred clusters, pure and mixed ones, with junk, and not on the few of each set.
 */
import type { VotedNames } from '../../src/corpus/voted-names.ts';
import { newSharedMatrix } from '../../src/math/matrix.ts';
import type { InferencePool } from '../../src/onnx/pool.ts';
import { cutHierarchy, hierarchyOf } from '../../src/stages/discover/hierarchy.ts';
import { suggestedK } from '../../src/stages/discover/levels.ts';
import { talliesOf, type VoteTally } from '../../src/stages/discover/vote-names.ts';
import { centreAndNormalise, meanOf } from '../../src/stages/embed/recipe.ts';
import { drawPiles, type Pile } from '../piles/draw.ts';
import type { EmbeddedSet } from './embedded.ts';

const SEED = 0;
/** Of fewer nothing can be told. */
const MIN_ITEMS = 12;

export interface Member {
  readonly set: string;
  readonly className: string;
}

/** What a rule is tried on. */
export interface VotedCluster {
  readonly tally: VoteTally;
  readonly members: readonly Member[];
}

export interface VotedPile {
  /** That its classes are of; the first is the one that it was drawn for. */
  readonly sets: readonly string[];
  readonly all: VoteTally;
  readonly clusters: readonly VotedCluster[];
}

/** @param clusters shape [items] */
export function votedPile(
  {
    sets,
    members,
    votes,
  }: Pick<VotedPile, 'sets'> & {
    readonly members: readonly Member[];
    readonly votes: readonly (Float32Array | undefined)[];
  },
  clusters: Int32Array,
  names: VotedNames,
): VotedPile {
  const k = clusters.reduce((most, one) => Math.max(most, one + 1), 0);
  const { within, all } = talliesOf(clusters, k, { votes, names });
  const of = within.map((tally, c) => ({ tally, members: members.filter((_, i) => clusters[i] === c) }));
  return { sets, all, clusters: of };
}

/** @param sets that vote */
export async function namingPiles(
  pool: InferencePool,
  sets: readonly EmbeddedSet[],
  names: VotedNames,
): Promise<VotedPile[]> {
  const byName = new Map(sets.map((set) => [set.name, set]));
  const drawable = sets.map(({ name, truth, classNames, vectors }) => {
    return [name, { name, classes: truth, classNames, vectors, copies: [], views: [] }] as const;
  });
  // Copies of images have no votes here.
  const usable = ({ items, kind }: Pile) =>
    kind !== 'tiny' && items.length >= MIN_ITEMS && items.every(({ copy }) => copy < 0);
  const piles: VotedPile[] = [];
  for (const pile of drawPiles(new Map(drawable), SEED).filter(usable)) {
    const rows = pile.items.map(({ set, row }) => ({ row, of: byName.get(set) as EmbeddedSet }));
    const features = newSharedMatrix(rows.length, rows[0].of.vectors.columns);
    for (const [i, { row, of }] of rows.entries()) {
      const { data, columns } = of.vectors;
      features.data.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
    }
    centreAndNormalise(features, rows[0].of, meanOf(features));
    const hierarchy = await hierarchyOf(pool, features, { method: 'graph', seed: 0 });
    const items = {
      sets: pile.sets,
      members: rows.map(({ row, of }) => ({ set: of.name, className: of.classNames[of.truth[row]] })),
      votes: rows.map(({ row, of }) => of.votes[row]),
    };
    piles.push(votedPile(items, cutHierarchy(hierarchy, suggestedK(hierarchy)), names));
  }
  return piles;
}
