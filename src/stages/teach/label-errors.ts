/** Labels of a workspace that are probably wrong, by what the model of the last `teach rounds` thinks of them. */
import type { ItemId } from '../../core/ids.ts';
import { currentLabels, isMachine, type Origin } from '../../core/labels.ts';
import { LabelsmithError } from '../../errors.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { rankLabelErrors } from '../../math/label-errors.ts';
import { newSharedMatrix } from '../../math/matrix.ts';
import { openPredictions } from '../predictions.ts';
import { groupsOf } from './items.ts';

export interface LabelError {
  readonly itemId: ItemId;
  readonly className: string;
  readonly origin: Origin;
  readonly selfConfidence: number;
  readonly suggested: string;
  readonly flagged: boolean;
  /** False for the only example of a class: its numbers say nothing. */
  readonly judged: boolean;
}

/** A label that is probably wrong with the file that it is of. */
export type ListedLabelError = Omit<LabelError, 'itemId'> & { readonly file: string };

/** The labels that are most probably wrong of all images: those of people and imports, and with `machine` those of machines too. */
export async function findLabelErrors(
  workspace: Workspace,
  task: string,
  { machine, count }: { readonly machine: boolean; readonly count: number },
): Promise<ListedLabelError[]> {
  const fileOf = new Map<ItemId, string>();
  for await (const { id, file } of workspace.store.dataset({ unlabelled: true })) fileOf.set(id, file);
  const errors = await labelErrorsIn(workspace, task, [...fileOf.keys()]);
  return errors
    .filter(({ origin }) => machine || !isMachine(origin))
    .slice(0, count)
    .map(({ itemId, ...error }) => ({ file: fileOf.get(itemId) ?? itemId, ...error }));
}

const PAGE = 512;

/**
 * Current labels most probably wrong first. What people and imports said is judged by models that had not seen it (the predictions of
 * labelled items are those of the cross-validation); a machine's label by the model that gave it.
 */
export async function labelErrorsIn(workspace: Workspace, task: string, ids: readonly ItemId[]): Promise<LabelError[]> {
  const predictions = await openPredictions(workspace, task);
  if (!predictions) {
    throw new LabelsmithError('NOT_FOUND', `No model has looked at the labels of the task "${task}".`, {
      hint: 'Run labelsmith teach rounds first.',
    });
  }
  const { classNames } = predictions;
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const rows: { itemId: ItemId; className: string; origin: Origin; row: Float32Array }[] = [];
  for (let start = 0; start < ids.length; start += PAGE) {
    const page = ids.slice(start, start + PAGE);
    const labels = await workspace.store.labelsOf(page, task);
    const found = await predictions.probabilities(page);
    for (const itemId of page) {
      const [label] = currentLabels(labels.get(itemId) ?? [], 'single');
      const row = found.get(itemId);
      if (label && row && indexOf.has(label.className)) {
        rows.push({ itemId, className: label.className, origin: label.origin, row });
      }
    }
  }
  const probabilities = newSharedMatrix(rows.length, classNames.length);
  for (const [i, { row }] of rows.entries()) probabilities.data.set(row, i * classNames.length);
  const given = Int32Array.from(rows, ({ className }) => indexOf.get(className) as number);
  const errors = rankLabelErrors(probabilities, given).map(
    ({ place, selfConfidence, suggested, flagged }): LabelError => {
      const { itemId, className, origin } = rows[place];
      return { itemId, className, origin, selfConfidence, suggested: classNames[suggested], flagged, judged: true };
    },
  );
  const people = errors.filter(({ origin }) => !isMachine(origin));
  const groups = await groupsOf(
    workspace.store,
    people.map(({ itemId }) => itemId),
    predictions,
  );
  return loneLast(errors, new Map(people.map(({ itemId }, i) => [itemId, groups[i]])));
}

/**
 * The only example of a class is judged by models that never saw the class, and so are copies of one picture, which are never
 * parted: nothing can be said of them, so they are last.
 *
 * @param groupOf the group of each label that is not a machine's
 */
export function loneLast<T extends Pick<LabelError, 'itemId' | 'className' | 'origin' | 'flagged' | 'judged'>>(
  errors: readonly T[],
  groupOf: ReadonlyMap<ItemId, string>,
): T[] {
  const pictures = new Map<string, Set<string>>();
  for (const { itemId, className, origin } of errors) {
    if (isMachine(origin)) continue;
    pictures.set(className, (pictures.get(className) ?? new Set()).add(groupOf.get(itemId) ?? itemId));
  }
  const isLone = ({ className, origin }: T) => !isMachine(origin) && pictures.get(className)?.size === 1;
  return [
    ...errors.filter((doubt) => !isLone(doubt)),
    ...errors.filter(isLone).map((doubt) => ({ ...doubt, flagged: false, judged: false })),
  ];
}
