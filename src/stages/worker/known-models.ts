/** Names that shards can be limited by: those of models, and of tasks whose classifier labels. */
import { nearestNames } from '../../core/nearest-names.ts';
import { LabelsmithError } from '../../errors.ts';
import { readOrders } from '../../jobs/fleet/orders.ts';
import { modelOf } from '../../jobs/fleet/queue.ts';
import { TAUGHT } from '../../jobs/taught-files.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { HUB_MODELS } from '../../models/hub/catalogue.ts';
import { allEntries } from '../../models/registry.ts';
import { readSetting } from '../../store/typed.ts';

/** Runs whose models are known by them: workers may have models that this machine has not. */
const MAX_RUNS = 1000;
const MAX_TOLD = 8;

/** Fails where no worker could have a shard of such a model. */
export async function refuseUnknownModels(
  names: readonly string[],
  { store }: Pick<Workspace, 'store'>,
): Promise<void> {
  const used = (await store.runs({ limit: MAX_RUNS })).flatMap(({ modelKey }) =>
    modelOf({ fingerprint: modelKey ?? '' }),
  );
  const taught = Object.values((await readSetting(store, TAUGHT)) ?? {}).flatMap(({ entry }) => entry?.id ?? []);
  const tasks = (await store.tasks()).map(({ name }) => name);
  const here = [...(await allEntries()), ...HUB_MODELS].map(({ id }) => id);
  const limited = Object.keys((await readOrders(store)).limits);
  const known = [...new Set([...used, ...taught, ...limited, ...tasks, ...here])].filter((name) => name !== '');
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearestNames(name, known);
    const told = near.length > 0 ? near : known.slice(0, MAX_TOLD);
    throw new LabelsmithError('USAGE', `There is no model ${JSON.stringify(name)} that shards could be of.`, {
      hint: `${near.length > 0 ? 'Like it are' : 'There are'} ${told.join(', ')}; labelsmith models list has all of this machine.`,
    });
  }
}
