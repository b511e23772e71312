/** The built-in models, as they are composed: their values have the types that ONNX Runtime gives them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { compareTypes, graphOf, someFeeds } from '../../test/graph-types.ts';
import { sha256Hex } from '../core/ids.ts';
import { cacheDirectory } from '../fetch/cache.ts';
import { visitNodes } from '../onnx/visit.ts';
import { CATALOGUE } from './catalogue.ts';
import { composeModel, defaultRecipe } from './compose-model.ts';
import { CONVERTERS } from './converters.ts';
import { PINNED_GRAPHS } from './pinned-graphs.ts';
import { preparedInCache, sourcesInCache } from './prepare.ts';

async function check(bytes: Uint8Array): Promise<void> {
  const graph = graphOf(bytes);
  let visited = 0;
  visitNodes(graph, ({ node, outputs }) => {
    visited++;
    for (const value of outputs) if (value) assert.ok(value.shape && value.dtype, `${node.opType} ${value.name}`);
  });
  assert.ok(visited > 100);
  const { weaker } = await compareTypes(graph, someFeeds(graph));
  assert.deepEqual(weaker, []);
}

/** Those that are pinned were run; of the others there is something to check where somebody has them. */
for (const entry of CATALOGUE) {
  const prepared = await preparedInCache(entry, cacheDirectory()).catch(() => undefined);
  if (!prepared && PINNED_GRAPHS[entry.id] === undefined) continue;
  const skip = prepared ? false : `${entry.id} is not in the model cache (labelsmith models pull ${entry.id})`;
  test(`every value of ${entry.id}`, { skip }, async () => {
    if (prepared) await check(new Uint8Array(await readFile(prepared.path)));
  });
}

for (const entry of CATALOGUE) {
  const pinned = PINNED_GRAPHS[entry.id];
  test(`${entry.id} is pinned if it was run when this version was made`, () => {
    const ofPackages = entry.source.files.every(({ reference }) => /^(npm|pypi):/.test(reference));
    assert.ok(pinned !== undefined || (entry.measured === undefined && !ofPackages));
  });
  if (pinned === undefined) continue;
  const sources = await sourcesInCache(entry, cacheDirectory()).catch(() => undefined);
  const skip = sources ? false : `${entry.id} is not in the model cache (labelsmith models pull ${entry.id})`;
  test(`${entry.id} is composed to the graph that is pinned`, { skip }, async () => {
    const files = await Promise.all((sources ?? []).map(async ({ path }) => new Uint8Array(await readFile(path))));
    const network = CONVERTERS[entry.source.converter].convert(files, entry);
    const graph = composeModel(entry, network, defaultRecipe(entry));
    assert.equal(sha256Hex(graph), pinned, 'write it into pinned-graphs.ts');
  });
}

for (const file of ['yolox_nano.onnx', 'mobilenetv2-12-qdq.onnx', 'FastestDet.onnx']) {
  const path = new URL(`../../../shared/models/${file}`, import.meta.url);
  const skip = existsSync(path) ? false : `${file} is not at ../shared/models`;
  test(`every value of ${file}`, { skip }, async () => check(new Uint8Array(await readFile(path))));
}
