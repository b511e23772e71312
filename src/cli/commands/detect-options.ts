/** The options of `detect`, which `auto` takes too, and the rules they stand for. */

import { type AcceptRules, DEFAULT_THRESHOLD, IMAGE_LABEL_RULES, type ImageLabelRule } from '../../corpus/accept.ts';
import { refuseUnknownClasses, rulesInAllNames } from '../../corpus/rules.ts';
import { readMapping } from '../../corpus/taxonomies.ts';
import type { Store } from '../../store/store.ts';
import type { OptionSpec } from '../command.ts';
import { nameList, type Thresholds, thresholds } from '../parse.ts';

export const DEFAULT_DETECTOR = 'centernet';
export const DEFAULT_POSE_MODEL = 'movenet-lightning';
/** The class that pose models know, as COCO's detectors name it. */
const PERSON = 'person';

export const DETECT_OPTIONS: readonly OptionSpec[] = [
  { flags: '-m, --model <name>', description: 'the detector: see labelsmith models list', default: DEFAULT_DETECTOR },
  { flags: '--classes <a,b>', description: 'keep only these classes', parse: nameList('--classes') },
  {
    flags: '--threshold <t>',
    description: `score a region needs, 0 to 1 (default: ${DEFAULT_THRESHOLD}); of single classes: 0.3,person=0.5`,
    parse: thresholds('--threshold'),
  },
  {
    flags: '--image-labels <rule>',
    description: "how an image's labels follow from its regions",
    choices: Object.keys(IMAGE_LABEL_RULES),
    default: 'any',
  },
  {
    flags: '--mapping <file>',
    description: "the model's class names to yours: a JSON object, or CSV with the columns from,to",
  },
  {
    flags: '--tiles',
    description: 'look at large images in overlapping tiles too: finds small things, takes longer',
    default: false,
  },
  { flags: '--pose', description: "find COCO's 17 keypoints on each person too", default: false },
  { flags: '--pose-model <name>', description: 'the pose model', default: DEFAULT_POSE_MODEL },
  { flags: '--segment', description: 'find a mask in each box too', default: false },
];

/** What people are called in the corpus under these rules. */
export function personClassesOf({ mapping }: AcceptRules): string[] {
  return [mapping[PERSON] ?? PERSON];
}

/** The rules as the options say them, in the names of the workspace's corpus, for a model that finds these classes. */
export async function acceptRulesOf(
  options: Readonly<Record<string, unknown>>,
  store: Pick<Store, 'corpus'>,
  modelClasses: readonly string[],
): Promise<AcceptRules> {
  const file = options.mapping as string | undefined;
  const mapping = file === undefined ? {} : Object.fromEntries(await readMapping(file));
  const said = { ...rulesSaid(options), mapping };
  const corpus = await store.corpus();
  refuseUnknownClasses(corpus, said, modelClasses);
  return rulesInAllNames(corpus, said);
}

function rulesSaid(options: Readonly<Record<string, unknown>>): AcceptRules {
  const given = options.threshold as Thresholds | undefined;
  return {
    threshold: given?.default ?? DEFAULT_THRESHOLD,
    classThresholds: given?.classes ?? {},
    classes: (options.classes as string[] | undefined) ?? null,
    mapping: {},
    imageLabels: options.imageLabels as ImageLabelRule,
  };
}
