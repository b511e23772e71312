import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { TarWriter } from './tar-writer.ts';

describe('a tar on a disk that refuses it', () => {
  let folder = '';
  let path = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'labelsmith-tar-'));
    path = join(folder, 'there.tar');
    await writeFile(path, 'stands here already');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  // Larger than all buffers, so that the second waits for the first when the file turns out not to be writable.
  const large = { name: 'a', bytes: new Uint8Array(8 << 20).map((_, i) => (i * 2_654_435_761) >>> 24) };
  const small = { name: 'a', bytes: new Uint8Array(8) };

  for (const gzip of [false, true]) {
    const options = { gzip, flags: 'wx' } as const;
    it(`the member under way has the error${gzip ? ', packed' : ''}`, async () => {
      const tar = new TarWriter(path, options);
      const all = async () => {
        for (let k = 0; k < 3; k++) await tar.add(large);
      };
      await assert.rejects(all, { code: 'EEXIST' });
      tar.abandon();
    });

    it(`the next member has the error of between${gzip ? ', packed' : ''}`, async () => {
      const tar = new TarWriter(path, options);
      await tar.add(small);
      await setTimeout(200);
      await assert.rejects(tar.add(small), { code: 'EEXIST' });
    });

    it(`finish has the error after the last${gzip ? ', packed' : ''}`, async () => {
      const tar = new TarWriter(path, options);
      await tar.add(small);
      await setTimeout(200);
      await assert.rejects(tar.finish(), { code: 'EEXIST' });
    });
  }
});
