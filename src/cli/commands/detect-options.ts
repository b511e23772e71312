/** The options of `detect`, which `auto` takes too, and the rules they stand for. */
import { type AcceptRules, DEFAULT_THRESHOLD, IMAGE_LABEL_RULES, type ImageLabelRule } from '../../labelling/accept.ts';
import type { OptionSpec } from '../command.ts';
import { nameList, type Thresholds, thresholds } from '../parse.ts';

export const DEFAULT_DETECTOR = 'centernet';

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
];

export function acceptRulesOf(options: Readonly<Record<string, unknown>>): AcceptRules {
  const given = options.threshold as Thresholds | undefined;
  return {
    threshold: given?.default ?? DEFAULT_THRESHOLD,
    classThresholds: given?.classes ?? {},
    classes: (options.classes as string[] | undefined) ?? null,
    mapping: {},
    imageLabels: options.imageLabels as ImageLabelRule,
  };
}
