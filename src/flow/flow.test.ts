/** What `labelsmith.yaml` may say, what it means, and where its mistakes are told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { flowOf, readFlow } from './flow.ts';
import { flowJsonSchema } from './flow-schema.ts';

const FILE = resolve('/flows/labelsmith.yaml');
const ENV = { CAMERA_USER: 'gate', CAMERA_PASSWORD: 's3cret', HOME: '/home/user' };

function problemsOf(text: string): string[] {
  try {
    flowOf(text, FILE, ENV);
  } catch (error) {
    assert.ok(error instanceof LabelsmithError && error.code === 'USAGE', String(error));
    return error.message.split('\n');
  }
  return [];
}

const WHOLE = `
cameras:
  gate: rtsp://\${CAMERA_USER}:\${CAMERA_PASSWORD}@10.0.0.7/stream
  yard: { source: usb:0, every: 5s, count: 3 }
capture:
  to: ./frames
  keep: 20GB,7d
models: { classifier: ./class.onnx }
targets:
  cloud: { to: s3://bucket/line, bandwidth: 2MB/s, parallel: 3 }
  disk: ./archive
schedules:
  now:
    every: 90s
    run:
      - { stage: push, to: cloud/frames }
      - { stage: add, from: [cloud, disk/old] }
      - { stage: export, format: coco, to: ../out, split: 'train=.5,val=.5' }
  night: { at: '02:30', on: [mon], run: [{ stage: detect }] }
`;

describe('a flow that is right', () => {
  const flow = flowOf(WHOLE, FILE, ENV);
  test('places are addresses and absolute paths, a target and a path below one', () => {
    const [push, add, out] = flow.schedules[0]?.run ?? [];
    assert.ok(push?.stage === 'push' && add?.stage === 'add' && out?.stage === 'export');
    assert.deepEqual(
      [push.folder, push.to, push.bytesPerSecond, push.parallel],
      [resolve('/flows/frames'), 's3://bucket/line/frames', 2e6, 3],
    );
    assert.deepEqual(add.from, ['s3://bucket/line', resolve('/flows/archive/old')]);
    assert.deepEqual([out.to, out.split?.length], [resolve('/out'), 2]);
    assert.deepEqual(
      [flow.workspace, flow.models.classifier],
      [resolve('/flows/.labelsmith'), resolve('/flows/class.onnx')],
    );
  });
  test('times, sizes, and what the environment fills in', () => {
    assert.equal(flow.cameras[0]?.source, 'rtsp://gate:s3cret@10.0.0.7/stream');
    assert.deepEqual(
      [flow.cameras[1]?.every, flow.capture?.keep],
      [5000, { maxBytes: 20e9, maxAgeMs: 7 * 86_400_000 }],
    );
    assert.deepEqual([flow.schedules[0]?.every, flow.schedules[1]?.at], [90_000, 150]);
  });
  test('a dollar may be written, and what is filled in cannot be taken for YAML', () => {
    const text = `workspace: ./$\${X}\ntargets:\n  a: ./\${X}`;
    const { workspace, targets } = flowOf(text, FILE, { X: 'b, c: [1' });
    assert.equal(workspace, resolve(`/flows/\${X}`));
    assert.equal(targets.get('a')?.address, resolve('/flows/b, c: [1'));
  });
  test('an empty file is a flow with nothing in it', () => assert.deepEqual(flowOf('', FILE, {}).schedules, []));
});

describe('mistakes are told by line and column', () => {
  const cases: readonly (readonly [what: string, text: string, ...told: string[]])[] = [
    ['no YAML', 'cameras: [\n', 'labelsmith.yaml:2:1: this is no YAML'],
    ['a key twice', 'seed: 1\nseed: 2\n', 'labelsmith.yaml:2:1: this is no YAML: map keys must be unique'],
    ['an unknown key', 'capture:\n  to: ./a\n  kep: 1GB\n', 'labelsmith.yaml:3:3: capture: unknown key "kep"'],
    ['a missing key', 'seed: 1\ncapture: { keep: 7d }\n', 'labelsmith.yaml:2:1: capture.to: is missing'],
    [
      'a time',
      'capture: { to: ./a }\ncameras:\n  gate:\n    source: usb:0\n    every: soon\n',
      'labelsmith.yaml:5:12: cameras.gate.every: expected a time such as 90s, 20m or 1.5h',
    ],
    ['a number for a time', 'watch: { settle: 5, folder: ./a }', 'labelsmith.yaml:1:18: watch.settle: expected a time'],
    [
      'a stage',
      'schedules:\n  a:\n    every: 1m\n    run:\n      - stage: pusch\n',
      'labelsmith.yaml:5:16: stage is one of push, add, detect',
    ],
    [
      'a target',
      'targets: { cloud: ./x }\nschedules:\n  a:\n    every: 1m\n    run:\n      - { stage: add, from: clod }\n',
      'labelsmith.yaml:6:29: from: there is no target "clod"; did you mean cloud?',
    ],
    [
      'neither every nor at',
      'schedules:\n  a: { run: [{ stage: detect }] }\n',
      'labelsmith.yaml:2:3: schedules.a: either every',
    ],
    [
      'a variable',
      `targets:\n  a: ./\${NOT_THERE}\n`,
      'labelsmith.yaml:2:6: the environment has no variable NOT_THERE',
    ],
    ['frames without a folder', 'cameras: { a: usb:0 }\n', 'labelsmith.yaml:1:1: cameras: capture.to is missing'],
    [
      'a password in a target',
      'targets: { a: "sftp://user:pw@host/x" }\n',
      'labelsmith.yaml:1:15: targets.a: an address holds no password',
    ],
    [
      'several, in the order of the file',
      'seed: -1\nthreads: many\n',
      'labelsmith.yaml:1:7: seed',
      'labelsmith.yaml:2:10: threads: expected a whole number',
    ],
  ];
  for (const [what, text, ...told] of cases) {
    test(what, () => {
      const problems = problemsOf(text);
      assert.equal(problems.length, told.length, problems.join('\n'));
      for (const [i, one] of told.entries()) assert.ok(problems[i]?.startsWith(one), problems[i]);
    });
  }
});

test('the examples are right, and say what the schema for editors knows', () => {
  const files = globSync(resolve(import.meta.dirname, '../../examples/flows/*.yaml'));
  assert.equal(files.length, 3);
  for (const file of files) {
    const flow = flowOf(readFileSync(file, 'utf8'), file, ENV);
    assert.ok(flow.cameras.length > 0 && flow.schedules.length > 0, file);
  }
  const schema = JSON.stringify(flowJsonSchema());
  for (const key of ['cameras', 'delete-after-verified', 'min-confidence']) assert.ok(schema.includes(`"${key}"`), key);
});

test('a flow is read from a plain file alone: a pipe would be waited for', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-flow-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  execFileSync('mkfifo', [join(dir, 'flow.yaml')]);
  await assert.rejects(readFlow(join(dir, 'flow.yaml')), /this is a pipe and no file/);
});
