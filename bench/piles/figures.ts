/** Figures of sets as a table and in the mean, as docs/discover.md has them. */
import { rounded } from '../process.ts';

/** A figure a column; NaN where it was not measured. */
export type Figures<Column extends string> = Readonly<Record<Column, number>>;

export function tableOf<Column extends string>(
  columns: readonly Column[],
  rows: Readonly<Record<string, Figures<Column>>>,
): string[] {
  return [
    `| set | ${columns.join(' | ')} |`,
    `| --- |${' --- |'.repeat(columns.length)}`,
    ...Object.entries(rows).map(
      ([name, figures]) => `| ${name} | ${columns.map((one) => cell(figures[one])).join(' | ')} |`,
    ),
  ];
}

const cell = (figure: number) => (Number.isNaN(figure) ? '' : figure.toFixed(3));

export function meanFigures<Column extends string>(
  columns: readonly Column[],
  all: readonly Figures<Column>[],
): Figures<Column> {
  const mean = (column: Column) => rounded(all.reduce((sum, one) => sum + one[column], 0) / all.length, 4);
  return Object.fromEntries(columns.map((column) => [column, mean(column)])) as Figures<Column>;
}
