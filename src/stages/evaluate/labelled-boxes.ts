/** Boxes with the labels that hold for them, as candidates: what people and imports said can be scored like a detector. */
import { chunks } from '../../core/chunks.ts';
import type { ImageId } from '../../core/ids.ts';
import { currentLabels, type Origin, type Task } from '../../core/labels.ts';
import type { Store } from '../../store/store.ts';
import type { CandidateSource } from './evaluation.ts';

export type LabelledBoxStore = Pick<Store, 'classes' | 'labelsOf' | 'regionsOf'>;

const PAGE = 512;

/**
 * A box counts once for each of its classes, with the label's confidence as its score; deleted ones and crowds do not count.
 * Null where the task is of whole images or no box has a label in it.
 * @param origin only what this origin says. Default: the labels that hold
 */
export async function labelledBoxes(
  store: LabelledBoxStore,
  ids: readonly ImageId[],
  task: Task,
  origin?: Origin,
): Promise<CandidateSource | null> {
  if (task.items !== 'regions') return null;
  const classNames = (await store.classes())
    .filter(({ counts }) => counts.some((of) => of.task === task.name && of.items === 'regions' && of.count > 0))
    .map(({ name }) => name);
  return classNames.length === 0
    ? null
    : { classNames, pages: pages(store, ids, { task, origin, classNames }), asGuess: false, labelled: true };
}

interface Wanted {
  readonly task: Task;
  readonly origin?: Origin;
  readonly classNames: readonly string[];
}

async function* pages(
  store: LabelledBoxStore,
  ids: readonly ImageId[],
  { task, origin, classNames }: Wanted,
): CandidateSource['pages'] {
  const indexOf = new Map(classNames.map((name, i) => [name, i]));
  for (const page of chunks(ids, PAGE)) {
    const regions = await store.regionsOf(page);
    const regionIds = [...regions.values()].flat().map(({ id }) => id);
    const labels = await store.labelsOf(regionIds, task.name);
    yield page.map((imageId) => {
      const labelled = (regions.get(imageId) ?? []).flatMap(({ id, box, crowd, deleted }) => {
        if (deleted || crowd) return [];
        const said = (labels.get(id) ?? []).filter((one) => origin === undefined || one.origin === origin);
        return currentLabels(said, task.rule).flatMap(({ className, confidence }) => {
          const index = indexOf.get(className);
          return index === undefined ? [] : [{ box, confidence, index }];
        });
      });
      const rows = labelled.sort((a, b) => b.confidence - a.confidence);
      return {
        imageId,
        detections: {
          count: rows.length,
          boxes: Float32Array.from(rows.flatMap(({ box }) => [...box])),
          scores: Float32Array.from(rows, ({ confidence }) => confidence),
          classes: Int32Array.from(rows, ({ index }) => index),
        },
      };
    });
  }
}
