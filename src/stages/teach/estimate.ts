/** `teach … --dry-run`: what there is to learn from and to label, and how long embedding takes first. Writes nothing. */
import { NONE_OF_THESE } from '../../core/labels.ts';
import { labelsByOrigin } from '../../corpus/counts.ts';
import type { RunOptions } from '../../jobs/run.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import type { EmbedEstimate } from '../embed/embed.ts';
import { estimateEmbedWith } from '../embed/embed-with.ts';
import { refuseUnlabelled, singleTask } from './items.ts';

export interface TeachEstimate {
  readonly items: 'images' | 'regions';
  /** Items that take part, those that would be embedded first among them. */
  readonly all: number;
  /** Labels of people and of imports that stand, by class. Those of audit items are among them and are not learned from. */
  readonly labelled: Readonly<Record<string, number>>;
  /** Items of the audit set. */
  readonly audit: number;
  /** Items without a word of people or of an import: what `teach rounds` labels or leaves to people, and `teach select` asks of. */
  readonly unlabelled: number;
  /** Labels of earlier teaching, which give way to the new ones. */
  readonly replaced: number;
  readonly embed: EmbedEstimate;
}

/** @param kind what a task that is not there yet would be of, where that is asked for; else the task has to be there */
export async function estimateTeach(
  workspace: Workspace,
  { task, kind, learns }: { readonly task: string; readonly kind?: 'images' | 'regions'; readonly learns: boolean },
  run: RunOptions,
): Promise<TeachEstimate> {
  const { store } = workspace;
  const isThere = (await store.tasks()).some(({ name }) => name === task);
  const { items } = isThere || kind === undefined ? await singleTask(store, task) : { items: kind };
  if (learns) await refuseUnlabelled(store, task);
  const embed = await estimateEmbedWith(workspace, { items }, run);
  const { images, regions } = await store.summary();
  const labelled: Record<string, number> = Object.create(null);
  let said = 0;
  for (const { name, counts } of await store.classes()) {
    const origins = counts.find((one) => one.task === task)?.origins ?? {};
    const count = (origins.human ?? 0) + (origins.imported ?? 0);
    said += count;
    if (count > 0 && name !== NONE_OF_THESE) labelled[name] = count;
  }
  const all = items === 'images' ? images : regions;
  return {
    items,
    all,
    labelled,
    audit: (await store.auditedItems(task)).size,
    unlabelled: Math.max(0, all - said),
    replaced: (await labelsByOrigin(store, task)).model ?? 0,
    embed,
  };
}
