import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextHeading } from './auto.ts';

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
