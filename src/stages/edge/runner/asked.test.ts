import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { LabelsmithError } from '../../../errors.ts';
import { askedBy } from './asked.ts';

test('a source with nothing else has the defaults that the help names', () => {
  assert.deepEqual(askedBy(['frames']), {
    source: 'frames',
    to: resolve('results'),
    isCheck: false,
    isFollowing: false,
    everyMs: 1000,
    maxUnsure: 1000,
    keepsFrames: false,
    precision: 'float32',
    threads: availableParallelism(),
  });
});

test('times have a unit, or are milliseconds', () => {
  for (const [text, ms] of [
    ['1000', 1000],
    ['1s', 1000],
    ['0.5s', 500],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ] as const) {
    const asked = askedBy(['usb:0', '--every', text]);
    assert.ok(asked !== 'help' && asked.everyMs === ms, text);
  }
});

test('the help is given beside whatever else stands there', () => {
  for (const argv of [['--help'], ['-h'], ['frames', '--help']]) assert.equal(askedBy(argv), 'help');
});

test('what is not understood is refused and named, never taken for something else', () => {
  for (const [argv, says] of [
    [[], /SOURCE, or --check/],
    [['a', 'b'], /not "b" as well/],
    [['a', '--every', '1 fortnight'], /--every takes a time.*"1 fortnight"/],
    [['a', '--every', '0s'], /--every takes a time/],
    [['a', '--unsure', 'many'], /--unsure takes a whole number from 0 on, not "many"/],
    [['a', '--threads', '0'], /--threads takes a whole number from 1 on/],
    [['a', '--precision', 'fp16'], /float32 or float16, not "fp16"/],
    [['a', '--gpu'], /^Unknown option '--gpu'$/],
  ] as const) {
    assert.throws(
      () => askedBy(argv),
      (error: Error) => error instanceof LabelsmithError && error.code === 'USAGE' && says.test(error.message),
      argv.join(' '),
    );
  }
});
