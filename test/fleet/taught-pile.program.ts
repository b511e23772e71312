/** A process that learns from a pile in parts: `node taught-pile.program.ts LOCATION`, a workspace in a folder. Prints a SHA-256 of what came of it. */
import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { openWorkspace } from '../../src/jobs/workspace.ts';
import { taught } from './taught-pile.ts';

const workspace = await openWorkspace(process.argv[2] ?? '', { create: true });
try {
  const outcome = await taught(workspace, 1, { most: 90, mostLabels: 36, itemsAPart: 20 });
  process.stdout.write(createHash('sha256').update(serialize(outcome)).digest('hex'));
} finally {
  await workspace.close();
}
