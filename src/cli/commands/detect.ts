import { decodeLetterboxed } from '../../images/decode.ts';
import { acceptKeyOf } from '../../labelling/accept.ts';
import { type DetectResult, detect as detectAll } from '../../labelling/detect.ts';
import { openDetector } from '../../models/detector.ts';
import { originalBytes } from '../../pipeline/originals.ts';
import { openWorkspace, type Workspace } from '../../pipeline/workspace.ts';
import type { CommandSpec, Invocation } from '../command.ts';
import { fetchOptionsFor } from '../fetching.ts';
import type { Output } from '../output.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../words.ts';
import { acceptRulesOf, DETECT_OPTIONS } from './detect-options.ts';

export const detect: CommandSpec = {
  usage: 'detect',
  summary: 'find objects: regions with classes, and image labels from them',
  details:
    'Every detection scoring 0.05 or more is kept as a candidate; those over the threshold become regions and labels.\n' +
    'A second run does only what is missing, and another threshold does not run the model again. What a person said,\n' +
    'drew or deleted stays as it is, also with --force.',
  options: [
    ...DETECT_OPTIONS,
    { flags: '--force', description: 'run the model again on images that were done', default: false },
    { flags: '--task <name>', description: 'the task that gets the labels', default: 'objects' },
  ],
  examples: [
    ['labelsmith detect', 'all 80 COCO classes'],
    ['labelsmith detect --classes person,car,dog', 'only these'],
    ['labelsmith detect --threshold 0.4,person=0.5', 'another threshold, and one for people'],
    ['labelsmith detect --model nanodet', 'another model'],
    ['labelsmith detect --limit 100', 'a pilot on 100 images'],
  ],
  async run(invocation) {
    const { options, global, output } = invocation;
    const workspace = await openWorkspace(global.workspace, { create: false });
    try {
      if (global.dryRun) return await estimateDetect(invocation, workspace);
      const result = await runDetect(invocation, workspace, {
        force: options.force as boolean,
        task: options.task as string,
      });
      output.document({ interrupted: result.interrupted, ...result.counts });
      printDetected(output, result);
      if ((await workspace.store.countImages()) === 0) return 1;
      return global.strict && result.counts.quarantined > 0 ? 1 : 0;
    } finally {
      await workspace.close();
    }
  },
};

export async function runDetect(
  invocation: Invocation,
  workspace: Workspace,
  { force, task }: { readonly force: boolean; readonly task: string },
): Promise<DetectResult> {
  const { options, global, output, signal } = invocation;
  const rules = acceptRulesOf(options);
  const detector = await openDetector(options.model as string, {
    ...fetchOptionsFor(output, signal),
    threads: global.threads,
  });
  try {
    const run = invocation.runOptions();
    const readBytes = originalBytes(workspace);
    const effects = {
      store: workspace.store,
      detector,
      readBytes,
      decode: (bytes: Uint8Array, input: typeof detector.input) => decodeLetterboxed(bytes, input),
    };
    const result = await detectAll(effects, { ...run, rules, force, task });
    run.done();
    return result;
  } finally {
    await detector.close();
  }
}

/** Times the model on a few blank images, and multiplies. */
async function estimateDetect(invocation: Invocation, { store }: Workspace): Promise<number> {
  const { options, global, output, signal } = invocation;
  const detector = await openDetector(options.model as string, {
    ...fetchOptionsFor(output, signal),
    threads: global.threads,
  });
  try {
    const { width, height } = detector.input;
    const acceptKey = acceptKeyOf(acceptRulesOf(options));
    const missing = await store.countDetectionWork(detector.key, acceptKey, { force: options.force as boolean });
    const images = Math.min(missing, global.limit ?? missing);
    const pixels = new Uint8Array(width * height * 3);
    const frame = { width, height, scaleX: 1, scaleY: 1 };
    await detector.detect(pixels, frame);
    const startedAt = performance.now();
    for (let i = 0; i < TIMED_IMAGES; i++) await detector.detect(pixels, frame);
    const estimatedMs = ((performance.now() - startedAt) / TIMED_IMAGES) * DECODE_SHARE * (images / global.threads);
    const recordBytes = images * RECORD_BYTES;
    output.document({ dryRun: true, model: detector.key, images, estimatedMs: Math.round(estimatedMs), recordBytes });
    output.line(`${plural(images, 'image')} to detect in with ${detector.key}`);
    output.line(`would take about ${formatDuration(estimatedMs)} and ${formatBytes(recordBytes)} of disk`);
    return 0;
  } finally {
    await detector.close();
  }
}

const TIMED_IMAGES = 5;
/** Decoding a photograph of a megapixel adds about a quarter to the time in the model. */
const DECODE_SHARE = 1.25;
/** Candidates (100 at most, 22 bytes each), regions and labels of a usual photograph. */
const RECORD_BYTES = 3000;

export function printDetected(output: Output, { counts }: DetectResult): void {
  const reused = counts.images - counts.detected;
  const again = reused > 0 ? ` (${formatCount(reused)} from stored candidates)` : '';
  output.line(`Detected ${plural(counts.regions, 'region')} in ${plural(counts.images, 'image')}${again}.`);
  if (counts.quarantined > 0) {
    output.line(`Could not read ${plural(counts.quarantined, 'image')}: labelsmith status --quarantine says why.`);
  }
}
