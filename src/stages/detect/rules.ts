/** The rules of acceptance as somebody asks for them, in the names of the workspace's corpus and of one model. */
import { nearestNames } from '../../core/nearest-names.ts';
import { type AcceptRules, DEFAULT_THRESHOLD, type ImageLabelRule } from '../../corpus/accept.ts';
import { refuseUnknownClasses, rulesInAllNames } from '../../corpus/rules.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

/** The class that pose models know, as COCO's detectors name it. */
const PERSON = 'person';

export interface AskedRules {
  /** Score a region needs, 0.05 to 1 (default {@link DEFAULT_THRESHOLD}). */
  readonly threshold?: number;
  /** Of single classes. */
  readonly classThresholds?: Readonly<Record<string, number>>;
  /** Only these classes. */
  readonly classes?: readonly string[];
  /** The model's names of classes to others. */
  readonly mapping?: ReadonlyMap<string, string>;
  /** Default `any`. */
  readonly imageLabels?: ImageLabelRule;
}

/** What people are called in the corpus under these rules. */
export function personClassesOf({ mapping }: AcceptRules): string[] {
  return [mapping[PERSON] ?? PERSON];
}

/** Refuses classes that the model never finds; of a mapping, which may be for several models, it tells which those are. */
export async function rulesFor(
  store: Pick<Store, 'corpus'>,
  asked: AskedRules,
  modelClasses: readonly string[],
): Promise<{ readonly rules: AcceptRules; readonly unknownInMapping: readonly string[] }> {
  const { threshold = DEFAULT_THRESHOLD, classThresholds = {}, classes = null, mapping, imageLabels = 'any' } = asked;
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
