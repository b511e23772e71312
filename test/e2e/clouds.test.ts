/** Google's and Azure's storage as a user meets them: push, add, export and report (S3: `camera-to-labels.test.ts`). */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { runCli, runJson, scratch } from '../cli.ts';
import { AZURE, GOOGLE } from '../fixtures/clouds.ts';
import { jpegScene } from '../fixtures/images.ts';
import { inSlowRuns } from '../thorough.ts';

const IMAGES = 6;

for (const cloud of [GOOGLE, AZURE]) {
  test(`${cloud.scheme}: push, add, export, report, again`, { skip: inSlowRuns || cloud.skip }, async (t) => {
    const [dir, server] = [await scratch(t), await cloud.start()];
    t.after(() => server.close());
    const cli = { cwd: dir, env: server.env };
    mkdirSync(join(dir, 'frames'));
    for (let i = 0; i < IMAGES; i++) writeFileSync(join(dir, 'frames', `${i}.jpg`), await jpegScene(320, 240, i + 1));
    const place = `${cloud.scheme}://bucket/line`;
    const pushed = await runJson<{ counts: Record<string, number> }>(
      ['push', 'frames', place, '--delete-after-verified'],
      cli,
    );
    assert.deepEqual([pushed.counts.pushed, pushed.counts.deleted], [IMAGES, IMAGES]);
    const added = await runJson<Record<string, number>>(['add', place], cli);
    assert.deepEqual([added.images, added.quarantined], [IMAGES, 0]);

    const out = `${cloud.scheme}://bucket/labels`;
    const args = ['coco', '--images', 'copy', '--unlabelled'];
    await runJson(['export', ...args, out], cli);
    await runJson(['export', ...args, 'here'], cli);
    await runJson(['report', `${cloud.scheme}://bucket/report.html`], cli);
    const store = await cloudStore(cloud, server.env);
    const at = async (key: string) => buffer(await store.get(key));
    assert.ok((await at('labels/annotations.json')).equals(readFileSync(join(dir, 'here/annotations.json'))));
    for (const name of readdirSync(join(dir, 'here/images'), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.jpg')) continue;
      assert.ok((await at(`labels/images/${name}`)).equals(readFileSync(join(dir, 'here/images', name))), name);
    }
    assert.match((await at('report.html')).toString(), /<html/);
    await runJson(['export', ...args, out], cli);
    const synced = await runJson<Record<string, number>>(['add', place, '--sync'], cli);
    assert.deepEqual([synced.unchanged, synced.missing], [IMAGES, 0]);

    // No credential is printed or kept.
    const missing = await runCli(['add', `${cloud.scheme}://nothing-here/a`], cli);
    assert.ok(missing.code === 1 && /is not there/.test(missing.stderr), missing.stderr);
    assert.ok(!missing.stderr.includes(cloud.refused.secret) && !missing.stderr.includes('Warning'), missing.stderr);
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes(cloud.refused.secret), entry.name);
    }
  });
}

async function cloudStore(cloud: typeof GOOGLE, env: Readonly<Record<string, string>>) {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await cloud.store(
      { scheme: cloud.scheme, bucket: 'bucket', prefix: '' },
      { partBytes: 2 ** 23, silenceMs: 60_000 },
    );
  } finally {
    process.env = before;
  }
}
