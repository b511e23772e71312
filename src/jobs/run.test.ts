import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodeOf, LabelsmithError } from '../errors.ts';
import { recordRun } from './run.ts';
import { openWorkspace } from './workspace.ts';

test('work that a signal ends is recorded as interrupted, whatever the signal was given as its reason', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-run-'));
  const workspace = await openWorkspace(dir, { create: true });
  try {
    const endings: readonly (readonly [abort: (controller: AbortController) => void, status: string, code: number])[] =
      [
        [(controller) => controller.abort(), 'interrupted', 130],
        [(controller) => controller.abort(new LabelsmithError('INTERRUPTED', 'interrupted')), 'interrupted', 130],
        [(controller) => controller.abort(new Error('something else')), 'failed', 1],
      ];
    for (const [abort, status, code] of endings) {
      const controller = new AbortController();
      const error = await recordRun(
        workspace.store,
        { stage: 'discover', settings: {} },
        { seed: 0, threads: 1 },
        async () => {
          abort(controller);
          controller.signal.throwIfAborted();
          return { interrupted: false, counts: {} };
        },
      ).catch((thrown: unknown) => thrown);
      const [last] = await workspace.store.runs();
      assert.deepEqual([last?.status, exitCodeOf(error)], [status, code]);
    }
  } finally {
    await workspace.close();
    await rm(dir, { recursive: true });
  }
});
