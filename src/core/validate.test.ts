import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { LabelsmithError } from '../errors.ts';
import { validate, validateJson } from './validate.ts';

const Entry = z.object({ id: z.int(), kind: z.enum(['box', 'mask']).default('box') });
const File = z.object({
  images: z.array(Entry),
  scale: z.union([z.string(), z.object({ by: z.number() })]).optional(),
});

function errorOf(work: () => unknown): LabelsmithError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof LabelsmithError);
    return error;
  }
  assert.fail('nothing was refused');
}

test('gives the typed value with its defaults', () => {
  assert.deepEqual(validate(File, { images: [{ id: 1 }] }, { what: 'x' }), { images: [{ id: 1, kind: 'box' }] });
  assert.deepEqual(validateJson(File, '\uFEFF{"images":[]}', { what: 'x' }), { images: [] });
});

test('an error names the place, what was expected and what came', () => {
  const messages = (
    [
      [{}, 'a.json: images: is missing (expected array)'],
      [null, 'a.json: expected object, got null'],
      [{ images: [{ id: 1.5 }] }, 'a.json: images[0].id: expected whole number, got a fraction'],
      [{ images: [{ id: 1, kind: 'dot' }] }, 'a.json: images[0].kind: expected "box" or "mask"'],
      [{ images: [], scale: { by: 'x' } }, 'a.json: scale.by: expected number, got string'],
      [
        { images: [{}, { id: 'a' }] },
        'a.json: images[0].id: is missing (expected number); images[1].id: expected number, got string',
      ],
    ] as const
  ).map(([value, expected]) => [errorOf(() => validate(File, value, { what: 'a.json' })).message, expected]);
  for (const [message, expected] of messages) assert.equal(message, expected);
});

test('many problems are counted, all of them for programs', () => {
  const error = errorOf(() =>
    validate(File, { images: new Array(9).fill({}) }, { what: 'x', code: 'WORKSPACE', hint: 'Mend it.' }),
  );
  assert.match(error.message, /; and 4 more$/);
  assert.equal(error.code, 'WORKSPACE');
  assert.equal(error.hint, 'Mend it.');
  assert.equal((error.details.problems as string[]).length, 9);
});

test('what is no JSON, and what is nested too deeply, is refused as such', () => {
  assert.match(errorOf(() => validateJson(File, '{', { what: 'a.json' })).message, /^a\.json is no JSON: /);
  type Tree = { child?: Tree };
  const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ child: Tree.optional() }));
  let deep: Tree = {};
  for (let i = 0; i < 100_000; i++) deep = { child: deep };
  assert.match(errorOf(() => validate(Tree, deep, { what: 'a.json' })).message, /a\.json is nested too deeply/);
});
