import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LimitExceeded, runLimited } from './limited-process.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'labelsmith-limited-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const LIMITS = { timeoutMs: 20_000, maxBytes: 1e9 };

/** A module in which `work` is the body of the function that answers. */
async function moduleOf(name: string, work: string): Promise<URL> {
  const path = join(folder, `${name}.mjs`);
  const answer = new URL('./answer.ts', import.meta.url).href;
  await writeFile(path, `import { answerOnce } from '${answer}';\nanswerOnce(async (task) => { ${work} });`);
  return pathToFileURL(path);
}

test('an answer, and an error with its code and hint, come back', async () => {
  const doubled = await moduleOf('doubled', 'return { bytes: task.bytes.map((x) => 2 * x) };');
  const task = { bytes: Uint8Array.of(1, 2, 3) };
  assert.deepEqual(await runLimited(doubled, task, LIMITS), { bytes: Uint8Array.of(2, 4, 6) });
  const errors = new URL('../errors.ts', import.meta.url).href;
  const refuses = await moduleOf(
    'refuses',
    `const { LabelsmithError } = await import('${errors}'); throw new LabelsmithError('BAD_IMAGE', 'so', { hint: 'then' });`,
  );
  await assert.rejects(runLimited(refuses, null, LIMITS), { code: 'BAD_IMAGE', message: 'so', hint: 'then' });
  const broken = await moduleOf('broken', 'return undefined.x;');
  await assert.rejects(runLimited(broken, null, LIMITS), { name: 'Error', message: /undefined/ });
});

test('work that blocks the process is stopped after its time', async () => {
  const endless = await moduleOf('endless', 'for (;;);');
  await assert.rejects(runLimited(endless, null, { ...LIMITS, timeoutMs: 700 }), (error: unknown) => {
    return error instanceof LimitExceeded && error.limit === 'time' && /0\.7 s/.test(error.message);
  });
});

test('work that takes more memory than allowed is stopped while it blocks', async () => {
  const greedy = await moduleOf('greedy', 'const kept = []; for (;;) kept.push(new Uint8Array(1e7).fill(1));');
  await assert.rejects(runLimited(greedy, null, { ...LIMITS, maxBytes: 300e6 }), (error: unknown) => {
    return error instanceof LimitExceeded && error.limit === 'memory';
  });
});

test('a signal stops it, and a process that dies is told', async () => {
  const endless = await moduleOf('endless', 'for (;;);');
  const signal = AbortSignal.timeout(500);
  await assert.rejects(runLimited(endless, null, { ...LIMITS, signal }), { name: 'TimeoutError' });
  const dies = await moduleOf('dies', 'process.abort();');
  await assert.rejects(runLimited(dies, null, LIMITS), { code: 'BAD_FILE', message: /died/ });
});
