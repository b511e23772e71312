/**
 * Predictions that an annotation took the place of. Label Studio copies a prediction for whoever opens it, results with
 * their ids, names it as the parent, and exports both: what is gone from the annotation was deleted.
 */
import type { JsonObject } from '../check.ts';

/** Whether a prediction of the task is one that somebody handed in an annotation of. */
export function replacedIn(task: JsonObject): (prediction: unknown) => boolean {
  const parents = new Set<unknown>();
  const results = new Set<unknown>();
  for (const annotation of [...objectsIn(task.annotations), ...objectsIn(task.completions)]) {
    if (annotation.was_cancelled === true) continue;
    if (annotation.parent_prediction != null) parents.add(annotation.parent_prediction);
    for (const id of resultIds(annotation)) results.add(id);
  }
  return (prediction) =>
    objectsIn([prediction]).some((one) => parents.has(one.id) || resultIds(one).some((id) => results.has(id)));
}

function resultIds({ result }: JsonObject): unknown[] {
  return objectsIn(result).flatMap(({ id }) => (id == null ? [] : [id]));
}

function objectsIn(list: unknown): JsonObject[] {
  if (!Array.isArray(list)) return [];
  return list.filter((one: unknown): one is JsonObject => typeof one === 'object' && one !== null);
}
