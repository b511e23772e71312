/** 1,000 texts in 20 scripts, against Hugging Face's own `tokenizers` for Python (`test/oracles/hub_tokens.py`). */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { sha256Hex } from '../../core/ids.ts';
import { LabelsmithError } from '../../errors.ts';
import { tokensOf } from '../text-tokens.ts';
import { readTokenizer } from './tokenizer-files.ts';

const FOLDER = resolve(import.meta.dirname, '../../../test/fixtures/hub');
const texts = z.array(z.string());
const EXPECTED = z
  .object({ texts, clip: texts, siglip2: texts })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'tokens.json'), 'utf8')));

for (const name of ['clip', 'siglip2'] as const) {
  test(`the tokenizer of ${name} makes of 1,000 texts in 20 scripts what the original makes of them`, async () => {
    const tokenizer = await readTokenizer(
      join(FOLDER, name, 'tokenizer.json'),
      join(FOLDER, name, 'tokenizer_config.json'),
    );
    assert.equal(EXPECTED.texts.length, 1000);
    const wrong = EXPECTED.texts.filter((text, i) => {
      return sha256Hex(tokenizer.idsOf(text).join(' ')).slice(0, 8) !== EXPECTED[name][i];
    });
    assert.deepEqual(wrong, []);
  });
}

test('a text is cut before its end token, ended where the tokenizer does not, and filled up', () => {
  const tokenizer = { idsOf: (text: string) => [...text].map((c) => c.charCodeAt(0)) };
  const processor = { name: 'input_ids', tokenizerFile: 1, tokenizerConfigFile: 2, maxTokens: 4, padId: 0, endId: 9 };
  assert.deepEqual(tokensOf('AB', tokenizer, processor), [65, 66, 9, 0]);
  assert.deepEqual(tokensOf('ABCDEF', tokenizer, processor), [65, 66, 67, 9]);
  assert.deepEqual(tokensOf('AB', tokenizer, { ...processor, padId: null }), [65, 66, 9]);
  assert.deepEqual(tokensOf('AB', tokenizer, { ...processor, lowerCase: true, padId: null }), [97, 98, 9]);
});

test('a file that describes no tokenizer is refused by its name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'labelsmith-tokenizer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, '{"model": {"type": "Nonsense"}}');
  writeFileSync(join(folder, 'config.json'), '{}');
  await assert.rejects(readTokenizer(path, join(folder, 'config.json')), (error: unknown) => {
    return error instanceof LabelsmithError && error.code === 'BAD_MODEL' && error.message.includes(path);
  });
});
