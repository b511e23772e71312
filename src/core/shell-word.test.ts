import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord, typedWord } from './shell-word.ts';

const TEXTS = [
  'plain/path-1.csv',
  '',
  'two words',
  "anna's",
  `"$HOME" \`id\` \\ * ~ ! # ; & | < > ( )`,
  'a\nb',
  '日本',
  '-n',
];

test('a shell reads each text back as it was', { skip: process.platform === 'win32' && 'there is no sh' }, () => {
  for (const word of [shellWord, typedWord]) {
    const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${TEXTS.map(word).join(' ')}`], { encoding: 'utf8' });
    assert.deepEqual(stdout.split('\0').slice(0, -1), TEXTS);
  }
});

test('quotes are typed only where they are needed', () => {
  assert.deepEqual(['all.csv', 'a/b-c_d', 'two words', ''].map(typedWord), ['all.csv', 'a/b-c_d', "'two words'", "''"]);
});
