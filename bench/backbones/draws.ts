/** Figures over several seeds, with standard errors, and how one embedder differs from another on the same draws. */
import { rounded } from '../process.ts';

/** Values of every figure, one a seed, in the order of the seeds. */
export type Draws = Readonly<Record<string, readonly number[]>>;

export interface Estimate {
  readonly mean: number;
  /** Standard error of the mean over seeds; null where there is one seed. */
  readonly error: number | null;
}

/** @param records of each seed; all have the same figures */
export function drawsOf(records: readonly Record<string, number>[]): Draws {
  const names = Object.keys(records[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, records.map((record) => record[name])]));
}

export function estimates(draws: Draws): Record<string, Estimate> {
  return Object.fromEntries(Object.entries(draws).map(([name, values]) => [name, estimate(values)]));
}

/** What `other` has more than `first`, of each figure by set, and in `allSets` over the sets. The draws are the same, so differences are paired. */
export function differences(
  first: Readonly<Record<string, Draws>>,
  other: Readonly<Record<string, Draws>>,
): Record<string, Record<string, Estimate>> {
  const bySet: Record<string, Draws> = {};
  for (const [set, draws] of Object.entries(other)) {
    bySet[set] = Object.fromEntries(
      Object.entries(draws).map(([name, values]) => [name, values.map((value, i) => value - first[set][name][i])]),
    );
  }
  const names = [...new Set(Object.values(bySet).flatMap((draws) => Object.keys(draws)))];
  const means = (name: string) => Object.values(bySet).map((draws) => estimate(draws[name]).mean);
  return {
    ...Object.fromEntries(Object.entries(bySet).map(([set, draws]) => [set, estimates(draws)])),
    allSets: Object.fromEntries(names.map((name) => [name, estimate(means(name))])),
  };
}

function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = values.length > 1 ? rounded(Math.sqrt(squares / (values.length - 1) / values.length), 4) : null;
  return { mean: rounded(mean, 4), error };
}
