import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { blobStoreContract } from '../../test/contracts/blobs.ts';
import type { CloudServer } from '../../test/fixtures/faulty-server.ts';
import { startS3 } from '../../test/fixtures/s3-server.ts';
import { openBlobs } from './open.ts';

describe('blobs in object storage', () => {
  let server: CloudServer;
  const before_ = { ...process.env };
  const run = randomUUID();
  before(async () => {
    server = await startS3();
    Object.assign(process.env, server.env);
    // One request in ten is turned away, as a busy store does.
    let n = 0;
    server.fault = () => (++n % 10 === 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined);
  });
  after(async () => {
    for (const name of Object.keys(server.env)) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await server.close();
  });
  blobStoreContract('S3', (folder) => openBlobs(`s3://bucket/${run}${folder}`).blobs);
});
