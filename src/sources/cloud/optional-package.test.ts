import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import { optionalPackage } from './optional-package.ts';

test('a package that is missing is named with the line that installs it; one that is broken is not called missing', async () => {
  const name: string = 'a-package-that-nobody-has';
  await assert.rejects(
    optionalPackage(name, 'xy:// addresses', () => import(name)),
    (error: unknown) => {
      assert.ok(error instanceof LabelsmithError && error.code === 'UNSUPPORTED');
      assert.match(error.message, /xy:\/\/ addresses need the package a-package-that-nobody-has/);
      assert.match(error.hint ?? '', /npm install a-package-that-nobody-has/);
      return true;
    },
  );
  const broken = () => Promise.reject(new SyntaxError('Unexpected token'));
  await assert.rejects(optionalPackage('sharp', 'pictures', broken), SyntaxError);
});
