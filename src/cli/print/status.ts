/** What is in a workspace, in words. */

import { countedName, formatCount, plural } from '../../core/count-text.ts';
import { QUALITY_FLAGS } from '../../core/image.ts';
import { dayOf } from '../../core/label-accuracy.ts';
import type { FleetStatus, WorkspaceStatus } from '../../jobs/status.ts';
import { accuracyRows } from '../../stages/audit/accuracy-text.ts';
import type { TaskAccuracy } from '../../stages/audit/known-accuracy.ts';
import type { EmbeddingRecipe } from '../../stages/embed/recipe.ts';
import type { LastLearningCurve } from '../../stages/teach/last-learning-curve.ts';
import type { TrainingUnderWay } from '../../stages/teach/training-note.ts';
import type { Output } from '../output.ts';
import { formatDuration, formatTime, oneLine, table } from '../words.ts';
import { moreLabelsText } from './more-labels.ts';
import { trainingText } from './training.ts';

export interface PrintedStatus extends WorkspaceStatus {
  readonly accuracy: readonly TaskAccuracy[];
  readonly learningCurves: readonly LastLearningCurve[];
  readonly trainings: readonly TrainingUnderWay[];
  /** Names of tasks whose labels are of boxes. */
  readonly tasksOfBoxes: ReadonlySet<string>;
}

export function printStatus(
  output: Output,
  dir: string,
  found: PrintedStatus,
  embedder?: Pick<EmbeddingRecipe, 'model' | 'because'>,
): void {
  const { summary, accuracy, sources, goneSources, runs, deadShards, quarantine = [], problems } = found;
  output.line(`Workspace ${dir}`);
  for (const source of sources) {
    output.line(`  from ${oneLine(source)}${goneSources.includes(source) ? ' (not there)' : ''}`);
  }
  output.line();
  const quarantined = Object.values(summary.quarantined).reduce((sum, count) => sum + count, 0);
  const flags = QUALITY_FLAGS.filter((flag) => summary.flags[flag]).map((flag) => `${summary.flags[flag]} ${flag}`);
  const labels = Object.entries(summary.labels).map(([origin, count]) => `${formatCount(count)} ${origin}`);
  const empty = summary.emptyClasses;
  const rows: [string, string][] = [
    ['images', `${formatCount(summary.images)} in ${plural(summary.groups, 'group')}`],
    [
      'paths',
      `${formatCount(summary.paths)} (${formatCount(summary.duplicatePaths)} exact copies, ${formatCount(summary.missingPaths)} missing)`,
    ],
    ['similar pairs', formatCount(summary.similarPairs)],
    ['flags', flags.join(', ') || 'none'],
    ['regions', formatCount(summary.regions)],
    [
      'labels',
      labels.length > 0
        ? `${labels.join(', ')} (all that was said; what holds of it stands below)`
        : 'none yet: labelsmith detect',
    ],
    ['classes', `${formatCount(summary.classes)}${empty > 0 ? ` (and ${formatCount(empty)} without a label)` : ''}`],
    ['quarantined', quarantined ? `${formatCount(quarantined)} (${reasons(summary.quarantined)})` : 'none'],
  ];
  if (embedder) rows.push(['embedder', [embedder.model, ...(embedder.because ? [embedder.because] : [])].join(', ')]);
  for (const [name, value] of rows) output.line(`  ${name.padEnd(14)} ${value}`);
  for (const of of accuracy) {
    printAccuracy(output, of);
    printMoreLabels(output, found, of);
    if (found.tasksOfBoxes.has(of.task)) printNextOfBoxes(output, of);
  }
  for (const training of found.trainings) {
    output.line();
    for (const line of trainingText(training)) output.line(`  ${line}`);
  }
  if (runs.length > 0) {
    output.line();
    for (const line of table([['run', 'stage', 'status', 'took', 'counts'], ...runs.map(runRow)]))
      output.line(`  ${line}`);
  }
  if (found.fleet) for (const line of fleetLines(found.fleet)) output.line(line);
  for (const { runId, stage, shard, items, reason } of deadShards) {
    output.line(`given up  ${stage} ${shard} of ${runId} (${plural(items, 'item')}): ${oneLine(reason)}`);
  }
  for (const { reason, path, message } of quarantine) {
    output.line(`${reason.padEnd(19)} ${oneLine(path)}`);
    output.line(`${' '.repeat(19)} ${oneLine(message)}`);
  }
  if (problems) output.line(problems.length === 0 ? '\nIntegrity: ok' : `\nIntegrity:\n  ${problems.join('\n  ')}`);
}

/** What all workers were told, and the command that they were given last. */
function fleetLines({ paused, limits, command }: FleetStatus): string[] {
  const most = Object.entries(limits).map(([model, count]) => `${oneLine(model)} ${count}`);
  return [
    ...(command
      ? [`given to the workers last: labelsmith ${oneLine(command.join(' '))} (how far: status --follow)`]
      : []),
    ...(paused ? ['workers are paused: labelsmith worker resume'] : []),
    ...(most.length > 0 ? [`shards of a model at once, at most: ${most.join(', ')} (labelsmith worker limit)`] : []),
  ];
}

/** Whose labels a task has, and how many of them are right. */
function printAccuracy(output: Output, of: TaskAccuracy): void {
  const { task, machine, imported, people } = of;
  const whose = [
    ...(people > 0 ? [`${formatCount(people)} by people`] : []),
    ...(imported > 0 ? [`${formatCount(imported)} imported`] : []),
    ...(machine > 0 ? [`${formatCount(machine)} by machines`] : []),
  ];
  const rows = accuracyRows(of);
  output.line();
  output.line(`  Task ${oneLine(task)}: labels ${whose.join(', ')}.`);
  for (const row of rows) output.line(`    ${oneLine(row)}`);
  if (rows.length > 0) return;
  if (machine > 0)
    output.line(`    How many of those by machines are right was not measured: labelsmith audit ${oneLine(task)}`);
  else if (imported > 0)
    output.line(
      `    How many of those that were imported are right was not measured: labelsmith audit ${oneLine(task)} --origin imported`,
    );
}

/** As the task's newest training said it, which labels given since may have changed. */
function printMoreLabels(output: Output, { learningCurves }: PrintedStatus, { task }: TaskAccuracy): void {
  const curve = learningCurves.find((one) => one.task === task);
  const text = curve && moreLabelsText(curve, curve.tried);
  if (curve && text) output.line(`    As of the training of ${dayOf(curve.atMs)}: ${text}`);
}

/** Boxes that came with a file and that nobody looked at yet. */
function printNextOfBoxes(output: Output, { task, machine, imported, people }: TaskAccuracy): void {
  if (imported === 0 || machine + people > 0) return;
  const of = task === 'objects' ? '' : ` --task ${oneLine(task)}`;
  output.line('    Next:');
  const rows = [
    ['labelsmith review', 'look at the boxes, correct and confirm them'],
    [`labelsmith teach detector${of}`, 'a detector for new images, where classes have ten boxes or more'],
    ['labelsmith discover --items regions --task kinds', 'which kinds of things are in the boxes'],
  ];
  for (const line of table(rows)) output.line(`      ${line}`);
}

function reasons(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${formatCount(count)} ${reason}`)
    .join(', ');
}

function runRow(run: WorkspaceStatus['runs'][number]): string[] {
  const took = run.endedAtMs === null ? '' : formatDuration(run.endedAtMs - run.startedAtMs);
  const { part, parts, doneOfAllParts, shardsOfAllParts, ...others } = run.counts;
  const counts = Object.entries(others)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => countedName(name, count));
  // A process of `--shard i/n`, whose end is not that of the stage.
  if (part !== undefined && parts !== undefined) counts.unshift(`part ${part}/${parts}`);
  if (doneOfAllParts !== undefined && shardsOfAllParts !== undefined)
    counts.push(`of all parts ${formatCount(doneOfAllParts)} of ${plural(shardsOfAllParts, 'shard')}`);
  return [formatTime(run.startedAtMs), run.stage, run.status, took, counts.join(', ')];
}
