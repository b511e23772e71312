/** What the official SDK needs for the same files: each read and put, so many at once, nothing else. FOLDER PREFIX LANES */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const [folder = '', prefix = '', lanes = '16'] = process.argv.slice(2);
const client = new S3Client({ forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
const next = names.values();
const lane = async () => {
  for (const name of next) {
    const Body = await readFile(join(folder, name));
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: `${prefix}/${name}`, Body }));
  }
};
await Promise.all(Array.from({ length: Number(lanes) }, lane));
client.destroy();
