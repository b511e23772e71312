/** The rules of acceptance as somebody asks for them, in the names of the workspace's corpus and of one model. */
import { toClassName } from '../../core/class-name.ts';
import { nearestNames } from '../../core/nearest-names.ts';
import { type AcceptRules, DEFAULT_THRESHOLD, type ImageLabelRule } from '../../corpus/accept.ts';
import { refuseUnknownClasses, rulesInAllNames } from '../../corpus/rules.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Detector } from '../../models/detector.ts';
import type { Models, OpenModelOptions } from '../../models/models.ts';
import type { Vocabulary } from '../../models/vocabulary.ts';
import type { Store } from '../../store/store.ts';

/** The class that pose models know, as COCO's detectors name it. */
const PERSON = 'person';

export interface AskedRules {
  /** Score a region needs, 0.05 to 1 (default {@link DEFAULT_THRESHOLD}). */
  readonly threshold?: number;
  /** Of single classes. */
  readonly classThresholds?: Readonly<Record<string, number>>;
  /** Only these classes; what to find, of a detector whose classes are words. */
  readonly classes?: readonly string[];
  /** The sentence that such a detector reads for a name, with `{}` in its place. */
  readonly template?: string;
  /** The model's names of classes to others. */
  readonly mapping?: ReadonlyMap<string, string>;
  /** Default `any`. */
  readonly imageLabels?: ImageLabelRule;
}

/** What people are called in the corpus under these rules. */
export function personClassesOf({ mapping }: AcceptRules): string[] {
  return [mapping[PERSON] ?? PERSON];
}

/** Opens a detector that has been told what to find, should it need that. */
export function openDetectorFor(
  models: Pick<Models, 'openDetector'>,
  name: string,
  { classes, template }: AskedRules,
  options: OpenModelOptions,
): Promise<Detector> {
  const vocabulary: Vocabulary | undefined = classes && {
    classNames: [...new Set(classes.map((one) => toClassName(one)))].sort(),
    ...(template === undefined ? {} : { templates: [template] }),
  };
  return models.openDetector(name, { ...options, ...(vocabulary ? { vocabulary } : {}) });
}

/** Refuses classes that the model never finds; of a mapping, which may be for several models, it tells which those are. */
export async function rulesFor(
  store: Pick<Store, 'corpus'>,
  asked: AskedRules,
  { classNames: modelClasses, vocabulary }: Pick<Detector, 'classNames' | 'vocabulary'>,
): Promise<{ readonly rules: AcceptRules; readonly unknownInMapping: readonly string[] }> {
  const { threshold = DEFAULT_THRESHOLD, classThresholds = {}, mapping, imageLabels = 'any' } = asked;
  // What a detector was told to find is all that it finds.
  const classes = vocabulary ? null : (asked.classes ?? null);
  const unknownInMapping = unknownNames(mapping ?? new Map(), modelClasses);
  const said = { threshold, classThresholds, classes, mapping: Object.fromEntries(mapping ?? []), imageLabels };
  const corpus = await store.corpus();
  refuseUnknownClasses(corpus, said, modelClasses);
  return { rules: rulesInAllNames(corpus, said), unknownInMapping };
}

function unknownNames(mapping: ReadonlyMap<string, string>, modelClasses: readonly string[]): string[] {
  const known = new Set(modelClasses);
  const unknown = [...mapping.keys()].filter((name) => !known.has(name));
  if (unknown.length === 0 || unknown.length < mapping.size) return unknown;
  const near = [...new Set(unknown.flatMap((name) => nearestNames(name, known)))];
  throw new LabelsmithError('USAGE', `--mapping names nothing that the model finds: ${unknown.join(', ')}.`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(', ')}? Upper and lower case count.`
        : `It finds ${modelClasses.slice(0, 12).join(', ')}${modelClasses.length > 12 ? ', …' : ''}.`,
    details: { unknown, near },
  });
}
