/** What `auto` did, as it goes and at its end. */
import { formatCount, plural } from '../../core/count-text.ts';
import type { AutoPart, AutoResult, NotClustered } from '../../stages/auto/auto.ts';
import type { OwnClasses } from '../../stages/auto/found.ts';
import type { ClassifyResult } from '../../stages/classify/classify.ts';
import type { Output } from '../output.ts';
import { formatPercent, table } from '../words.ts';
import { workspaceOption } from '../workspace-option.ts';
import { printAdded } from './added.ts';
import { printDetected } from './detected.ts';
import { type Asked, copiesText, printClusters, printHowClustered, printHowSure } from './discovered.ts';

const CLASSES_SHOWN = 20;
const CLUSTERS_SHOWN = 10;

export function printAutoPart(output: Output, part: AutoPart): void {
  switch (part.kind) {
    case 'again':
      output.summary(
        `This workspace has ${plural(part.images, 'image')} already: new ones join them, and what is done is not done again.`,
      );
      break;
    case 'added':
      printAdded(output, part.result);
      break;
    case 'detected':
      printDetected(output, part.result);
      break;
    case 'discovered': {
      const { counts } = part.result;
      printHowClustered(output, part.result);
      output.summary(
        `Grouped ${plural(counts.items, 'image')}${copiesText(counts)} into ${plural(counts.clusters, 'cluster')}.`,
      );
      break;
    }
    case 'not-clustered':
      output.summary(notClusteredText(part.reason));
      break;
    case 'classified':
      printClassified(output, part.result);
      break;
    default:
      part satisfies never;
  }
}

/** ` (12 surely here, 9 perhaps, 3 doubtful)`; nothing where nothing says so. */
function certaintiesText(classes: AutoResult['classes']): string {
  const parts = (['surely', 'perhaps', 'doubtful'] as const).flatMap((certainty) => {
    const count = classes.filter((one) => one.certainty === certainty).length;
    return count > 0 ? [`${count} ${certainty}`] : [];
  });
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

function notClusteredText({ images, embedded, least }: NotClustered): string {
  return images < least
    ? `Too few for clusters that say anything: whole images are grouped from ${least} on, and here ${images === 1 ? 'is 1' : `are ${images}`}. labelsmith discover groups them all the same.`
    : `Too few for clusters that say anything: of ${plural(images, 'image')} only ${embedded} could be embedded, and whole images are grouped from ${least} on. labelsmith discover groups them all the same.`;
}

export function printClassified(output: Output, { task, counts, interrupted }: ClassifyResult): void {
  if (counts.classified + counts.quarantined === 0 && !interrupted) {
    output.summary(`Nothing to do: no item is left that this classifier has not seen (task ${task}).`);
    return;
  }
  output.summary(
    `Classified ${plural(counts.classified, 'item')} (task ${task}): ${plural(counts.labelled, 'label')}, ${counts.unsure} left for people.`,
  );
}

const LABELLED_BY: Readonly<Record<OwnClasses['owner'], string>> = {
  model: 'labelled by a model',
  reference: 'labelled from references',
  people: 'labelled by people',
};

/** What somebody taught or labelled comes first: it is what they are here for. */
function printOwn(output: Output, { task, owner, classes }: OwnClasses): void {
  output.summary();
  output.summary(`Your classes (task ${task}, ${LABELLED_BY[owner]}):`);
  const rows = classes.slice(0, CLASSES_SHOWN).map((of) => [of.name, of.labels, formatPercent(of.meanConfidence, 0)]);
  for (const line of table([['class', 'labels', 'mean confidence'], ...rows])) output.summary(`  ${line}`);
  if (classes.length > CLASSES_SHOWN) output.summary(`  and ${formatCount(classes.length - CLASSES_SHOWN)} more`);
}

/**
 * @param report where it was written; null where it was not
 * @param typed the workspace as `--workspace` has it; the commands that come next name it where it is not the default
 */
export function printAuto(
  output: Output,
  { own, classes, detected, discovered, next, interrupted, images, withoutObjects }: AutoResult,
  places: { readonly workspace: string; readonly report: string | null; readonly typed: string },
  asked: Asked,
): void {
  if (interrupted) output.summary('Interrupted. What there is so far:');
  for (const task of own) printOwn(output, task);
  output.summary();
  output.summary(
    classes.length > 0
      ? `Found ${plural(classes.length, 'class', 'classes')} of objects${certaintiesText(classes)}:`
      : detected === null || detected.interrupted
        ? 'The detector has not looked at all images yet, and found no objects so far.'
        : 'Found no objects of the classes that the detector knows.',
  );
  const rows = classes
    .slice(0, CLASSES_SHOWN)
    .map(({ name, images, regions, meanConfidence, certainty }) => [
      name,
      images,
      regions,
      formatPercent(meanConfidence, 0),
      certainty ?? '',
    ]);
  if (rows.length > 0) {
    for (const line of table([['class', 'images', 'regions', 'mean score', 'here'], ...rows]))
      output.summary(`  ${line}`);
  }
  if (classes.length > CLASSES_SHOWN) {
    output.summary(`  and ${formatCount(classes.length - CLASSES_SHOWN)} more: labelsmith corpus list`);
  }
  if (classes.length > 0 && withoutObjects > 0) {
    output.summary(`In ${formatCount(withoutObjects)} of ${plural(images, 'image')} there is none of them.`);
  }
  if (discovered && discovered.clusters.length > 0) {
    output.summary();
    const apart = own.some(({ task }) => task === 'class') ? ', to look at: they stay out of exports' : '';
    output.summary(`Clusters of whole images${apart}:`);
    printClusters(output, discovered, 'images', CLUSTERS_SHOWN);
    printHowSure(output, discovered, 'images', asked);
  }
  output.summary();
  if (places.report !== null) output.summary(`Report:    ${places.report}`);
  output.summary(`Workspace: ${places.workspace}`);
  if (interrupted) return;
  output.summary(nextHeading(process.env));
  const naming = workspaceOption(places.typed);
  for (const { command, why } of next) {
    output.summary(`  ${command}${naming}`);
    output.summary(`      ${why.replace(/labelsmith corpus map names\.csv/, `$&${naming}`)}`);
  }
}

/** `Next:`; in a checkout, where there is no command `labelsmith`, with what is typed in its place. */
export function nextHeading(env: Readonly<Record<string, string | undefined>>): string {
  const isScriptOfCheckout =
    /^(labelsmith|demo)$/.test(env.npm_lifecycle_event ?? '') && env.npm_package_name === 'labelsmith';
  return isScriptOfCheckout ? 'Next (here, npm run -s labelsmith -- in place of labelsmith):' : 'Next:';
}
