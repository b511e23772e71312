/** The sections that gather data of their own, in the order of the page: a row here is a section in every report. */
import type { Workspace } from '../jobs/workspace.ts';
import type { GatheredSection } from './report-data.ts';
import { gatherAccuracy } from './sections/accuracy.ts';
import { gatherConfusions } from './sections/confusions.ts';
import { gatherMap } from './sections/map.ts';
import type { Gather, GatherOptions } from './sections/section.ts';

const GATHERERS: readonly Gather[] = [gatherAccuracy, gatherMap, gatherConfusions];

/** One after the other, so that what each holds while it works does not add up. */
export async function gatherSections(workspace: Workspace, options: GatherOptions): Promise<GatheredSection[]> {
  const found: GatheredSection[] = [];
  for (const gather of GATHERERS) {
    const section = await gather(workspace, options);
    if (section) found.push(section);
  }
  return found;
}
