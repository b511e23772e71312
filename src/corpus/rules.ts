/** Acceptance rules name classes of the corpus; a model says the names it was trained with. */
import type { CorpusState } from '../core/corpus.ts';
import type { AcceptRules } from '../labelling/accept.ts';
import { CorpusIndex } from './state.ts';

/**
 * The rules with every name of each class they name, so that `--classes human` keeps what the model calls person, once
 * person was renamed to human. Rules of classes with one name come out as they were.
 */
export function rulesInAllNames(state: CorpusState, rules: AcceptRules): AcceptRules {
  const index = new CorpusIndex(state);
  const namesOf = (name: string) => {
    const root = index.find(name);
    return root ? [...new Set([name, root.name, ...index.otherNames(root)])] : [name];
  };
  const thresholds = Object.entries(rules.classThresholds);
  return {
    ...rules,
    classes: rules.classes && [...new Set(rules.classes.flatMap(namesOf))],
    classThresholds: Object.fromEntries([
      ...thresholds.flatMap(([name, threshold]) => namesOf(name).map((one) => [one, threshold])),
      // What was said of a name itself counts more than what was said of another name of its class.
      ...thresholds,
    ]),
  };
}
