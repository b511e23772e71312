/** What an audit says of a task's labels, in words. */
import type { AuditResult } from '../../stages/audit/estimate.ts';
import type { Output } from '../output.ts';
import { formatCount, formatPercent, plural, table } from '../words.ts';

type Interval = NonNullable<AuditResult['accuracy']>;

export function printAudited(output: Output, result: AuditResult): void {
  const { audit, task, origin, population, drawn, checked, right, accuracy } = result;
  const whose = origin === null ? '' : `, labels of origin ${origin}`;
  output.line(`Audit ${audit} of the task ${task}${whose}: ${formatCount(checked)} of ${formatCount(drawn)} answered.`);
  if (!accuracy) return;
  output.line(
    `Accuracy ${formatPercent(accuracy.estimate)}, 95 % interval ${range(accuracy)}: of ${plural(population, 'label')}, ` +
      `from ${formatCount(right)} right of ${formatCount(checked)} checked.`,
  );
  output.line();
  const classes = result.classes.map((row) => [
    row.className,
    row.population,
    row.checked,
    row.right,
    ...cells(row.accuracy),
  ]);
  print(output, [['class', 'labels', 'checked', 'right', 'accuracy', '95 % interval'], ...classes]);
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

function print(output: Output, rows: readonly (readonly (string | number)[])[]): void {
  for (const line of table(rows)) output.line(line);
}

function cells(accuracy: Interval | null): string[] {
  return accuracy ? [formatPercent(accuracy.estimate), range(accuracy)] : ['–', '–'];
}

function range({ low, high }: Interval): string {
  return `${(low * 100).toFixed(1)}–${formatPercent(high)}`;
}
