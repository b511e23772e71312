/** Names that differ by letters' case, blanks or Unicode form alone; what is right follows from `core/class-name.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CorpusState } from '../core/corpus.ts';
import { LabelsmithError } from '../errors.ts';
import { alias, mapNames, merge, rename, withClasses } from './operations.ts';
import { sameNames } from './same-names.ts';
import { CorpusIndex } from './state.ts';

const EMPTY: CorpusState = { classes: new Map(), synonyms: new Map() };
const namesOf = (state: CorpusState) => new CorpusIndex(state).roots().map(({ name }) => name);

test('a name written a little otherwise is the class that is here', () => {
  const state = withClasses(EMPTY, ['resistor', 'hot dog', 'M\u00fcller']);
  const index = new CorpusIndex(state);
  for (const [given, name] of [
    ['Resistor', 'resistor'],
    [' RESISTOR\t', 'resistor'],
    ['HotDog', 'hot dog'],
    ['MU\u0308LLER', 'M\u00fcller'],
  ]) {
    assert.equal(index.find(given)?.name, name);
  }
  assert.equal(index.find('resistors'), undefined);
  assert.deepEqual(namesOf(withClasses(state, ['Hot Dog', 'diode'])), ['M\u00fcller', 'diode', 'hot dog', 'resistor']);
});

test('so is one that differs a little from a name that a class had, unless two had such names', () => {
  const renamed = rename(withClasses(EMPTY, ['resistor', 'coil']), 'resistor', 'part');
  assert.equal(new CorpusIndex(renamed).find('RESISTOR')?.name, 'part');
  assert.deepEqual([...sameNames(renamed, ['Resistor', 'diode'])], [['Resistor', 'part']]);
  assert.deepEqual(namesOf(withClasses(renamed, ['Resistor'])), ['coil', 'part']);
  const merged = merge(alias(renamed, 'coil', 'Hot Coil'), ['coil'], 'part');
  assert.equal(new CorpusIndex(merged).find('hotcoil')?.name, 'part');
  // A class that is called so now comes before one that was.
  const { classes, synonyms } = withClasses(EMPTY, ['diode', 'wire']);
  const [diode, wire] = [...classes.values()];
  const before = (...names: [string, number][]) =>
    new CorpusIndex({ classes, synonyms: new Map([...synonyms, ...names]) });
  assert.equal(before(['DIODE', wire.id]).find('Diode')?.name, 'diode');
  assert.deepEqual([...sameNames(before(['k', wire.id]).state, ['K'])], []);
  assert.equal(before(['LED', diode.id], ['Led', wire.id]).find('led'), undefined);
});

test('of a list, what is meant apart stays apart', () => {
  const state = withClasses(EMPTY, ['resistor', 'a', 'A']);
  assert.deepEqual([...sameNames(state, ['Resistor', 'diode'])], [['Resistor', 'resistor']]);
  assert.deepEqual([...sameNames(state, ['Resistor', 'RESISTOR'])], []);
  assert.deepEqual([...sameNames(withClasses(EMPTY, ['a']), ['A', 'a'])], []);
  // A letter of two that a corpus has is neither.
  assert.deepEqual([...sameNames(state, ['\uff21'])], []);
  assert.equal(new CorpusIndex(withClasses(EMPTY, ['a'])).find('A'), undefined);
});

test('operations on the corpus make no class that differs from another in how it is written alone', () => {
  const state = withClasses(EMPTY, ['capacitor', 'condenser', 'resistor']);
  assert.throws(() => rename(state, 'condenser', 'Capacitor'), LabelsmithError);
  assert.deepEqual(namesOf(rename(state, 'capacitor', 'Capacitor')), ['Capacitor', 'condenser', 'resistor']);
  assert.deepEqual(namesOf(merge(state, ['condenser'], 'CAPACITOR')), ['capacitor', 'resistor']);
  assert.throws(() => alias(state, 'resistor', 'Capacitor'), LabelsmithError);
  const known = alias(state, 'capacitor', 'Capacitor');
  assert.equal(new CorpusIndex(known).owner('Capacitor')?.name, 'capacitor');
  const mapped = mapNames(
    state,
    new Map([
      ['Condenser', 'Capacitor'],
      ['RESISTOR', 'resistor'],
    ]),
  );
  assert.deepEqual(namesOf(mapped), ['capacitor', 'resistor']);
});
