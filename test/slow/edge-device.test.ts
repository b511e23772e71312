/** An edge pack in a Debian root with nothing but Node, of this processor and of arm64: what it says is what the workspace says. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DEVICES, type Device, missingFor, onDevices } from '../../bench/edge.ts';

async function sameOn(t: TestContext, device: Device): Promise<void> {
  const [result] = await onDevices([device]);
  if ('skipped' in result) return t.skip(result.skipped);
  t.diagnostic(JSON.stringify(result));
  assert.ok(result.images >= 3 && result.regions > 0);
  assert.ok(result.largestDifference <= 1e-4, `${result.largestDifference}`);
  assert.ok(result.largestCornerDifference <= 1e-2, `${result.largestCornerDifference} pixels`);
  assert.ok(result.said.some((line) => line.includes('golden outputs ok')));
  assert.ok(result.startedInSeconds > 0);
}

for (const device of DEVICES) {
  test(device.arch, { skip: missingFor(device) ?? false, timeout: 1_800_000 }, (t) => sameOn(t, device));
}
