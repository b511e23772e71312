/** Labels of any origin, tasks and names of classes. */
import { toClassName, toName } from '../../core/class-name.ts';
import type { ItemId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import type { Label } from '../../core/labels.ts';
import { isMachine, NONE_OF_THESE } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { NewLabel, Store } from '../store.ts';
import { idOf, imageKey, NO_BYTES, regionKey } from './codec.ts';
import { lostImageLabels } from './derived.ts';
import { findTask, runKeyOf, taskOf } from './dictionary.ts';
import { labelOf, labelStatements } from './label-statements.ts';
import { imagesOfRegions } from './regions.ts';
import type { LabelTable } from './schema.ts';
import { NO_MODEL_ID, ORIGIN_CODES } from './schema.ts';
import type { Session } from './session.ts';
import { pieces } from './session.ts';
import { template } from './template.ts';

type LabelStore = Pick<
  Store,
  'putLabels' | 'labelsOf' | 'clearMachineLabels' | 'tasks' | 'ensureTask' | 'ensureClasses'
>;

export function labelStore(session: Session): LabelStore {
  const { db } = session;
  const statements = labelStatements(session);
  const addTask = template<{ id: number; name: string; rule: string; items: string }>((v) =>
    db.insertInto('task').values({ id: v.id, name: v.name, rule: v.rule, items: v.items }),
  );

  /** The two ids under which labels of these items are kept. Fails when a region is not there. */
  async function placesOf(
    items: readonly ItemId[],
  ): Promise<(item: ItemId) => Pick<LabelTable, 'image_id' | 'region_id'>> {
    const images = await imagesOfRegions(session, items.filter(isRegionId));
    return (item) => {
      const image = images.get(item);
      if (image === undefined) return { image_id: imageKey(item), region_id: NO_BYTES };
      return { image_id: imageKey(image), region_id: regionKey(item) };
    };
  }

  return {
    async putLabels(labels, { replace = false } = {}) {
      for (const label of labels) refuseBadLabel(label);
      await session.write(async (draft) => {
        const regionItems = labels.filter((label) => isRegionId(label.itemId));
        if (regionItems.length > 0) {
          // Guarded: a region labelled here must still be there when the label is written.
          draft.guard('regions', await session.regionsRevision());
        }
        const placeOf = await placesOf(labels.map((label) => label.itemId));
        for (const label of labels) draft.classId(label.className);
        const rows = labels.map(
          (label): LabelTable => ({
            ...placeOf(label.itemId),
            task_id: taskOf(draft.dictionary, label.task).id,
            origin: ORIGIN_CODES[label.origin],
            class_id: draft.classId(label.className),
            model_id: NO_MODEL_ID,
            annotator_id: draft.annotatorId(label.annotator),
            present: Number(label.present),
            confidence: label.confidence,
            run_key: label.runId === null ? null : runKeyOf(draft.dictionary, label.runId),
            sequence: draft.nextSequence(),
          }),
        );
        const cleared = new Set<string>();
        labels.forEach((label, i) => {
          const key = `${label.itemId} ${label.origin} ${label.task}`;
          if (!replace || !isMachine(label.origin) || cleared.has(key)) return;
          cleared.add(key);
          draft.add(statements.dropLabels, rows[i]);
        });
        for (const row of rows) draft.add(statements.putLabel, row);

        const frozen = regionItems.filter((label) => !isMachine(label.origin)).map((label) => label.itemId);
        for (const item of new Set(frozen)) draft.add(statements.touchRegion, placeOf(item));
        if (frozen.length > 0) draft.bump('regions');
        const corrected = regionItems.filter((label) => label.origin === 'human').map((label) => placeOf(label.itemId));
        const images = new Set(corrected.map((place) => idOf(place.image_id)));
        for (const lost of await lostImageLabels(session, images, { said: rows })) {
          draft.add(statements.dropLabelsOfClass, lost);
        }
      });
    },

    async labelsOf(items, task) {
      const labels = new Map<ItemId, Label[]>();
      const taskId = task === undefined ? undefined : taskOf(await session.freshDictionary(), task).id;
      const wanted = new Set(items);
      const images = items.filter((item) => !isRegionId(item)).map(imageKey);
      const regions = [...wanted].filter(isRegionId).map(regionKey);
      let ofImages = db.selectFrom('label').selectAll().where('region_id', '=', NO_BYTES);
      let ofRegions = db
        .selectFrom('region')
        .innerJoin('label', (join) =>
          join.onRef('label.image_id', '=', 'region.image_id').onRef('label.region_id', '=', 'region.id'),
        )
        .selectAll('label');
      if (taskId !== undefined) {
        ofImages = ofImages.where('task_id', '=', taskId);
        ofRegions = ofRegions.where('label.task_id', '=', taskId);
      }
      const queries = [
        ...[...pieces([...new Set(images)])].map((piece) => ofImages.where('image_id', 'in', piece)),
        ...[...pieces(regions)].map((piece) => ofRegions.where('region.id', 'in', piece)),
      ];
      for (const query of queries) {
        const { rows, dictionary } = await session.read([query]);
        for (const row of rows[0]) {
          const label = labelOf(row, dictionary);
          const known = labels.get(label.itemId);
          if (known === undefined) labels.set(label.itemId, [label]);
          else known.push(label);
        }
      }
      for (const list of labels.values()) list.sort((a, b) => a.sequence - b.sequence);
      return labels;
    },

    async clearMachineLabels(task, origin, items) {
      if (!isMachine(origin)) {
        throw new LabelsmithError('REFUSED', `Labels of origin "${origin}" are not a machine's and are not cleared`);
      }
      const { changes } = await session.write(async (draft) => {
        const scope = { task_id: taskOf(draft.dictionary, task).id, origin: ORIGIN_CODES[origin] };
        if (items === undefined) {
          draft.add(statements.dropLabelsOfTask, scope);
          return;
        }
        const placeOf = await placesOf(items);
        for (const item of items) draft.add(statements.dropLabels, { ...placeOf(item), ...scope });
      });
      return changes[0] ?? 0;
    },

    async tasks() {
      const { taskById } = await session.freshDictionary();
      return [...taskById.values()].map(({ name, rule, items }) => ({ name, rule, items }));
    },

    async ensureTask(task) {
      await session.write((draft) => {
        const known = findTask(draft.dictionary, task.name);
        if (known === undefined) {
          const name = toName(task.name, 'task');
          const id = Math.max(0, ...draft.dictionary.taskById.keys()) + 1;
          draft.add(addTask, { id, name, rule: task.rule, items: task.items });
          draft.bump('dictionary');
        } else if (known.rule !== task.rule || known.items !== task.items) {
          throw new LabelsmithError(
            'REFUSED',
            `The task "${known.name}" has ${known.rule} labels on ${known.items}, not ${task.rule} labels on ${task.items}`,
            { hint: 'Choose another name with --task.' },
          );
        }
      });
    },

    async ensureClasses(names) {
      for (const name of names) toClassName(name);
      await session.write((draft) => {
        for (const name of names) draft.classId(name);
      });
    },
  };
}

function refuseBadLabel(label: NewLabel): void {
  if (!(label.confidence >= 0 && label.confidence <= 1)) {
    throw new LabelsmithError(
      'USAGE',
      `The confidence of a label is 0 to 1, not ${label.confidence} (${label.className})`,
    );
  }
  if (label.className === NONE_OF_THESE && (isMachine(label.origin) || !label.present)) {
    throw new LabelsmithError('USAGE', `Only people say "${NONE_OF_THESE}", and they say it as present`);
  }
}
