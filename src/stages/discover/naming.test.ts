/** Names from the votes that lie beside vectors: from the shards to the classes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addEmbedded } from '../../../test/fixtures/embedded.ts';
import { sha256Hex } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { LabelsmithError } from '../../errors.ts';
import { workspaceOf } from '../../jobs/workspace.ts';
import { openStore } from '../../store/open.ts';
import { discoverIn } from './discover.ts';

const KINDS = ['rose', 'bus', 'cat', 'cup'];

interface Item {
  readonly id: string;
  readonly kind: string | undefined;
}

/** Near the axis of its kind. */
function vectorOf({ id, kind }: Item): number[] {
  const random = seededRandom(Number.parseInt(id.slice(0, 6), 16));
  return Array.from({ length: 8 }, (_, j) => (j === KINDS.indexOf(kind ?? '') ? 1 : 0) + 0.3 * random());
}

test('clusters are called what the embedder takes their items for, and those it is unsure of have no name', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'labelsmith-discover-'));
  const store = await openStore(dir);
  t.after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const items = Array.from({ length: 80 }, (_, n) => ({ id: sha256Hex(`item ${n}`), kind: KINDS[n % KINDS.length] }));
  // A rose is nearly always class 0, a bus either of two kinds of vehicle; of cats and cups it knows nothing.
  const votesOf = ({ kind, id }: Item) => {
    if (kind === 'rose') return [0, 1, 0.9, 0.05];
    if (kind === 'bus') return Number.parseInt(id[0] as string, 16) % 2 === 0 ? [1, 2, 0.7, 0.2] : [2, 1, 0.7, 0.2];
    return [3, 4, 0.2, 0.1];
  };
  await addEmbedded(
    store,
    dir,
    items.map((one, n) => ({ id: one.id, path: `/photos/${n}.jpg`, vector: vectorOf(one), votes: votesOf(one) })),
  );
  const names = ['rose', 'bus', 'tram', 'lens', 'sieve', 'vehicle'].map((name) => ({
    name,
    synset: `${name}.n.01`,
    classes: name === 'vehicle' ? 2 : 1,
  }));
  const votedNames = () => ({ names, of: [[0], [1, 5], [2, 5], [3], [4]] });
  const options = { seed: 0, threads: 1, k: 4, votedNames };
  const noFiles = () => Promise.reject(new LabelsmithError('NOT_FOUND', 'there are no files'));
  const { clusters } = await discoverIn(workspaceOf(dir, store), options, noFiles);
  const named = clusters.map(({ name }) => name).filter((name) => !name.startsWith('unnamed-'));
  assert.deepEqual(named.sort(), ['rose', 'vehicle']);
  const vehicle = clusters.find(({ name }) => name === 'vehicle');
  assert.deepEqual(vehicle?.candidates[0]?.evidence[0]?.kinds?.toSorted(), ['bus', 'tram']);
});
