/** A confusion matrix from what a run stores: scores a class, and the pairs that were taken for each other. Pure. */
export interface MatrixClass {
  readonly className: string;
  readonly groundTruth: number;
  readonly recall: number;
}

export interface Confusion {
  readonly truth: string;
  readonly predicted: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export interface MatrixRow {
  readonly truth: string;
  readonly groundTruth: number;
  /** A cell a class, in the order of the rows. */
  readonly cells: readonly MatrixCell[];
  /** Taken for something that the run did not store: runs of before kept the ten most frequent pairs. */
  readonly elsewhere: number;
}

export interface MatrixCell {
  readonly predicted: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export function matrixOf(classes: readonly MatrixClass[], confusions: readonly Confusion[]): MatrixRow[] {
  const known = new Map(confusions.map((one) => [keyOf(one), one]));
  // A class that nothing is of may be what others were taken for.
  const listed = new Set(classes.map(({ className }) => className));
  const others = [...new Set(confusions.flatMap(({ truth, predicted }) => [truth, predicted]))]
    .filter((name) => !listed.has(name))
    .map((className) => ({ className, groundTruth: 0, recall: 0 }));
  const all = [...classes, ...others].toSorted((a, b) => (a.className < b.className ? -1 : 1));
  return all.map(({ className: truth, groundTruth, recall }) => {
    const right = Math.round(recall * groundTruth);
    const cells = all.map(({ className: predicted }): MatrixCell => {
      if (predicted === truth) return { predicted, count: right, examples: [] };
      const { count = 0, examples = [] } = known.get(keyOf({ truth, predicted })) ?? {};
      return { predicted, count, examples };
    });
    const told = cells.reduce((sum, { count }) => sum + count, 0);
    return { truth, groundTruth, cells, elsewhere: Math.max(0, groundTruth - told) };
  });
}

const keyOf = ({ truth, predicted }: Pick<Confusion, 'truth' | 'predicted'>) => JSON.stringify([truth, predicted]);
