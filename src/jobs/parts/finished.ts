/**
 * Which work of parts is over. A stage that plans what is missing plans nothing then; one that plans all there is (`plansAll`) needs
 * to be told, by the record.
 */
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import type { RunRecord, Store } from '../../store/store.ts';
import { changeSetting, readSetting, type Setting } from '../../store/typed.ts';

/** Work whose end is remembered; the oldest is forgotten, and is done once more if somebody asks. */
const MAX_REMEMBERED = 50;
/** Runs since then that are looked at. */
const MAX_RUNS = 200;

const FINISHED: Setting<readonly { readonly name: string; readonly plan: string; readonly runId: string }[]> = {
  key: 'parts/finished',
  version: 1,
  schema: z.array(z.object({ name: z.string(), plan: z.string(), runId: z.string() })).readonly(),
  what: 'The list of parts that are done',
  remedy: 'Run the command without --shard.',
};

export interface FinishedWork {
  /** Of the results: stage, settings, seed, model, versions. */
  readonly name: string;
  /** Names of the shards of the plan. */
  readonly planned: ReadonlySet<string>;
  /** The run that wrote them down, or the one that asks. */
  readonly runId: string;
}

const planOf = (planned: ReadonlySet<string>) => sha256Hex([...planned].sort().join('\n')).slice(0, 32);

type Settings = Pick<Store, 'getSetting' | 'swapSetting'>;

export async function noteFinished(store: Settings, { name, planned, runId }: FinishedWork): Promise<void> {
  const now = { name, plan: planOf(planned), runId };
  await changeSetting(store, FINISHED, (known = []) =>
    [...known.filter((one) => one.name !== name), now].slice(-MAX_REMEMBERED),
  );
}

/** Whether this was written down, and nothing of the same stage and task has been since but parts of it. */
export async function isFinished(
  store: Pick<Store, 'getSetting' | 'runs'>,
  { name, planned, runId }: FinishedWork,
): Promise<boolean> {
  const noted = (await readSetting(store, FINISHED))?.find((one) => one.name === name);
  if (noted?.plan !== planOf(planned)) return false;
  const runs = await store.runs({ limit: MAX_RUNS });
  const at = runs.findIndex(({ id }) => id === noted.runId);
  const writer = runs[at];
  if (writer === undefined) return false;
  return runs.slice(0, at).every((run) => run.id === runId || leavesAsItIs(run, writer));
}

/** A part changes nothing; of those that have not ended well, what they are is told by their settings. */
function leavesAsItIs({ stage, settings, status, counts }: RunRecord, writer: RunRecord): boolean {
  if (stage !== writer.stage || settings.task !== writer.settings.task) return true;
  if (status === 'done') return counts.parts !== undefined;
  return JSON.stringify(settings) === JSON.stringify(writer.settings);
}
