/** Every file of ONNX Runtime that is pinned, for all platforms, against the packages as the registry has them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchFiles } from '../../src/fetch/fetch.ts';
import { COMMON_FILES, NATIVE_FILES, NODE_FILES, ONNX_RUNTIME_VERSION } from '../../src/onnx/runtime-files.ts';

test('what is pinned is what the packages hold', async (t) => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'labelsmith-pins-'));
  t.after(() => rmSync(cacheDir, { recursive: true, force: true }));
  const pinned = [
    ...Object.entries(COMMON_FILES).map(([file, sha256]) => ({ name: 'onnxruntime-common', file, sha256 })),
    ...[NODE_FILES, ...Object.values(NATIVE_FILES)]
      .flatMap((files) => Object.entries(files))
      .map(([file, sha256]) => ({ name: 'onnxruntime-node', file, sha256 })),
  ];
  const fetched = await fetchFiles(
    pinned.map(({ name, file, sha256 }) => ({ reference: `npm:${name}@${ONNX_RUNTIME_VERSION}#${file}`, sha256 })),
    { cacheDir },
  );
  assert.equal(fetched.length, pinned.length);
});
