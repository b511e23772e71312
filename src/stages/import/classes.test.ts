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

describe('names of tasks and annotators in a file', () => {
  it('are mended where they hold half a character, and told; a name that is none is left out', () => {
    const file = new FileNames([]);
    const reckoning = new Reckoning();
    file.meetTask('ta\ud800sk', 'x.json [0]');
    for (const [i, name] of ['\udc00 Ann', 'Bob ', '\u200b', 'x'.repeat(300)].entries())
      file.meetAnnotator(name, `x.json [${i}]`);
    file.settle('new', reckoning);
    assert.equal(file.taskOf('ta\ud800sk'), 'ta\ufffdsk');
    assert.deepEqual(
      ['\udc00 Ann', 'Bob ', '\u200b', 'x'.repeat(300)].map((name) => file.annotatorOf(name)),
      ['\ufffd Ann', 'Bob', null, null],
    );
    const told = reckoning.report().problems.map(({ reason, outcome, count }) => `${reason} ${outcome} ${count}`);
    assert.deepEqual(told.sort(), ['annotator-dropped left out 2', 'half-character mended 2']);
  });
});

describe('names of classes in a file', () => {
  it('are one class where blanks or Unicode form alone differ', () => {
    const { classes, news } = settled([], ['shoes', 'shoes ', ' shoes', 'shoes\u200b', 'caf\u00e9', 'cafe\u0301']);
    assert.deepEqual(new Set(classes), new Set(['shoes', 'café']));
    assert.deepEqual(news, ['café', 'shoes']);
  });

  it('are the class that is there where letters\u2019 case differs', () => {
    const one = settled(['Dog'], ['dog', 'DOG', 'dog']);
    assert.deepEqual([one.classes, one.reasons], [['Dog', 'Dog', 'Dog'], ['class-unified 3']]);
    assert.deepEqual(settled(['Traffic Light'], ['traffic light', 'Traffic Light']).classes, [
      'Traffic Light',
      'Traffic Light',
    ]);
    const two = settled(['Dog', 'dog'], ['dog', 'DOG']);
    assert.deepEqual(two.classes, ['dog', 'DOG'], 'two classes here are meant apart');
    assert.deepEqual(two.reasons, ['class-near-miss 1']);
  });

  it('are one class where a file spells it in several ways, the way that it has most often', () => {
    const { classes, news, reasons } = settled([], ['Resistor', 'resistor', 'RESISTOR ', 'resistor', 're sistor']);
    assert.deepEqual([new Set(classes), news], [new Set(['resistor']), ['resistor']]);
    assert.deepEqual(reasons, ['class-spellings 3']);
    assert.deepEqual(settled([], ['Relay', 'relay']).classes, ['Relay', 'Relay'], 'the first on a tie');
    const asked = () => settled([], ['Relay', 'relay', 'RELAY'], 'ask');
    assert.throws(asked, /Relay \(also relay, RELAY\)/);
    assert.deepEqual(settled([], ['Relay', 'relay'], 'existing').classes, [null, null]);
  });

  it('are apart where they are letters', () => {
    assert.deepEqual(settled([], ['a', 'A', 'b']).classes, ['a', 'A', 'b']);
    assert.deepEqual(settled(['a', 'A'], ['A']).classes, ['A']);
    assert.deepEqual(settled(['a'], ['a', 'A']).classes, ['a', 'A']);
    assert.deepEqual(settled([], ['a', 'A']).reasons, ['class-near-miss 2']);
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
      () => settled([], ['ok', 'x'.repeat(300), '\u200b']),
      (error) => {
        assert.ok(error instanceof LabelsmithError && error.code === 'BAD_FILE');
        assert.match(error.message, /^x\.csv:3: the class name "x+…" has 300 characters.*and 1 more: x\.csv:4/);
        return true;
      },
    );
  });

  it('are mended where they hold half a character, and told', () => {
    assert.deepEqual(settled([], ['ok', 'caf\ud800']), {
      classes: ['ok', 'caf\ufffd'],
      news: ['caf\ufffd', 'ok'],
      reasons: ['half-character 1'],
    });
  });

  it('of objects of which nothing else is said are counted as objects', () => {
    const file = new FileNames([record('cat')]);
    const reckoning = new Reckoning();
    file.meetClass('dog', 'x:1', true);
    file.meetClass('dog', 'x:2', true);
    file.meetClass('dog', 'x:3');
    file.settle('existing', reckoning);
    assert.deepEqual(reckoning.report().counts, {
      objects: { read: 2, taken: 0, mended: 0, leftOut: 2 },
      labels: { read: 1, taken: 0, mended: 0, leftOut: 1 },
    });
  });

  it('follow synonyms', () => {
    const file = new FileNames([record('automobile', ['car'])]);
    file.meetClass('car', 'x:1');
    file.meetClass('Car', 'x:2');
    file.settle('existing', new Reckoning());
    assert.equal(file.nameOf('car'), 'automobile');
    assert.equal(file.nameOf('Car'), 'automobile');
  });

  it('follow other spellings of a synonym, where that leaves one class', () => {
    const file = new FileNames([record('truck', ['Fork Lift', 'T']), record('cat', ['Pet']), record('dog', ['pet'])]);
    const names = ['fork  lift', 'PET', 't'];
    for (const [i, name] of names.entries()) file.meetClass(name, `x:${i}`);
    file.settle('new', new Reckoning());
    assert.deepEqual(
      names.map((name) => file.nameOf(name)),
      ['truck', 'PET', 't'],
    );
  });
});
