/**
 * Whole commands that were given to the fleet: a worker runs them, and another one goes on with what the first left when it
 * went. Whoever gave one may be gone.
 *
 * At least once: of a command that is run twice the second run finds nothing to do. Which command was given last is in the
 * record, so that anybody can follow it.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readSetting, type Setting, writeSetting } from '../../store/typed.ts';
import { versionOfResults } from '../run.ts';
import type { Workspace } from '../stage.ts';
import { reasonIn, startBoss, withQueue } from './boss.ts';

const COMMAND = z.object({ words: z.array(z.string()) });

const END = z.object({
  exitCode: z.number(),
  /** What it printed with `--json`. */
  document: z.unknown(),
  /** The end of what it said on the way. */
  said: z.string(),
  /** What it would have said of its results without `--json`, lines. */
  summary: z.string().default(''),
});
export type CommandEnd = z.infer<typeof END>;

export type CommandState =
  | { readonly kind: 'waiting' | 'cancelled' | 'gone' }
  /** @field attempt from 1: each further one is of a worker that took over */
  | { readonly kind: 'running'; readonly attempt: number }
  | { readonly kind: 'ended'; readonly end: CommandEnd }
  /** Nobody got it to its end. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface TakenCommand {
  readonly words: readonly string[];
  /** False when it is no longer of this worker: it was taken back, or another one has it. */
  touch(): Promise<boolean>;
  ended(end: CommandEnd): Promise<void>;
  /** Another worker, or this one later, goes on with it. */
  giveBack(reason: string): Promise<void>;
}

export interface CommandQueue {
  send(
    words: readonly string[],
    options: { readonly priority: number },
  ): Promise<Pick<GivenCommand, 'id' | 'queue' | 'words'>>;
  take(): Promise<TakenCommand | undefined>;
  stateOf(given: Pick<GivenCommand, 'id' | 'queue'>): Promise<CommandState>;
  cancel(given: Pick<GivenCommand, 'id' | 'queue'>): Promise<void>;
  close(): Promise<void>;
}

const GIVEN = z.object({
  id: z.string(),
  queue: z.string(),
  words: z.array(z.string()),
  /** Ids of the newest runs that were there before it. */
  before: z.array(z.string()),
});
export type GivenCommand = z.infer<typeof GIVEN>;

const LAST: Setting<GivenCommand> = {
  key: 'fleet/command',
  version: 1,
  schema: GIVEN,
  what: 'The command that was given to the workers last',
  remedy: 'Give it again.',
};

type Settings = Pick<Workspace['store'], 'getSetting' | 'putSetting'>;

export const lastCommand = (store: Pick<Settings, 'getSetting'>) => readSetting(store, LAST);
export const noteCommand = (store: Pick<Settings, 'putSetting'>, given: GivenCommand) =>
  writeSetting(store, LAST, given);

/** Workers that die under a command one after the other: it is the command that ends them. */
const RETRIES = 20;
/** What came of a command can be asked for until then. */
const KEPT_SECONDS = 7 * 24 * 3600;
/** pg-boss ends a job that is active for longer; heartbeats tell sooner whether anybody is at it. */
const EXPIRE_SECONDS = 24 * 3600 - 1;

export interface CommandQueueOptions {
  /** The workspace's address. */
  readonly location: string;
  /** A command that is not heard of for so long is given to another worker, seconds (default 15, at least 10). */
  readonly heartbeatSeconds?: number;
}

export async function commandQueue({ location, heartbeatSeconds = 15 }: CommandQueueOptions): Promise<CommandQueue> {
  const boss = await startBoss(location);
  const name = `commands_${await versionOfResults()}`;
  await withQueue(boss, name, {
    retryLimit: RETRIES,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    heartbeatSeconds,
    expireInSeconds: EXPIRE_SECONDS,
    deleteAfterSeconds: KEPT_SECONDS,
  });
  return {
    async send(words, { priority }) {
      const given = { id: randomUUID(), queue: name, words: [...words] };
      await boss.insert(name, [{ id: given.id, data: { words }, priority }]);
      return given;
    },
    async take() {
      const [job] = await boss.fetch<unknown>(name);
      const command = job === undefined ? undefined : COMMAND.safeParse(job.data).data;
      if (job === undefined || command === undefined) return undefined;
      const attempt = { id: job.id, retryCount: job.retryCount };
      return {
        words: command.words,
        async touch() {
          await boss.touch(name, attempt);
          const [now] = await boss.findJobs(name, { id: job.id });
          return now?.state === 'active' && now.retryCount === job.retryCount;
        },
        ended: async (end) => void (await boss.complete(name, attempt, end)),
        giveBack: async (reason) => void (await boss.fail(name, attempt, { message: reason })),
      };
    },
    async stateOf({ id, queue }): Promise<CommandState> {
      const [job] = await boss.findJobs(queue, { id });
      switch (job?.state) {
        case 'created':
        case 'retry':
          return { kind: 'waiting' };
        case 'active':
          return { kind: 'running', attempt: job.retryCount + 1 };
        case 'completed':
          return { kind: 'ended', end: END.parse(job.output) };
        case 'failed':
          return { kind: 'failed', reason: reasonIn(job.output) };
        case 'cancelled':
          return { kind: 'cancelled' };
        default:
          return { kind: 'gone' };
      }
    },
    cancel: async ({ id, queue }) => void (await boss.cancel(queue, id)),
    close: () => boss.stop({ graceful: false }),
  };
}
