/** What `import` took in, and what it did not. */

import { formatCount, plural } from '../../core/count-text.ts';
import type { ReaderName } from '../../formats/format.ts';
import type { CorrectionSummary, ImportSummary } from '../../stages/import/import.ts';
import { newTaskText } from '../../stages/import/new-tasks.ts';
import type { Output } from '../output.ts';
import { printReckoning } from '../reckoning-text.ts';
import { formatTime, oneLine } from '../words.ts';
import { silencedText } from './disowned.ts';

export function printImported(output: Output, format: ReaderName, summary: ImportSummary, dryRun = false): void {
  if (summary.recognised !== null) output.summary(`Read as ${format}: ${oneLine(summary.recognised)}.`);
  output.summary(
    `${dryRun ? 'Would import' : 'Imported'} ${plural(summary.labels, 'label')} and ${plural(summary.regions, 'region')} for ${plural(summary.matched, 'entry', 'entries')}.`,
  );
  const compared = summary.corrections === null ? 0 : summary.corrections.confirmed + summary.corrections.unchanged;
  const nothing = summary.labels + summary.regions + summary.contradictions.length + compared === 0;
  if (summary.matched > 0 && nothing && summary.reckoning.problems.length === 0) {
    const table = ['csv', 'parquet'].includes(format);
    output.warn(`None of them has a class${table ? ': the column of the class is empty' : ''}.`);
  }
  if (summary.corrections !== null) printCorrections(output, summary.corrections);
  const added = summary.newClasses.map(({ name }) => name);
  if (added.length > 0) output.summary(`New classes: ${listed(added)}`);
  for (const task of summary.newTasks) output.warn(oneLine(`${newTaskText(task)}.`.replace('?.', '?')));
  for (const [split, count] of Object.entries(summary.splits))
    output.summary(`  split ${split}: ${formatCount(count)}`);
  for (const { task: name, keeps, where } of summary.severalClasses) {
    if (keeps === 'last') {
      output.warn(`${oneLine(where)} says another class of an image; the task ${name} keeps one, the last said.`);
    } else {
      output.warn(`${oneLine(where)} says another class of an image, so these labels are in the task ${name}, which`);
      output.warn('  keeps them all; --task class keeps the last said of each image.');
    }
  }
  if (summary.contradictions.length > 0) {
    output.warn(
      `The answers for ${plural(summary.contradictions.length, 'item')} contradict each other and were left out:`,
    );
    for (const contradiction of summary.contradictions) output.warn(`  ${oneLine(contradiction)}`);
  }
  for (const unknown of summary.unknownClasses) output.warn(`${oneLine(unknown)} (column not)`);
  for (const of of summary.silenced) output.warn(silencedText(of));
  printReckoning(summary.reckoning, output);
}

const COMPARED = {
  state: 'The file is the state of its pictures',
  unknown: 'Compared with what is here, since it is not known which export the file is a copy of',
} as const;

function printCorrections(output: Output, corrections: CorrectionSummary): void {
  const { comparedWith, exportedAtMs, objects, labels } = corrections;
  const against =
    comparedWith === 'export' ? `Compared with the export of ${formatTime(exportedAtMs ?? 0)}` : COMPARED[comparedWith];
  const parts = (['objects', 'labels'] as const).flatMap((what) => {
    const { unchanged, confirmed, ...changes } = what === 'objects' ? objects : labels;
    const counts = Object.entries({ ...changes, ...(confirmed > 0 ? { confirmed } : {}), unchanged });
    if (counts.every(([, count]) => count === 0)) return [];
    const words = counts.map(([name, count]) => `${formatCount(count)} ${name}`);
    return [`${what === 'objects' ? 'objects' : 'classes of images'} ${words.join(', ')}`];
  });
  output.summary(`${against}: ${parts.length === 0 ? 'it says nothing else' : parts.join('; ')}.`);
  if (corrections.unchanged > 0 && comparedWith !== 'state')
    output.summary(
      corrections.confirmAll
        ? "  What is unchanged was people's word already, or was changed here since the export."
        : "  What is unchanged stays the word of whoever said it; --confirm-all makes it the person's.",
    );
}

/** Names shown in one line. */
const NAMES_SHOWN = 12;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map(oneLine).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}
