import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes } from '../core/byte-size.ts';
import type { Progress } from '../jobs/stage.ts';
import { barLine, createOutput } from './output.ts';
import { formatDuration, table } from './words.ts';

function sink(isTTY = false) {
  const written: string[] = [];
  return { written, isTTY, columns: 80, write: (text: string) => written.push(text) };
}

const HALF: Progress = {
  stage: 'detect',
  done: 600,
  total: 1200,
  rate: 24,
  elapsedMs: 25_000,
  worked: 600,
  remainingMs: 25_000,
  shardsCommitted: 4,
};

test('with --json the document is all there is on stdout', () => {
  const [stdout, stderr] = [sink(), sink()];
  const output = createOutput({ json: true, quiet: false }, stdout, stderr);
  output.line('for people');
  output.note('a remark');
  output.document({ images: 3 });
  assert.deepEqual(JSON.parse(stdout.written.join('')), { images: 3 });
  assert.deepEqual(stderr.written, ['a remark\n']);
});

test('text from outside moves no cursor, in a document neither, where it stays what it is', () => {
  const stdout = sink();
  const output = createOutput({ json: true, quiet: false }, stdout, sink());
  const name = 'a\u001b[2J\u009b\u202egpj.exe\u200f\ud800\n';
  output.document({ [name]: name });
  const text = stdout.written.join('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e]/);
  assert.deepEqual(JSON.parse(text), { [name]: name });
});

test('--quiet silences remarks, summaries and progress, not warnings and what was asked for', () => {
  const [stdout, stderr] = [sink(), sink(true)];
  const output = createOutput({ json: false, quiet: true }, stdout, stderr);
  output.summary('3 images');
  output.line('an answer');
  output.note('a remark');
  output.warn('a warning');
  const progress = output.progress();
  progress.update(HALF);
  progress.done();
  assert.deepEqual(stderr.written, ['a warning\n']);
  assert.deepEqual(stdout.written, ['an answer\n']);
});

test('progress is a bar that overwrites itself on a terminal and whole lines in a log', () => {
  const terminal = sink(true);
  const bar = createOutput({ json: false, quiet: false }, sink(), terminal).progress();
  bar.update(HALF);
  bar.done();
  const shown = terminal.written[0];
  assert.ok(shown.startsWith('\r\x1b[K'), 'it starts at the line and clears it');
  assert.match(shown.slice(4), /^detect {3}█+░+ {2}600\/1,200 {2}24\.0\/s {2}25 s left$/);
  assert.equal(terminal.written.at(-1), '\n');

  const log = sink();
  const lines = createOutput({ json: false, quiet: false }, sink(), log).progress();
  lines.update(HALF);
  lines.done();
  assert.deepEqual(log.written, ['detect   600/1,200  24.0/s  25 s left\n']);

  const again = sink();
  const twice = createOutput({ json: false, quiet: false }, sink(), again).progress();
  twice.update({ ...HALF, done: 1200, worked: 1200, remainingMs: 0 });
  twice.update({ ...HALF, done: 1200, worked: 0, elapsedMs: 2000, remainingMs: 0 });
  twice.done();
  assert.deepEqual(again.written, ['detect   1,200/1,200  48.0/s  25 s\n', 'detect   1,200/1,200  2.0 s\n']);
});

test('a log says at doubling intervals that nothing more is done, and for how long', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const log = sink();
  const progress = createOutput({ json: false, quiet: false }, sink(), log).progress();
  const at = (done: number): Progress => ({ ...HALF, done, rate: 0, remainingMs: undefined });
  const second = (done: number) => {
    t.mock.timers.tick(1000);
    progress.update(at(done));
  };
  for (let n = 0; n < 3600; n++) second(0);
  // After five seconds, then of nine on: 9 · 2⁸ s are 38.4 minutes.
  const times = [
    '9.0 s',
    '18 s',
    '36 s',
    '1 min 12 s',
    '2 min 24 s',
    '4 min 48 s',
    '9 min 36 s',
    '19 min 12 s',
    '38 min 24 s',
  ];
  assert.deepEqual(log.written.splice(0), [
    'detect   0/1,200\n',
    ...times.map((time) => `detect   0/1,200  (nothing more for ${time})\n`),
  ]);
  // What goes on is told as ever.
  for (let done = 1; done <= 11; done++) second(done);
  assert.deepEqual(log.written, ['detect   1/1,200\n', 'detect   6/1,200\n', 'detect   11/1,200\n']);
});

test('a bar that does not fit is left out, and a finished stage says how long it took', () => {
  assert.equal(barLine(HALF, 30), 'detect   600/1,200  24.0/s  25 s left');
  assert.equal(barLine({ ...HALF, done: 1200, worked: 1200, remainingMs: 0 }, 0), 'detect   1,200/1,200  48.0/s  25 s');
  // A run that went on: 1,000 of the images were done before.
  assert.equal(barLine({ ...HALF, done: 1200, worked: 200, remainingMs: 0 }, 0), 'detect   1,200/1,200  8.0/s  25 s');
  assert.equal(barLine({ ...HALF, done: 1200, worked: 0, remainingMs: 0 }, 0), 'detect   1,200/1,200  25 s');
  assert.equal(barLine({ ...HALF, total: undefined, remainingMs: undefined }, 80), 'detect   600  24.0/s');
});

test('numbers as people read them', () => {
  assert.deepEqual([400, 12_000, 200_000, 7_500_000].map(formatDuration), ['0.4 s', '12 s', '3 min 20 s', '2 h 5 min']);
  assert.deepEqual([512, 4000, 1.25e9].map(formatBytes), ['512 B', '4.0 kB', '1.3 GB']);
});

test('tables set numbers to the right and text to the left', () => {
  assert.deepEqual(
    table([
      ['class', 'count'],
      ['dog', 12],
      ['elephant', 1234],
    ]),
    ['class     count', 'dog          12', 'elephant  1,234'],
  );
});

test('a run whose shards no worker begins says so, and how to start one', () => {
  const waiting = { ...HALF, done: 0, worked: 0, rate: 0, remainingMs: undefined, shardsCommitted: 0 };
  assert.equal(barLine(waiting, 0), 'detect   0/1,200');
  assert.equal(
    barLine({ ...waiting, isUntaken: true }, 0),
    'detect   0/1,200  no worker begins any of it: labelsmith worker starts one, or labelsmith worker resume where they are paused',
  );
});
