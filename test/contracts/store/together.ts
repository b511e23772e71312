/** What people do in several processes at once: nobody's part is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OpenStore } from './fixtures.ts';
import { addImages, imageId, scratch } from './fixtures.ts';
import { IMAGES, STEPS, WORKS, type Work } from './together.program.ts';

const PROGRAM = fileURLToPath(new URL('./together.program.ts', import.meta.url));

export function togetherCases(open: OpenStore, module: string): void {
  test('processes that add audit items, import labels and rename classes at once lose nothing', async (t) => {
    const dir = scratch(t);
    const store = await open(dir);
    await addImages(store, IMAGES);
    await store.ensureClasses(Array.from({ length: STEPS }, (_, n) => `class ${n}`));
    await Promise.all((await Promise.all((Object.keys(WORKS) as Work[]).map(begin))).map((finish) => finish()));

    async function begin(work: Work) {
      const child = spawn(process.execPath, [PROGRAM, module, dir, work], { stdio: ['pipe', 'pipe', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk.toString();
      });
      const ended = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), ended]);
      return async () => {
        child.stdin.write('go\n');
        const [code] = await ended;
        assert.deepEqual({ work, code, errors }, { work, code: 0, errors: '' });
      };
    }

    const held = await store.heldOutItems('class');
    assert.deepEqual(held, new Set(Array.from({ length: IMAGES }, (_, n) => imageId(n))));
    const labels = await store.labelsOf([...held], 'class');
    const classOf = (n: number) => labels.get(imageId(n))?.map(({ className, origin }) => `${origin} ${className}`);
    for (let n = 0; n < STEPS; n++) {
      assert.deepEqual(classOf(n), [`human new ${n}`]);
      assert.deepEqual(classOf(n + STEPS), [`imported new ${n}`]);
    }
    const names = (await store.classes()).map(({ name, synonyms }) => [name, ...synonyms].join(' = ')).sort();
    assert.deepEqual(names, Array.from({ length: STEPS }, (_, n) => `new ${n} = class ${n}`).sort());
    const operations = await store.operations();
    assert.equal(operations.filter(({ kind }) => kind === 'corpus').length, STEPS);
    const imports = operations.filter(({ kind }) => kind === 'items');
    assert.deepEqual(new Set(imports.map((one) => one.arguments.step)).size, STEPS);
    assert.ok(imports.every((one) => one.labels === 2));
    assert.deepEqual(await store.check(), []);
    await store.close();
  });
}
