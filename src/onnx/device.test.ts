/** On a machine with no graphics card: every device but the processor is refused with what it needs, at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../errors.ts';
import { DEVICES, type Device, listedDevices } from './device.ts';
import { Graph } from './ops.ts';
import { InferencePool } from './pool.ts';
import { engineSelfTest } from './self-test.ts';
import { Session } from './session.ts';

function model(): Uint8Array {
  const g = new Graph();
  g.output(g.relu(g.input('x', 'float32', [1])), 'y');
  return g.toModel();
}

/** Devices that this machine really has pass; the others are what is tried here. */
async function missingDevices() {
  const missing: Device[] = [];
  for (const device of DEVICES) {
    const works = await engineSelfTest(device).then(
      () => true,
      () => false,
    );
    if (!works) missing.push(device);
  }
  return missing;
}

test('a device that is not there is refused by sessions and pools, never replaced', async (t) => {
  const missing = await missingDevices();
  assert.ok(!missing.includes('cpu'));
  if (missing.length === 0) return t.skip('this machine has every device');
  for (const device of missing) {
    const listed = listedDevices().includes(device);
    const refused = (error: unknown) => {
      assert.ok(error instanceof LabelsmithError && error.code === 'UNSUPPORTED', `${device}: ${error}`);
      assert.match(error.message, listed ? /cannot be used here: / : /has no device \w+ on /);
      assert.match(error.hint ?? '', /It needs /);
      assert.match(error.hint ?? '', listed ? /leave --device out/ : /can be asked for here: .*cpu/);
      return true;
    };
    await assert.rejects(Session.create(model(), { device }), refused);
    await assert.rejects(InferencePool.create({ threads: 1, device }), refused);
  }
});

test('a pool runs on the device that it was made with', async () => {
  const pool = await InferencePool.create({ threads: 1 });
  assert.equal(pool.device, 'cpu');
  await pool.close();
});
