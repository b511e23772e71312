/** What `detect` did, in words and for `--json`. */

import { formatBytes } from '../../core/byte-size.ts';
import { formatCount, plural } from '../../core/count-text.ts';
import { DEFAULT_THRESHOLD } from '../../corpus/accept.ts';
import type { DetectEstimate, DetectResult } from '../../stages/detect/detect.ts';
import type { Detected } from '../../stages/detect/detect-with.ts';
import type { ShapeResult } from '../../stages/detect/shape-stage.ts';
import type { Output } from '../output.ts';
import { formatDuration } from '../words.ts';
import { printReadErrors } from './read-errors.ts';

/** Counts of the detector, and a part for each kind of shape that was asked for. */
export function detectedCounts({ counts, doubts, pose, segment }: Detected): Record<string, unknown> {
  return {
    ...counts,
    ...(doubts && { classes: doubts }),
    ...(pose && { pose: pose.counts }),
    ...(segment && { segment: segment.counts }),
  };
}

export function printDetected(output: Output, result: Detected): void {
  const { counts, pose, segment, doubts, keepsDoubtful, readErrors, unknownInMapping } = result;
  const reused = Math.max(0, counts.images - counts.detected);
  const again = reused > 0 ? ` (${formatCount(reused)} from stored candidates)` : '';
  output.summary(
    hadNothingToDo(result) && counts.byOthers === 0
      ? 'Nothing to do: no image is left to detect in.'
      : `Detected ${plural(counts.regions, 'region')} in ${plural(counts.images, 'image')}${again}.`,
  );
  if (counts.byOthers > 0)
    output.summary(`Another run did ${plural(counts.byOthers, 'image')} meanwhile; what it says of them counts there.`);
  const doubtful = (doubts ?? []).filter((doubt) => doubt.doubtful > 0 && doubt.threshold > DEFAULT_THRESHOLD);
  if (doubtful.length > 0 && !keepsDoubtful) {
    const regions = doubtful.reduce((sum, doubt) => sum + doubt.doubtful, 0);
    const names = doubtful.sort((a, b) => b.doubtful - a.doubtful || (a.name < b.name ? -1 : 1)).slice(0, NAMED);
    const first = names.map(({ name }) => name).join(', ');
    output.summary(
      `Left out ${plural(regions, 'region')} with low scores of ${plural(doubtful.length, 'class', 'classes')} (${first}${doubtful.length > NAMED ? ', …' : ''}): this pile has little of these, so most such finds are wrong; --keep-doubtful keeps them.`,
    );
  }
  if (pose && hadNothingToDo(pose)) {
    output.summary('No image is left to find keypoints in.');
  } else if (pose) {
    output.summary(
      `Found keypoints of ${plural(pose.counts.regions, 'person', 'people')} in ${plural(pose.counts.images, 'image')}.`,
    );
  }
  if (segment && hadNothingToDo(segment)) {
    output.summary('No image is left to find masks in.');
  } else if (segment) {
    output.summary(
      `Found masks of ${plural(segment.counts.regions, 'region')} in ${plural(segment.counts.images, 'image')}.`,
    );
  }
  if (unknownInMapping.length > 0) {
    output.warn(`The mapping names what this model does not find: ${unknownInMapping.join(', ')}.`);
  }
  printReadErrors(output, readErrors);
}

/** Classes named in a summary. */
const NAMED = 5;

function hadNothingToDo({ counts, interrupted }: Pick<DetectResult | ShapeResult, 'counts' | 'interrupted'>): boolean {
  return counts.images + counts.quarantined === 0 && !interrupted;
}

export function printDetectEstimate(
  output: Output,
  { model, images, stored, estimatedMs, recordBytes }: DetectEstimate,
): void {
  const known = stored > 0 ? `, ${formatCount(stored)} of them from stored candidates` : '';
  output.line(`${plural(images, 'image')} to detect in with ${model}${known}`);
  output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(recordBytes)} of disk`);
}
