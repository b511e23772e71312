/** An evaluation as plain text, for a terminal or a log. */
import type { Evaluation, EvaluationDetails } from '../../stages/evaluate/evaluate.ts';
import type { LabelsRight } from '../../stages/evaluate/evaluation.ts';

const ROWS_SHOWN = 40;

/** Lines joined with `\n`, without one at the end. Numbers are fractions with three decimals; `–` stands for none. */
export function formatEvaluation(evaluation: Evaluation, details: EvaluationDetails): string {
  const { images, unmatched, classification, clustering, detection } = evaluation;
  const missed = unmatched > 0 ? `; TRUTH names ${unmatched} more that match no image here` : '';
  const lines = [`Compared ${images} ${images === 1 ? 'image' : 'images'}${missed}.`];
  if (!classification && !clustering && !detection) {
    lines.push('Nothing to compare: no labels, clusters or detections for what TRUTH says.');
  }
  if (classification) {
    const { machine, people, ...scores } = classification;
    lines.push(
      '',
      'Classification',
      ...origins(machine, people),
      ...pairs(scores),
      ...classTable(details),
      ...confusionLines(details),
    );
  }
  if (clustering) {
    const { k, ...scores } = clustering;
    lines.push('', 'Clustering', ...pairs(scores), `  ${'k'.padEnd(NAME_WIDTH)} ${k}`);
  }
  if (detection && details.detection) {
    const { perClass, ...scores } = details.detection;
    const of = details.boxesOf === 'labels' ? 'boxes that have a label' : 'candidates';
    lines.push('', `Detection (COCO metrics, on ${of})`, ...pairs(scores));
    if (details.imagesWithoutCandidates > 0) {
      lines.push(`  ${details.imagesWithoutCandidates} images were never detected on and count as nothing found.`);
    }
    const rows = perClass.map((c) => [
      details.classNames[c.classIndex],
      String(c.groundTruth),
      fraction(c.AP),
      fraction(c.AP50),
      fraction(c.AR100),
    ]);
    lines.push('', ...table(['class', 'boxes', 'AP', 'AP50', 'AR100'], byFirstColumn(rows)));
  }
  return lines.join('\n');
}

const NAME_WIDTH = 15;

/** The machine's labels first; where people labelled too, theirs apart, and then what follows is of both. */
function origins(machine: LabelsRight, people: LabelsRight): string[] {
  const line = (who: string, { labels, accuracy }: LabelsRight) =>
    `  ${who.padEnd(NAME_WIDTH)} ${fraction(accuracy)} of ${labels} ${labels === 1 ? 'label' : 'labels'} right`;
  return people.labels === 0
    ? [line('by machines', machine)]
    : [line('by machines', machine), line('by people', people)];
}

function pairs(scores: object): string[] {
  return Object.entries(scores).map(([name, value]) => `  ${name.padEnd(NAME_WIDTH)} ${fraction(value)}`);
}

function fraction(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

function classTable(details: EvaluationDetails): string[] {
  const rows = details.classes.map((c) => [
    details.classNames[c.classIndex],
    String(c.groundTruth),
    fraction(c.precision),
    fraction(c.recall),
    fraction(c.f1),
  ]);
  return rows.length > 0 ? ['', ...table(['class', 'images', 'precision', 'recall', 'F1'], byFirstColumn(rows))] : [];
}

function confusionLines({ confusions }: EvaluationDetails): string[] {
  if (confusions.length === 0) return [];
  const rows = confusions.map(({ truth, predicted, count }) => [truth, predicted, String(count)]);
  return ['', ...table(['is', 'labelled', 'images'], rows)];
}

function byFirstColumn(rows: readonly string[][]): string[][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Columns that hold numbers in every row stand right; a line says how many rows were left out. */
function table(header: readonly string[], rows: readonly string[][]): string[] {
  const shown = rows.slice(0, ROWS_SHOWN);
  const widths = header.map((title, c) => Math.max(title.length, ...shown.map((row) => row[c].length)));
  const numeric = header.map((_, c) => shown.every((row) => /^[\d.–]+$/.test(row[c])));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join('  ')}`.trimEnd();
  const more = rows.length > shown.length ? [`  … and ${rows.length - shown.length} more`] : [];
  return [line(header), ...shown.map(line), ...more];
}
