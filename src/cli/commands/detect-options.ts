/** The options of `detect`, which `auto` takes too, and the rules they stand for. */

import { z } from 'zod';
import { type AcceptRules, DEFAULT_THRESHOLD, IMAGE_LABEL_RULES } from '../../corpus/accept.ts';
import { refuseUnknownClasses, rulesInAllNames } from '../../corpus/rules.ts';
import { readMapping } from '../../corpus/taxonomies.ts';
import type { Store } from '../../store/store.ts';
import { nameList, thresholds } from '../text-values.ts';
import { flag, type OptionTable, option, type Values } from '../values.ts';

export const DEFAULT_DETECTOR = 'centernet';
export const DEFAULT_POSE_MODEL = 'movenet-lightning';
/** The class that pose models know, as COCO's detectors name it. */
const PERSON = 'person';

export const DETECT_OPTIONS = {
  model: option('-m, --model <name>', 'the detector: see labelsmith models list', z.string().default(DEFAULT_DETECTOR)),
  classes: option('--classes <a,b>', 'keep only these classes', nameList().optional()),
  threshold: option(
    '--threshold <t>',
    `score a region needs, 0 to 1 (default: ${DEFAULT_THRESHOLD}); of single classes: 0.3,person=0.5`,
    thresholds().optional(),
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
} satisfies OptionTable;

export type DetectOptions = Values<typeof DETECT_OPTIONS>;

/** What people are called in the corpus under these rules. */
export function personClassesOf({ mapping }: AcceptRules): string[] {
  return [mapping[PERSON] ?? PERSON];
}

/** The rules as the options say them, in the names of the workspace's corpus, for a model that finds these classes. */
export async function acceptRulesOf(
  options: DetectOptions,
  store: Pick<Store, 'corpus'>,
  modelClasses: readonly string[],
): Promise<AcceptRules> {
  const mapping = options.mapping === undefined ? {} : Object.fromEntries(await readMapping(options.mapping));
  const said = { ...rulesSaid(options), mapping };
  const corpus = await store.corpus();
  refuseUnknownClasses(corpus, said, modelClasses);
  return rulesInAllNames(corpus, said);
}

function rulesSaid({ threshold, classes, imageLabels }: DetectOptions): AcceptRules {
  return {
    threshold: threshold?.default ?? DEFAULT_THRESHOLD,
    classThresholds: threshold?.classes ?? {},
    classes: classes ?? null,
    mapping: {},
    imageLabels,
  };
}
