/** The reference of the library is made without a warning: every type that the public face speaks of is exported. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const FOLDER = 'tools/api-reference';

test('every type that the library exports speaks of exported ones', (t) => {
  const typedoc = join(FOLDER, 'node_modules/typedoc/bin/typedoc');
  if (!existsSync(typedoc)) return t.skip('TypeDoc is not installed; npm ci brings it');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join('node_modules/typedoc/bin/typedoc'), '--emit', 'none'],
    {
      cwd: FOLDER,
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
});
