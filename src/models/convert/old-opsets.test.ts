/** Classifiers of opsets 7 and 9, as PyTorch exported them, against PyTorch (`test/oracles/old_opsets.py` made both). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inlineModel } from '../../onnx/compose.ts';
import { Graph } from '../../onnx/ops.ts';
import { Session } from '../../onnx/session.ts';
import { float32, float32Data } from '../../onnx/tensor.ts';
import { backboneOf } from './backbone.ts';

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url);
const expected = JSON.parse(await readFile(new URL('old-opsets.json', FIXTURES), 'utf8')) as Record<
  string,
  { readonly features: readonly number[]; readonly scores: readonly number[] }
>;
const DATA = Float32Array.from({ length: 3 * 12 * 12 }, (_, i) => ((i * 7919) % 251) / 125 - 1);

for (const [opset, wanted] of Object.entries(expected)) {
  test(`opset ${opset}: what its last layer takes and gives is what it is in PyTorch`, async () => {
    const file = new Uint8Array(await readFile(new URL(`old-opset-${opset}.onnx`, FIXTURES)));
    const graph = new Graph('whole');
    const feeds = { data: graph.input('data', 'float32', [1, 3, 12, 12]) };
    const values = inlineModel(graph, backboneOf(file, 'scores'), {
      prefix: 'n',
      feeds,
      outputs: ['features', 'scores'],
    });
    for (const [name, value] of Object.entries(values)) graph.output(value, name);
    const session = await Session.create(graph.toModel());
    const found = await session.run({ data: float32(DATA, [1, 3, 12, 12]) });
    await session.close();
    for (const [name, numbers] of Object.entries(wanted)) {
      const given = float32Data(found[name], name);
      assert.equal(given.length, numbers.length, name);
      for (const [i, value] of numbers.entries()) {
        assert.ok(Math.abs(given[i] - value) < 1e-5, `${name}[${i}]: ${given[i]}, not ${value}`);
      }
    }
  });
}
