/** What an audit says of a task's labels, in words. */

import { formatCount, plural } from '../../core/count-text.ts';
import { datedText, dayOf, measuredText } from '../../core/label-accuracy.ts';
import { type AuditResult, MIN_ANSWERS } from '../../stages/audit/estimate.ts';
import type { AuditToday } from '../../stages/audit/last.ts';
import type { Output } from '../output.ts';
import { formatPercent, table } from '../words.ts';

type Interval = NonNullable<AuditResult['accuracy']>;

export function printAudited(output: Output, result: AuditToday): void {
  const { audit, task, origin, population, drawn, checked, right, accuracy } = result;
  const whose = origin === null ? '' : `, labels of origin ${origin}`;
  output.line(`Audit ${audit} of the task ${task}${whose}: ${formatCount(checked)} of ${formatCount(drawn)} answered.`);
  if (!accuracy) {
    if (checked > 0) printOther(output, result);
    return;
  }
  output.line(
    `Accuracy ${formatPercent(accuracy.estimate)}, 95 % interval ${range(accuracy)}: of ${plural(population, 'label')}, ` +
      `from ${formatCount(right)} right of ${formatCount(checked)} checked.`,
  );
  output.line();
  const [asked, others] = [result.classes.filter(isChecked), result.classes.filter((row) => !isChecked(row))];
  const classes = asked.map((row) => [row.className, row.population, row.checked, row.right, ...cells(row.accuracy)]);
  print(output, [['class', 'labels', 'checked', 'right', 'accuracy', '95 % interval'], ...classes]);
  if (others.length > 0) {
    const labels = others.reduce((sum, row) => sum + row.population, 0);
    output.line(`Nothing was checked of ${plural(others.length, 'class', 'classes')} with ${plural(labels, 'label')}.`);
  }
  output.line();
  const strata = result.strata.map(({ low, high, population, checked, right }) => [
    `${low.toFixed(2)}–${high.toFixed(2)}`,
    population,
    checked,
    right,
    checked === 0 ? '–' : formatPercent(right / checked),
  ]);
  print(output, [['confidence', 'labels', 'checked', 'right', 'accuracy'], ...strata]);
}

function isChecked({ checked }: AuditResult['classes'][number]): boolean {
  return checked > 0;
}

/** Why the audit's own figure is not stated, and the one that is. */
function printOther(output: Output, { task, checked, right, atMs, stands, known }: AuditToday): void {
  const isAudit = known?.measuredOn === 'audit';
  if (stands || (known !== null && known.atMs < atMs)) {
    output.line(`${formatCount(right)} of these are right; ${MIN_ANSWERS} answers are needed for a figure.`);
  } else {
    output.line(
      `The labels that were checked on ${dayOf(atMs)} were given anew since: ${formatCount(right)} of ${formatCount(checked)} were right.`,
    );
  }
  if (known === null && stands) return;
  output.line(
    known === null
      ? `How many of today's labels are right is not known: labelsmith audit ${task}`
      : `Accuracy of ${measuredText(known)}, by ${isAudit ? 'an audit' : 'the last training'}: ${datedText(known)}.`,
  );
}

function print(output: Output, rows: readonly (readonly (string | number)[])[]): void {
  for (const line of table(rows)) output.line(line);
}

function cells(accuracy: Interval | null): string[] {
  return accuracy ? [formatPercent(accuracy.estimate), range(accuracy)] : ['–', '–'];
}

function range({ low, high }: Interval): string {
  return `${(low * 100).toFixed(1)}–${formatPercent(high)}`;
}
