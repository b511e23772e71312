import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { StoredArtifact } from './artifact-store.ts';
import {
  type Artifact,
  oldFields,
  readArtifact,
  readSetting,
  type Setting,
  writeArtifact,
  writeSetting,
} from './typed.ts';

const FORM = {
  version: 2,
  schema: z.object({ count: z.number() }),
  upgrade: (value: unknown, version: number) => (version === 0 ? { count: value } : { count: oldFields(value).n }),
  what: 'The count',
  remedy: 'Run labelsmith count.',
};
const COUNT: Setting<{ count: number }> = { ...FORM, key: 'count' };
const COUNTS: Artifact<{ count: number }> = { ...FORM, kind: 'counts' };

function settingsOf(values: Record<string, string>) {
  const kept = new Map(Object.entries(values));
  return {
    getSetting: async (key: string) => kept.get(key),
    putSetting: async (key: string, value: string) => {
      kept.set(key, value);
    },
  };
}

function artifactsOf(values: Record<string, StoredArtifact>) {
  const kept = new Map(Object.entries(values));
  return {
    artifact: async (kind: string, task: string) => kept.get(`${kind} ${task}`),
    putArtifact: async (kind: string, task: string, value: StoredArtifact) => {
      kept.set(`${kind} ${task}`, value);
    },
  };
}

test('a value comes back as it was written; without one there is undefined', async () => {
  const settings = settingsOf({});
  assert.equal(await readSetting(settings, COUNT), undefined);
  await writeSetting(settings, COUNT, { count: 3 });
  assert.deepEqual(await readSetting(settings, COUNT), { count: 3 });
  const artifacts = artifactsOf({});
  assert.equal(await readArtifact(artifacts, COUNTS, 'class'), undefined);
  await writeArtifact(artifacts, COUNTS, 'class', { count: 4 });
  assert.deepEqual(await readArtifact(artifacts, COUNTS, 'class'), { count: 4 });
});

test('forms of earlier versions become that of today, the bare value of 0.1.0 too', async () => {
  assert.deepEqual(await readSetting(settingsOf({ count: '5' }), COUNT), { count: 5 });
  assert.deepEqual(await readSetting(settingsOf({ count: '{"version":1,"value":{"n":6}}' }), COUNT), { count: 6 });
  const artifacts = artifactsOf({
    'counts class': { version: 0, data: '7' },
    'counts kind': { version: 1, data: '{"n":8}' },
  });
  assert.deepEqual(await readArtifact(artifacts, COUNTS, 'class'), { count: 7 });
  assert.deepEqual(await readArtifact(artifacts, COUNTS, 'kind'), { count: 8 });
});

test('what a newer version wrote, and what does not fit, is refused with what to do', async () => {
  await assert.rejects(readSetting(settingsOf({ count: '{"version":3,"value":{"sum":1}}' }), COUNT), {
    code: 'WORKSPACE',
    message: /^The count.*form 3/,
    hint: /Update labelsmith/,
  });
  for (const text of [
    '{"version":2,"value":{"count":"many"}}',
    '"many"',
    '{"version":2',
    '',
    '{"version":1,"value":[]}',
  ]) {
    await assert.rejects(readSetting(settingsOf({ count: text }), COUNT), {
      code: 'WORKSPACE',
      message: /^The count/,
      hint: FORM.remedy,
    });
    const artifacts = artifactsOf({ 'counts class': { version: 2, data: text } });
    await assert.rejects(readArtifact(artifacts, COUNTS, 'class'), { code: 'WORKSPACE', message: /^The count/ });
  }
});
