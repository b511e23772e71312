/**
 * Kill and resume of a fine-tuning: `teach rounds --fine-tune` is ended by SIGKILL, amid its trainings or at moments spread
 * over its measured length, run again plainly, and what it says and writes is compared with an undisturbed run.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CliOptions, runCli, runJson, startCli } from './cli.ts';

const COMMAND = ['teach', 'rounds', '--fine-tune', 'last', '--threads', '2', '--seed'];

interface Outcome {
  readonly model: string;
  readonly modelSha256: string;
  readonly steps: readonly {
    readonly fineTuned?: string;
    readonly round?: number;
    readonly accuracy: number;
    readonly loss: number;
  }[];
}

export interface Kills {
  /** Kills in a training, once so many are done. */
  readonly amid: readonly number[];
  /** Kills at as many moments of the whole command. */
  readonly spread: number;
  /** Of the command and all before it. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whose vectors are learned from (default: the package's). */
  readonly model?: string;
  /** Default 0. */
  readonly seed?: number;
}

/** @param dir with a workspace that has labels */
export async function killedFineTuning(
  t: Pick<TestContext, 'diagnostic'>,
  dir: string,
  { amid, spread, env, model, seed = 0 }: Kills,
): Promise<Outcome> {
  const at = { cwd: dir, env };
  const command = [...COMMAND, `${seed}`];
  await runJson(['embed', ...(model ? ['--model', model] : [])], at);
  const startedAt = performance.now();
  const whole = await runJson<Outcome>(command, at);
  const lengthMs = performance.now() - startedAt;
  // Losses of held-out labels hang on every weight, whether or not the fine-tuned embedder was kept.
  assert.ok(whole.steps.some(({ fineTuned }) => fineTuned === 'last'));
  const kept = join(dir, '.labelsmith/cache/fine-tune/class');
  assert.equal(existsSync(kept), false, 'what a finished run kept for another one is gone');
  const checkAfter = async (name: string, kill: () => Promise<unknown>) => {
    await rm(join(dir, '.labelsmith/models'), { recursive: true, force: true });
    await kill();
    const again = await runJson<Outcome>(command, at);
    assert.equal(again.modelSha256, whole.modelSha256, `${name}: the classifier byte for byte`);
    assert.deepEqual(again.steps.map(timeless), whole.steps.map(timeless), `${name}: everything measured`);
    assert.equal(existsSync(kept), false, `${name}: nothing is left over`);
    t.diagnostic(`${name}: as undisturbed`);
  };
  for (const done of amid) {
    await checkAfter(`amid training ${done + 1}`, async () => {
      await killAmid(command, at, kept, done);
      assert.ok(existsSync(kept), 'a state was kept');
      assert.match(
        await trainingIn(at),
        /^interrupted class last \d of \d, step \d+ of \d+$/,
        'status says where it stopped',
      );
    });
    assert.equal(await trainingIn(at), '', 'nothing is left to go on with');
  }
  for (let moment = 0; moment < spread; moment++) {
    const killAfterMs = (lengthMs * (moment + 0.7)) / (spread + 0.4);
    await checkAfter(`moment ${moment + 1} of ${spread}`, () => runCli(command, { ...at, killAfterMs }));
  }
  return whole;
}

/** What `status` says of a training that is not through. */
async function trainingIn(at: CliOptions): Promise<string> {
  const { trainings = [] } = await runJson<Status>(['status'], at);
  return trainings
    .map(
      ({ status, task, training: { depth, training, of, step, ofSteps } }) =>
        `${status} ${task} ${depth} ${training} of ${of}, step ${step} of ${ofSteps}`,
    )
    .join('; ');
}

interface Status {
  readonly trainings?: readonly {
    readonly status: string;
    readonly task: string;
    readonly training: Readonly<Record<'depth' | 'training' | 'of' | 'step' | 'ofSteps', string | number>>;
  }[];
}

const POLL_MS = 3;

/** Kills the command once so many trainings are done and the next has a state on disk. */
async function killAmid(command: readonly string[], at: CliOptions, kept: string, done: number): Promise<void> {
  const child = startCli(command, at);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.stdin?.end();
  const watch = setInterval(() => {
    const files = existsSync(kept) ? readdirSync(kept) : [];
    const finished = files.filter((name) => name.endsWith('.done')).length;
    if (finished >= done && files.some((name) => name.endsWith('.state'))) child.kill('SIGKILL');
  }, POLL_MS);
  await ended;
  clearInterval(watch);
  assert.equal(child.signalCode, 'SIGKILL', 'it was killed while it trained');
}

function timeless(step: object): object {
  return { ...step, elapsedMs: 0 };
}
