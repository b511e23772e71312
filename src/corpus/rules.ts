/** Acceptance rules name classes of the corpus; a model says the names it was trained with. */
import type { CorpusState } from '../core/corpus.ts';
import { nearestNames } from '../core/nearest-names.ts';
import { LabelsmithError } from '../errors.ts';
import type { AcceptRules } from './accept.ts';
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

/**
 * Refuses rules that name a class which never comes of the model and the mapping, by no name the corpus has for it: they
 * would keep nothing, and take away what is there.
 */
export function refuseUnknownClasses(state: CorpusState, rules: AcceptRules, modelClasses: readonly string[]): void {
  const index = new CorpusIndex(state);
  const given = new Set(modelClasses.map((name) => rules.mapping[name] ?? name));
  const isGiven = (name: string) => {
    const root = index.find(name);
    return given.has(name) || (root !== undefined && [root.name, ...index.otherNames(root)].some((n) => given.has(n)));
  };
  const refuse = (unknown: readonly string[], option: string) => {
    if (unknown.length === 0) return;
    const near = [...new Set(unknown.flatMap((name) => [...renamed(name), ...nearestNames(name, given)]))];
    throw new LabelsmithError('USAGE', `${option} names what the model does not find: ${unknown.join(', ')}.`, {
      hint:
        near.length > 0
          ? `Did you mean ${near.join(', ')}?`
          : `It finds ${[...given].sort().slice(0, MAX_NAMED).join(', ')}${given.size > MAX_NAMED ? ', …' : ''}.`,
      details: { unknown, near },
    });
  };
  /** What the mapping calls a class that is named as the model has it. */
  const renamed = (name: string) => (rules.mapping[name] === undefined ? [] : [rules.mapping[name]]);
  refuse(
    (rules.classes ?? []).filter((name) => !isGiven(name)),
    '--classes',
  );
  refuse(
    Object.keys(rules.classThresholds).filter((name) => !isGiven(name)),
    '--threshold',
  );
}

/** Classes listed where no name is near. */
const MAX_NAMED = 12;
