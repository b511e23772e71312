/** What comes next for a pile after `auto`: commands that fit what was found, each with its reason. */
import { plural } from '../../core/count-text.ts';
import type { Store } from '../../store/store.ts';
import type { AddResult } from '../add/add.ts';
import type { Detected } from '../detect/detect-with.ts';
import { isUnnamed } from '../discover/evidence.ts';
import type { DiscoverResult } from '../discover/options.ts';
import type { OwnClasses } from './found.ts';

export interface NextStep {
  /** `labelsmith …`, to be typed as it is but for words in capitals. */
  readonly command: string;
  readonly why: string;
}

/** What `auto` did. */
interface Done {
  /** Images in all. */
  readonly images: number;
  readonly added: AddResult;
  readonly detected: Detected | null;
  readonly discovered: DiscoverResult | null;
  readonly own: readonly OwnClasses[];
}

export async function nextSteps(
  store: Pick<Store, 'summary'>,
  { images, added, detected, discovered, own }: Done,
): Promise<NextStep[]> {
  const steps: NextStep[] = [];
  const { counts } = added;
  if (counts.quarantined + counts.stillQuarantined + (detected?.readErrors.quarantined ?? 0) > 0) {
    steps.push({ command: 'labelsmith status --quarantine', why: 'which files were left out, and why' });
  }
  if (images === 0) return steps;
  for (const { task, owner } of own) {
    if (owner !== 'people')
      steps.push({ command: `labelsmith audit ${task}`, why: 'how many of these labels are right' });
    steps.push({ command: `labelsmith export folders OUT --task ${task}`, why: 'a folder for each of your classes' });
  }
  // Where somebody else labels whole images, clusters are there to look at and no more.
  const clustersCount = !own.some(({ task }) => task === 'class');
  if (discovered && clustersCount) steps.push(...clusterSteps(discovered));
  steps.push({
    command: `labelsmith teach select -n ${Math.min(50, images)} --out to-sort`,
    why:
      own.length > 0
        ? 'for more classes, or surer ones: sort a few pictures, and teach rounds labels the rest'
        : 'classes of your own: sort a few pictures, and teach rounds labels the rest',
  });
  const { regions } = await store.summary();
  if (regions > 0) {
    steps.push({ command: 'labelsmith audit objects', why: 'how many of the objects are right' });
    steps.push({ command: 'labelsmith export coco OUT', why: 'objects with their boxes' });
  }
  if (discovered && clustersCount && discovered.clusters.length > 0) {
    steps.push({ command: 'labelsmith export folders OUT --task class', why: 'a folder for each cluster' });
  }
  return steps;
}

function clusterSteps({ clusters, levels, clustered, counts }: DiscoverResult): NextStep[] {
  const steps: NextStep[] = [];
  if (!clustered && (counts.assigned > 0 || counts.since > 0)) {
    steps.push({
      command: 'labelsmith discover --recluster',
      why: 'new images were given to the clusters there were; this looks for new ones',
    });
  }
  if (levels.length > 1) {
    const numbers = levels.map((k, i) => `${i + 1}: ${k}`).join(', ');
    steps.push({
      command: `labelsmith discover --level ${otherLevel(levels, clusters.length)}`,
      why: `fewer or more clusters, before you name them; how many at each level: ${numbers}`,
    });
  }
  const unnamed = clusters.filter(({ name }) => isUnnamed(name));
  if (clusters.length > 0) {
    const reason =
      unnamed.length > 0
        ? `${unnamed.length} of ${plural(clusters.length, 'cluster')} ${unnamed.length === 1 ? 'has' : 'have'} no name, since too little speaks for any`
        : 'the names are proposals, and several clusters may be one class';
    steps.push({
      command: 'labelsmith corpus names names.csv',
      why: `${reason}: fill in this sheet, then labelsmith corpus map names.csv`,
    });
  }
  if (clusters.length > 0) {
    steps.push({ command: 'labelsmith review', why: 'or in the browser: look, name, correct' });
  }
  return steps;
}

/** The next finer level than the one that is cut at, since clusters are more often too few than too many; else the next coarser. */
export function otherLevel(levels: readonly number[], clusters: number): number {
  const finer = levels.findIndex((k) => k > clusters);
  return finer >= 0 ? finer + 1 : Math.max(1, levels.length - 1);
}
