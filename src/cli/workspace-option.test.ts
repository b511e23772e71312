import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { workspaceOption } from './workspace-option.ts';

test('commands name a workspace that they would not find by themselves, so that they work as printed', () => {
  assert.equal(workspaceOption('.labelsmith'), '');
  assert.equal(workspaceOption(join(process.cwd(), '.labelsmith')), '');
  assert.equal(
    workspaceOption(join(process.cwd(), 'labelsmith-demo', '.labelsmith')),
    ' -w labelsmith-demo/.labelsmith',
  );
  assert.equal(workspaceOption('/data/pile/.labelsmith'), ' -w /data/pile/.labelsmith');
  assert.equal(workspaceOption("/data/anna's pile"), ` -w '/data/anna'\\''s pile'`);
});

test('an address is repeated without its password', () => {
  assert.equal(workspaceOption('postgres://me:secret@db/images'), " -w 'postgres://me@db/images'");
  assert.equal(
    workspaceOption('postgres://db/images?schema=a&password=secret&sslmode=require'),
    " -w 'postgres://db/images?schema=a&sslmode=require'",
  );
});
