import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LabelsmithError } from '../../errors.ts';
import { Reckoning } from '../../formats/reckoning.ts';
import { type ClassMode, FileNames } from './classes.ts';

const record = (name: string, synonyms: string[] = []) => ({
  name,
  synonyms,
  parent: null,
  description: null,
  synset: null,
  counts: [],
});

function settled(known: readonly string[], names: readonly string[], mode: ClassMode = 'new') {
  const file = new FileNames(known.map((name) => record(name)));
  const reckoning = new Reckoning();
  for (const [i, name] of names.entries()) file.meetClass(name, `x.csv:${i + 2}`);
  const news = file.settle(mode, reckoning);
  return {
    classes: names.map((name) => file.nameOf(name)),
    news: news.map(({ name, near }) => `${name}${near === null ? '' : ` (${near}?)`}`),
    reasons: reckoning.report().problems.map(({ reason, count }) => `${reason} ${count}`),
  };
}

describe('names of classes in a file', () => {
  it('are one class where blanks or Unicode form alone differ', () => {
    const { classes, news } = settled([], ['shoes', 'shoes ', ' shoes', 'shoes\u200b', 'caf\u00e9', 'cafe\u0301']);
    assert.deepEqual(new Set(classes), new Set(['shoes', 'café']));
    assert.deepEqual(news, ['café', 'shoes']);
  });

  it('are the class that is there where letters\u2019 case differs, unless both are meant', () => {
    assert.deepEqual(settled(['Traffic Light'], ['traffic light', 'trafficlight']).reasons, ['class-near-miss 2']);
    const one = settled(['Dog'], ['dog', 'dog']);
    assert.deepEqual([one.classes, one.reasons], [['Dog', 'Dog'], ['class-unified 2']]);
    assert.deepEqual(settled([], ['a', 'A']).classes, ['a', 'A'], 'letters');
    assert.deepEqual(settled(['a', 'A'], ['A']).classes, ['A']);
  });

  it('are told where they are new and nearly one that is there', () => {
    assert.deepEqual(settled(['resistor', 'cat'], ['Resistors', 'car', 'diode']).news, [
      'Resistors (resistor?)',
      'car',
      'diode',
    ]);
  });

  it('are left out, or asked about, as was wished', () => {
    const { classes, reasons } = settled(['cat'], ['cat', 'dog', 'dog'], 'existing');
    assert.deepEqual([classes, reasons], [['cat', null, null], ['class-not-there 2']]);
    assert.throws(
      () => settled(['resistor'], ['Resistors'], 'ask'),
      (error) => {
        assert.ok(error instanceof LabelsmithError && error.code === 'REFUSED');
        assert.match(error.message, /Resistors \(resistor\?\)/);
        return true;
      },
    );
    assert.deepEqual(settled(['cat'], ['cat'], 'ask').classes, ['cat']);
  });

  it('refuse the file where they cannot be kept, all of them at once', () => {
    assert.throws(
      () => settled([], ['ok', 'x'.repeat(300), '\ud800']),
      (error) => {
        assert.ok(error instanceof LabelsmithError && error.code === 'BAD_FILE');
        assert.match(error.message, /^x\.csv:3: the class name "x+…" has 300 characters.*and 1 more: x\.csv:4/);
        return true;
      },
    );
  });

  it('follow synonyms', () => {
    const file = new FileNames([record('automobile', ['car'])]);
    file.meetClass('car', 'x:1');
    file.settle('existing', new Reckoning());
    assert.equal(file.nameOf('car'), 'automobile');
  });
});
