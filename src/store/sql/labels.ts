/** Labels of any origin, and tasks. */

import { toName } from '../../core/class-name.ts';
import type { ItemId } from '../../core/ids.ts';
import { isRegionId } from '../../core/ids.ts';
import type { Label, Task } from '../../core/labels.ts';
import { isMachine, NONE_OF_THESE } from '../../core/labels.ts';
import { pushTo } from '../../core/lists.ts';
import { LabelsmithError } from '../../errors.ts';
import type { LabelStore, NewLabel, WriteOptions } from '../store.ts';
import { chunks } from './chunks.ts';
import { imageKey, NO_BYTES, regionKey } from './column.ts';
import { lostImageLabels } from './derived.ts';
import { type Dictionary, findTask, runKeyOf, taskOf } from './dictionary.ts';
import { keepFormer, withMergedClasses } from './former-labels.ts';
import { itemOf, LABEL_STATEMENTS, type LabelFields, labelKeyOf, labelOfRow, storedLabel } from './label-rows.ts';
import { logItems, refuseUnexpected } from './operation-log.ts';
import { deletedRegions, placesOf, readPlaces } from './places.ts';
import { REGION_STATEMENTS } from './region-rows.ts';
import { actorOf } from './regions.ts';
import type { Session } from './session.ts';
import { statement } from './statement.ts';
import { insert } from './table.ts';
import { images, labels, NO_MODEL_ID, tasks } from './tables.ts';
import type { Work } from './work.ts';

const addTask = insert(tasks, { fields: ['name', 'rule', 'items'] });
const touchOfTask = statement(
  'update image set revision = :revision where id in (select image_id from label where task_id = :taskId and origin = :origin)',
  { taskId: labels.columns.taskId, origin: labels.columns.origin, revision: images.columns.revision },
);

export function labelStore(session: Session): LabelStore {
  return {
    async putLabels(given, options = {}) {
      if (given.length > 0) await session.write('labels', (work) => putLabels(session, work, given, options));
    },

    labelsOf: (items, task) => labelsOf(session, items, task),

    async writtenClassesOf(items, task, origin) {
      const found = new Map<ItemId, number>();
      for await (const { rows } of rowsOf(session, items, task)) {
        for (const label of rows.map(labelOfRow)) {
          if (label.origin === origin && label.present) found.set(itemOf(label), label.classId);
        }
      }
      return found;
    },

    async clearMachineLabels(task, origin, items) {
      if (!isMachine(origin)) {
        throw new LabelsmithError('REFUSED', `Labels of origin "${origin}" are not a machine's and are not cleared`);
      }
      if (items?.length === 0) return 0;
      return session.write('labels', async (work) => {
        const taskId = taskOf(work.dictionary, task).id;
        if (items === undefined) {
          work.add(touchOfTask, { taskId, origin, revision: work.changeId });
          work.reachAll();
          keepFormer(work, { taskId, origin });
          await work.changed();
          work.add(LABEL_STATEMENTS.dropOfTask, { taskId, origin });
        } else {
          const placeOf = await placesOf(work, items);
          const places = items.map(placeOf);
          work.touch(places.map(({ imageId }) => imageId));
          for (const place of places) keepFormer(work, { ...place, taskId, origin });
          await work.changed();
          for (const place of places) work.add(LABEL_STATEMENTS.dropOfItem, { ...place, taskId, origin });
        }
        const [dropped = 0] = await work.changed();
        return dropped;
      });
    },

    async tasks() {
      const { taskById } = await session.freshDictionary();
      return [...taskById.values()].map(({ name, rule, items }) => ({ name, rule, items }));
    },

    ensureTask: (task) => ensureTask(session, task),
  };
}

/** What of `putLabels` is in its transaction. */
export async function putLabels(
  session: Session,
  work: Work,
  given: readonly NewLabel[],
  { replace = false, ...options }: WriteOptions & { readonly replace?: boolean },
): Promise<void> {
  for (const label of given) refuseBadLabel(label);
  await refuseUnexpected(work, options);
  await work.know({
    classes: given.map(({ className }) => className),
    annotators: given.map(({ annotator }) => annotator),
  });
  // A region that is labelled here is there until the transaction ends.
  const placeOf = await placesOf(
    work,
    given.map(({ itemId }) => itemId),
  );
  const fields = given.map((label) => ({ ...fieldsOf(work, label), ...placeOf(label.itemId) }));
  const written = replace ? await withMergedClasses(work, fields) : fields;
  const words = written.filter(({ origin }) => !isMachine(origin));
  const now = words.length === 0 ? null : await readPlaces(work, new Set(words.map(({ imageId }) => imageId)));
  if (replace) dropMachineLabels(work, written);
  for (const label of written) work.add(LABEL_STATEMENTS.put, label);
  if (now !== null) {
    // Of what was written to one key the last is what stands.
    const after = [...new Map(words.map((label) => [labelKeyOf(label), label])).values()];
    const corrected = new Set(words.filter(isHumanOnRegion).map(({ imageId }) => imageId));
    const lost = lostImageLabels(
      {
        labels: [...now.labels.values()].filter(({ imageId }) => corrected.has(imageId)),
        deleted: deletedRegions(now),
        said: written.filter(({ imageId }) => corrected.has(imageId)),
      },
      work.dictionary,
    );
    for (const label of lost) work.add(LABEL_STATEMENTS.drop, label);
    const onRegions = [...new Set(words.map(({ regionId }) => regionId).filter((id) => id !== ''))];
    const frozen = onRegions.flatMap((id) => now.regions.get(id) ?? []).filter(({ touched }) => !touched);
    for (const { imageId, id } of frozen) work.add(REGION_STATEMENTS.touch, { imageId, id });
    await logItems(work, { name: 'label', arguments: argumentsOf(given), actor: actorOf(session, options) }, options, {
      labelsBefore: [...after.flatMap((label) => now.labels.get(labelKeyOf(label)) ?? []), ...lost],
      labelsAfter: after,
      regionsBefore: frozen.map((region) => ({ region })),
      regionsAfter: frozen.map((region) => ({ region: { ...region, touched: true } })),
    });
  }
  work.touch(written.map(({ imageId }) => imageId));
}

/** For people who read the log: the class, where it is one. */
function argumentsOf([first, ...others]: readonly NewLabel[]): Readonly<Record<string, unknown>> {
  const { className, present } = first;
  const isOne = others.every((label) => label.className === className && label.present === present);
  return isOne ? { class: className, present } : {};
}

const isHumanOnRegion = ({ origin, regionId }: LabelFields) => origin === 'human' && regionId !== '';

function fieldsOf(work: Work, label: NewLabel): Omit<LabelFields, 'imageId' | 'regionId'> {
  const { task, className, present, origin, confidence, runId, annotator } = label;
  return {
    taskId: taskOf(work.dictionary, task).id,
    classId: work.classId(className),
    origin,
    modelId: NO_MODEL_ID,
    annotatorId: work.annotatorId(annotator),
    present,
    confidence,
    runKey: runId === null ? null : runKeyOf(work.dictionary, runId),
    sequence: work.nextSequence(),
  };
}

/** What the same machine origins said of these items in these tasks before. */
function dropMachineLabels(work: Work, written: readonly LabelFields[]): void {
  const dropped = new Set<string>();
  for (const label of written) {
    const { imageId, regionId, taskId, origin } = label;
    const key = `${imageId} ${regionId} ${taskId} ${origin}`;
    if (!isMachine(origin) || dropped.has(key)) continue;
    dropped.add(key);
    keepFormer(work, label);
    work.add(LABEL_STATEMENTS.dropOfItem, label);
  }
}

export async function labelsOf(
  session: Session,
  items: readonly ItemId[],
  task?: string,
): Promise<Map<ItemId, Label[]>> {
  const found = new Map<ItemId, Label[]>();
  for await (const { rows, dictionary } of rowsOf(session, items, task)) {
    for (const row of rows) {
      const label = storedLabel(row, dictionary);
      pushTo(found, label.itemId, label);
    }
  }
  for (const list of found.values()) list.sort((a, b) => a.sequence - b.sequence);
  return found;
}

/** The rows of labels of these items, of a task or of all, page by page. */
async function* rowsOf(session: Session, items: readonly ItemId[], task?: string) {
  const { db } = session;
  const taskId = task === undefined ? undefined : taskOf(await session.freshDictionary(), task).id;
  const wanted = [...new Set(items)];
  const ofImages = wanted.filter((item) => !isRegionId(item)).map(imageKey);
  const ofRegions = wanted.filter(isRegionId).map(regionKey);
  let imageLabels = db.selectFrom('label').selectAll().where('region_id', '=', NO_BYTES);
  let regionLabels = db
    .selectFrom('region')
    .innerJoin('label', (join) =>
      join.onRef('label.image_id', '=', 'region.image_id').onRef('label.region_id', '=', 'region.id'),
    )
    .selectAll('label');
  if (taskId !== undefined) {
    imageLabels = imageLabels.where('task_id', '=', taskId);
    regionLabels = regionLabels.where('label.task_id', '=', taskId);
  }
  const queries = [
    ...[...chunks(ofImages)].map((chunk) => imageLabels.where('image_id', 'in', chunk)),
    ...[...chunks(ofRegions)].map((chunk) => regionLabels.where('region.id', 'in', chunk)),
  ];
  for (const query of queries) {
    const { rows, dictionary } = await session.read([query]);
    yield { rows: rows[0], dictionary };
  }
}

async function ensureTask(session: Session, task: Task): Promise<void> {
  // What is there needs no transaction, which a workspace that may only be read could not give.
  if (isThere(await session.freshDictionary(), task)) return;
  await session.write(null, async (work) => putTask(work, task));
}

/** Fails where a task of that name has other labels. */
function isThere(dictionary: Dictionary, task: Task): boolean {
  const known = findTask(dictionary, task.name);
  if (known === undefined) return false;
  if (known.rule === task.rule && known.items === task.items) return true;
  throw new LabelsmithError(
    'REFUSED',
    `The task "${known.name}" has ${known.rule} labels on ${known.items}, not ${task.rule} labels on ${task.items}`,
    { hint: 'Choose another name with --task.' },
  );
}

/** What of `ensureTask` is in its transaction. */
export function putTask(work: Work, task: Task): void {
  if (isThere(work.dictionary, task)) return;
  work.add(addTask, { name: toName(task.name, 'task'), rule: task.rule, items: task.items });
}

/** Fails where nobody may say such a thing. */
export function refuseBadLabel(label: Pick<NewLabel, 'className' | 'present' | 'origin' | 'confidence'>): void {
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
