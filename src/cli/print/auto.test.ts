import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { namingText, nextHeading } from './auto.ts';

test('commands name a workspace that they would not find by themselves, so that they work as printed', () => {
  assert.equal(namingText('.labelsmith'), '');
  assert.equal(namingText(join(process.cwd(), '.labelsmith')), '');
  assert.equal(namingText(join(process.cwd(), 'labelsmith-demo', '.labelsmith')), ' -w labelsmith-demo/.labelsmith');
  assert.equal(namingText('/data/pile/.labelsmith'), ' -w /data/pile/.labelsmith');
  assert.equal(namingText("/data/anna's pile"), ` -w '/data/anna'\\''s pile'`);
});

test('an address is not repeated, since it may hold a password', () => {
  assert.equal(namingText('postgres://me:secret@db/images'), '');
});

test('what comes next can be typed in a checkout too, where npm runs the command', () => {
  assert.equal(nextHeading({}), 'Next:');
  // What npm tells its scripts: https://docs.npmjs.com/cli/v11/using-npm/scripts#environment
  assert.equal(
    nextHeading({ npm_lifecycle_event: 'demo', npm_package_name: 'labelsmith' }),
    'Next (here, npm run -s labelsmith -- in place of labelsmith):',
  );
  assert.equal(nextHeading({ npm_lifecycle_event: 'labelsmith', npm_package_name: 'my-shop' }), 'Next:');
  assert.equal(nextHeading({ npm_lifecycle_event: 'test', npm_package_name: 'labelsmith' }), 'Next:');
});
