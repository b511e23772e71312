/** Against dense NumPy and SciPy 1.17 on the same points: `test/oracles/cut_evidence.py` writes the values beside this file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { matrix } from '../matrix.ts';
import { candidateCounts, cutEvidence, MEASURES } from './cut-evidence.ts';
import type { SparseMatrix } from './sparse.ts';
import { cutTree, nodesOfCut, wardTree } from './ward.ts';

interface Expected {
  readonly points: readonly number[];
  readonly edges: readonly (readonly [number, number, number])[];
  readonly eigenvalues: readonly number[];
  readonly measures: readonly (readonly number[])[];
  readonly clustersOfThree: readonly (readonly [
    size: number,
    cohesion: number,
    concentration: number,
    similarity: number,
  ])[];
  /** Mean cosine across the first split. */
  readonly acrossTwo: number;
}
const EXPECTED = JSON.parse(readFileSync(new URL('cut-evidence.expected.json', import.meta.url), 'utf8')) as Expected;
const COUNT = EXPECTED.points.length / 3;

function graphOf(edges: Expected['edges']): SparseMatrix {
  const starts = new Int32Array(COUNT + 1);
  for (const [row] of edges) starts[row + 1] = starts[row + 1] + 1;
  for (let row = 0; row < COUNT; row++) starts[row + 1] = starts[row + 1] + starts[row];
  // Edges come row by row.
  return {
    size: COUNT,
    starts,
    columns: Int32Array.from(edges, ([, column]) => column),
    values: Float64Array.from(edges, ([, , value]) => value),
  };
}

const coordinates = matrix(Float32Array.from(EXPECTED.points), COUNT, 3);
const tree = wardTree(coordinates);
const leafOf = Int32Array.from({ length: COUNT }, (_, i) => i);
const graph = graphOf(EXPECTED.edges);
const map = { coordinates, eigenvalues: Float64Array.from(EXPECTED.eigenvalues) };

test('every measure at every number of clusters', () => {
  const { ks, measures } = cutEvidence({ graph, map, vectors: coordinates, tree, leafOf });
  assert.deepEqual(
    ks,
    EXPECTED.measures.map((_, i) => i + 1),
  );
  for (const [row, wanted] of EXPECTED.measures.entries()) {
    for (const [j, value] of wanted.entries()) {
      const found = measures[row * MEASURES.length + j];
      assert.ok(Math.abs(found - value) < 1e-4, `${MEASURES[j]} at ${ks[row]}: ${found}, expected ${value}`);
    }
  }
});

test('each cluster of a cut: items, share of its edges within, length of its centre, its next split', () => {
  const { clusters, measures } = cutEvidence({ graph, map, vectors: coordinates, tree, leafOf });
  const three = [...nodesOfCut(tree, 3)].map((node) => clusters.get(node));
  const found = three.map((one) => [one?.size ?? 0, one?.cohesion ?? 0, one?.concentration ?? 0, one?.similarity ?? 0]);
  found.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
  for (const [c, wanted] of EXPECTED.clustersOfThree.entries()) {
    for (const [j, value] of wanted.entries()) assert.ok(Math.abs((found[c]?.[j] ?? 0) - value) < 1e-5, `cluster ${c}`);
  }
  // The whole is split where two clusters are made of one.
  const whole = clusters.get(2 * COUNT - 2);
  assert.deepEqual([whole?.size, whole?.cohesion], [COUNT, 1]);
  assert.ok(Math.abs((whole?.splitSimilarity ?? 0) - EXPECTED.acrossTwo) < 1e-5);
  assert.equal(whole?.split, measures[MEASURES.length + MEASURES.indexOf('lastSplit')]);
});

test('how strange the items of a cluster are: mean, deviation and share of those that are remote, by definition', () => {
  const remote = Float64Array.from({ length: COUNT }, (_, i) => (i % 5) - 1);
  const fromMean = Float64Array.from({ length: COUNT }, (_, i) => Math.sin(i));
  const strangeness = { leafOf, remote, fromMean };
  const { clusters } = cutEvidence({ graph, map, vectors: coordinates, tree, leafOf, strangeness });
  const labels = cutTree(tree, 3);
  const near = (found: number | undefined, wanted: number) => assert.ok(Math.abs((found ?? 0) - wanted) < 1e-9);
  for (const [cluster, node] of nodesOfCut(tree, 3).entries()) {
    const own = [...labels.keys()].filter((i) => labels[i] === cluster);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = (values: readonly number[]) =>
      Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    const [scores, distances] = [own.map((i) => remote[i]), own.map((i) => fromMean[i])];
    const found = clusters.get(node);
    near(found?.remote, mean(scores));
    near(found?.remoteSpread, deviation(scores));
    near(found?.remoteShare, mean(scores.map((score) => (score > 2 ? 1 : 0))));
    near(found?.fromMean, mean(distances));
    near(found?.fromMeanSpread, deviation(distances));
  }
});

test('small clusters as leaves give what their items give', () => {
  const items = cutEvidence({ graph, map, vectors: coordinates, tree, leafOf });
  // Six leaves of three items: the tree above them is the upper part of the whole tree.
  const nodes = nodesOfCut(tree, 6);
  const upper = { points: 6, left: new Int32Array(5), right: new Int32Array(5), costs: tree.costs.slice(-5) };
  const renamed = new Map([...nodes].map((node, slot) => [node, slot]));
  for (let s = 0; s < 5; s++) {
    const at = COUNT - 6 + s;
    upper.left[s] = renamed.get(tree.left[at]) as number;
    upper.right[s] = renamed.get(tree.right[at]) as number;
    renamed.set(COUNT + at, 6 + s);
  }
  const leafOfItem = new Int32Array(COUNT);
  for (const [slot, node] of nodes.entries()) {
    const below = (one: number): number[] =>
      one < COUNT ? [one] : [...below(tree.left[one - COUNT]), ...below(tree.right[one - COUNT])];
    for (const item of below(node)) leafOfItem[item] = slot;
  }
  const leaves = cutEvidence({ graph, map, vectors: coordinates, tree: upper, leafOf: leafOfItem });
  for (let at = 0; at < 3 * MEASURES.length; at++) assert.ok(Math.abs(leaves.measures[at] - items.measures[at]) < 1e-9);
});

test('numbers in question: every one up to 16, then a twelfth apart; half the items and 200 at most', () => {
  assert.deepEqual(candidateCounts(8, 8), [1, 2, 3, 4]);
  assert.deepEqual(candidateCounts(1, 1), [1]);
  const many = candidateCounts(20_000, 2000);
  assert.ok(many.length < 55 && (many.at(-1) ?? 0) <= 200);
  assert.deepEqual(many.slice(14, 18), [15, 16, 18, 20]);
});
