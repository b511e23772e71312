/** The options of `detect`, which `auto` and `demo` take too, and what they ask for. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { DEFAULT_THRESHOLD, IMAGE_LABEL_RULES } from '../../corpus/accept.ts';
import { readMapping } from '../../corpus/taxonomies.ts';
import { classNamesFrom } from '../../stages/class-list.ts';
import { DEFAULT_DETECTOR, DEFAULT_POSE_MODEL, type DetectRequest } from '../../stages/detect/detect-with.ts';
import { nameList, thresholds } from '../text-values.ts';
import { flag, type OptionTable, option, type Values } from '../values.ts';

export const DETECT_OPTIONS = {
  model: option('-m, --model <name>', 'the detector: see labelsmith models list', z.string().default(DEFAULT_DETECTOR)),
  classes: option(
    '--classes <a,b>',
    'keep only these classes; what to find, of a detector that is told in words (owlv2-base); or a file with one a line',
    nameList().optional(),
  ),
  template: option(
    '--template <sentence>',
    'the sentence such a detector reads, with {} for the name (default: a photo of a {})',
    z.string().optional(),
  ),
  threshold: option(
    '--threshold <t>',
    `score a region needs, 0 to 1 (default: ${DEFAULT_THRESHOLD}); of single classes: 0.3,person=0.5`,
    thresholds().optional(),
  ),
  keepDoubtful: flag(
    '--keep-doubtful',
    'keep regions that are likely wrong, since little or nothing of their class is in this pile',
  ),
  imageLabels: option(
    '--image-labels <rule>',
    "how an image's labels follow from its regions",
    z.enum(IMAGE_LABEL_RULES).default('any'),
  ),
  mapping: option(
    '--mapping <file>',
    "the model's class names to yours: a JSON object, or CSV with the columns from,to",
    z.string().optional(),
  ),
  tiles: flag('--tiles', 'look at large images in overlapping tiles too: finds small things, takes longer'),
  pose: flag('--pose', "find COCO's 17 keypoints on each person too"),
  poseModel: option('--pose-model <name>', 'the pose model', z.string().default(DEFAULT_POSE_MODEL)),
  segment: flag('--segment', 'find a mask in each box too'),
  segmenter: option(
    '--segmenter <name>',
    'the model of masks (sam2-tiny; default: none is needed)',
    z.string().optional(),
  ),
} satisfies OptionTable;

export type DetectOptions = Values<typeof DETECT_OPTIONS>;

/** What they ask for, the mapping read. */
export async function detectRequest(options: DetectOptions): Promise<Omit<DetectRequest, 'force' | 'task'>> {
  const { threshold, mapping, pose, poseModel, classes, ...rest } = options;
  return {
    ...rest,
    segment: rest.segment || rest.segmenter !== undefined,
    classes: await namesOrLines(classes),
    threshold: threshold?.default,
    classThresholds: threshold?.classes,
    mapping: mapping === undefined ? undefined : await readMapping(mapping),
    pose: pose ? poseModel : null,
  };
}

/** The names as they stand, or the lines of the one file that they name. */
async function namesOrLines(names: string[] | undefined): Promise<string[] | undefined> {
  const [only] = names ?? [];
  if (names?.length !== 1 || only === undefined) return names;
  const isFile = (await stat(only).catch(() => undefined))?.isFile() ?? false;
  return isFile ? classNamesFrom(only) : names;
}
