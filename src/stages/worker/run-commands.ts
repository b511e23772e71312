/**
 * Takes whole commands that were given to the fleet, and has each run by a process of its own to its end. A worker that is told
 * to end gives its command back first, so that another one goes on with it; one that dies is noticed by its silence.
 *
 * Its effects are given as functions: the queue, the process.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { CommandEnd, CommandQueue, TakenCommand } from '../../jobs/fleet/commands.ts';
import type { FleetOrders } from '../../jobs/fleet/orders.ts';
import { Outage } from '../../jobs/fleet/outage.ts';
import type { QueueEvent } from '../../jobs/fleet/worker.ts';

export interface CommandProcess {
  /** Exit code null: something killed it. */
  readonly ended: Promise<Omit<CommandEnd, 'exitCode'> & { readonly exitCode: number | null }>;
  /** It finishes the shard under way. */
  stop(): void;
  kill(): void;
}

export type CommandEvent =
  | { readonly kind: 'begun' | 'given back' | 'taken back'; readonly words: readonly string[] }
  /** @field reason of a command that failed, where it gave one */
  | { readonly kind: 'ended'; readonly words: readonly string[]; readonly exitCode: number; readonly reason?: string }
  | QueueEvent;

export interface RunCommandsOptions {
  readonly queue: Pick<CommandQueue, 'take'>;
  readonly start: (words: readonly string[]) => CommandProcess;
  /** Why a command is not run here; undefined where it is. What is in the queue may be anybody's. */
  readonly refusal: (words: readonly string[]) => string | undefined;
  readonly orders: () => Promise<FleetOrders>;
  readonly signal: AbortSignal;
  readonly onEvent: (event: CommandEvent) => void;
  /** How often the queue is told that somebody is at it, milliseconds (default 4000). */
  readonly heartbeatMs?: number;
  /** Between two looks at an empty queue, milliseconds (default 2000). */
  readonly idleMs?: number;
}

/** After this a process that was told to stop is killed, milliseconds. */
const STOP_MS = 60_000;
const INTERRUPTED = 130;

export class CommandRunner {
  readonly #options: RunCommandsOptions;
  readonly #outage = new Outage();
  #isBusy = false;

  constructor(options: RunCommandsOptions) {
    this.#options = options;
  }

  /** A command is under way. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Until the signal. */
  async run(): Promise<void> {
    const { signal, idleMs = 2000, orders } = this.#options;
    while (!signal.aborted) {
      const command = (await orders()).paused ? undefined : await this.#take();
      if (command === undefined) {
        await sleep(idleMs, undefined, { signal }).catch(() => {});
        continue;
      }
      this.#isBusy = true;
      try {
        await this.#work(command);
      } catch (error) {
        // What the queue was not told it finds out by itself, and another worker goes on.
        this.#isAway(error);
      } finally {
        this.#isBusy = false;
      }
    }
  }

  async #take(): Promise<TakenCommand | undefined> {
    try {
      const command = await this.#options.queue.take();
      const forMs = this.#outage.answered();
      if (forMs !== undefined) this.#options.onEvent({ kind: 'back', forMs });
      return command;
    } catch (error) {
      this.#isAway(error);
      return undefined;
    }
  }

  #isAway(error: unknown): void {
    this.#options.onEvent({ kind: 'away', reason: messageOf(error), forMs: this.#outage.missed() });
  }

  async #work(command: TakenCommand): Promise<void> {
    const { start, refusal, signal, onEvent, heartbeatMs = 4000 } = this.#options;
    const { words } = command;
    const reason = refusal(words);
    if (reason !== undefined) {
      await command.ended({
        exitCode: 2,
        document: { error: { code: 'USAGE', message: reason } },
        said: '',
        summary: '',
      });
      onEvent({ kind: 'ended', words, exitCode: 2, reason });
      return;
    }
    onEvent({ kind: 'begun', words });
    const process = start(words);
    let isMine = true;
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      process.stop();
      killer ??= setTimeout(() => process.kill(), STOP_MS);
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const heartbeat = setInterval(async () => {
      // A queue that does not answer says nothing about whose the command is.
      isMine = await command.touch().catch(() => isMine);
      if (!isMine) stop();
    }, heartbeatMs);
    const end = await process.ended.finally(() => {
      clearInterval(heartbeat);
      clearTimeout(killer);
      signal.removeEventListener('abort', stop);
    });
    const { exitCode } = end;
    if (!isMine) onEvent({ kind: 'taken back', words });
    else if (exitCode === null || exitCode === INTERRUPTED || PASSING.safeParse(end.document).success) {
      await command.giveBack(end.said === '' ? `its process ended with ${exitCode ?? 'a signal'}` : end.said);
      onEvent({ kind: 'given back', words });
    } else {
      await command.ended({ ...end, exitCode });
      onEvent({ kind: 'ended', words, exitCode, reason: FAILURE.safeParse(end.document).data?.error.message });
    }
  }
}

const FAILURE = z.object({ error: z.object({ message: z.string() }) });

/** A failure that may be over when it is run again. */
const PASSING = z.object({ error: z.object({ code: z.enum(['NETWORK', 'BUSY']) }) });
