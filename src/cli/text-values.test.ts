import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import {
  clusterCount,
  duration,
  fraction,
  listOf,
  nameList,
  port,
  size,
  taskName,
  thresholds,
  wholeNumber,
} from './text-values.ts';

/** Refuses each of the texts, and says what is expected. */
function refuses(schema: z.ZodType, texts: readonly string[], expected: RegExp): void {
  for (const text of texts) {
    const result = schema.safeParse(text);
    assert.ok(!result.success, text);
    assert.match(result.error.issues[0].message, expected, text);
  }
}

test('whole numbers', () => {
  assert.deepEqual([port().parse('0'), port().parse('65535')], [0, 65_535]);
  refuses(port(), ['65536', '-1', '1.5', '', 'http'], /^a port, 0 to 65535$/);
  assert.equal(wholeNumber(1).parse('12'), 12);
  refuses(wholeNumber(1), ['0', '-1', '1.5', '', ' ', 'ten', '1e400', 'NaN'], /^a whole number of at least 1$/);
});

test('fractions', () => {
  assert.deepEqual(
    ['0', '0.25', '.5', '1'].map((text) => fraction().parse(text)),
    [0, 0.25, 0.5, 1],
  );
  refuses(fraction(), ['1.01', '-0.1', '', 'NaN', '50%'], /^a number from 0 to 1$/);
});

test('names of tasks are looked for as they are kept', () => {
  assert.deepEqual(
    ['class', ' class ', 'a\nb', 'u\u0308'].map((text) => taskName().parse(text)),
    ['class', 'class', 'a b', '\u00fc'],
  );
  refuses(taskName(), ['', ' ', '\ud800', 'x'.repeat(1000)], /^the name of a task$/);
});

test('lists of names keep their order and lose the spaces around the names', () => {
  assert.deepEqual(nameList().parse('dog, hot dog ,cat'), ['dog', 'hot dog', 'cat']);
  refuses(nameList(), ['dog,,cat', ''], /names with commas/);
});

test('lists of known names', () => {
  assert.deepEqual(listOf(['human', 'model']).parse('model, human'), ['model', 'human']);
  refuses(listOf(['human', 'model']), ['people', 'human,', 'human,modle'], /^human, model$/);
});

test('thresholds for all classes, for some, and for both', () => {
  const schema = thresholds();
  assert.deepEqual(schema.parse('0.4'), { default: 0.4, classes: {} });
  assert.deepEqual(schema.parse('person=0.5,hot dog=.2'), {
    default: undefined,
    classes: { person: 0.5, 'hot dog': 0.2 },
  });
  assert.deepEqual(schema.parse('0.4, person=0.5'), { default: 0.4, classes: { person: 0.5 } });
  refuses(schema, ['1.5', 'person=2', 'person', '', '=0.5', '0.4,,', '1.2.3'], /CLASS=NUMBER/);
});

test('sizes', () => {
  assert.deepEqual(size().parse('416x320'), { width: 416, height: 320 });
  refuses(size(), ['416', '0x416', 'x', '416x416x3'], /WIDTHxHEIGHT/);
});

test('times', () => {
  assert.deepEqual(
    ['90s', '20m', ' 1.5 h '].map((text) => duration().parse(text)),
    [90_000, 1_200_000, 5_400_000],
  );
  refuses(duration(), ['20', '0m', '', 'm', '20min', '-3s'], /such as 90s, 20m or 1\.5h/);
});

test('numbers of clusters', () => {
  assert.deepEqual([clusterCount().parse('auto'), clusterCount().parse('4')], ['auto', 4]);
  refuses(clusterCount(), ['0', 'all', ''], /^auto, or a whole number/);
});
