import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from '../../test/properties.ts';
import { readName } from '../core/class-name.ts';
import { LabelsmithError } from '../errors.ts';
import {
  readMapping,
  readTaxonomy,
  TAXONOMY_FORMATS,
  type TaxonomyClass,
  type TaxonomyFormat,
  taxonomyFormatOf,
  taxonomyText,
} from './taxonomies.ts';

async function file(t: TestContext, name: string, text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'labelsmith-taxonomy-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

const NAMES = { json: 'a.json', csv: 'a.csv', skos: 'a.jsonld' } as const satisfies Record<TaxonomyFormat, string>;

/** Names with what quoting gets wrong. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((raw) => {
    const reading = readName(raw);
    return reading.kind === 'name' ? reading.name : '';
  })
  .filter((name) => name !== '');
const awkward = fc.oneof(text, fc.constantFrom('a|b', '\\', 'a\\|', '=1+1', "'=x", '@id', 'x,"y"', '-', '犬'));

const taxonomies = fc
  .uniqueArray(awkward, { minLength: 1, maxLength: 8 })
  .chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.array(fc.nat(), { minLength: names.length, maxLength: names.length }),
      fc.array(fc.option(text), { minLength: names.length, maxLength: names.length }),
    ),
  )
  .map(([names, picks, descriptions]) =>
    names.map(
      (name, i): TaxonomyClass => ({
        name,
        synonyms: picks[i] % 3 === 0 ? [`${name}|syn`, `${name}\\`] : [],
        parent: i > 0 && picks[i] % 2 === 0 ? names[picks[i] % i] : null,
        synset: picks[i] % 5 === 0 ? 'dog.n.01' : null,
        description: descriptions[i] ?? null,
      }),
    ),
  );

for (const format of TAXONOMY_FORMATS) {
  test(`${format}: what is written is read back the same`, async (t) => {
    await fc.assert(
      fc.asyncProperty(taxonomies, async (classes) => {
        const path = await file(t, NAMES[format], taxonomyText(format, classes));
        const read = (await readTaxonomy(path, format)).map(({ where: _, ...entry }) => entry);
        assert.deepEqual(read, classes);
      }),
      { numRuns: 150 },
    );
  });
}

test('SKOS of others: prefixes, full addresses, languages, narrower', async (t) => {
  const core = 'http://www.w3.org/2004/02/skos/core#';
  const document = {
    '@context': { skos: core },
    '@graph': [
      { '@id': 'ex:s', '@type': 'skos:ConceptScheme' },
      {
        '@id': 'ex:animal',
        '@type': 'skos:Concept',
        'skos:prefLabel': [
          { '@value': 'Tier', '@language': 'de' },
          { '@value': 'animal', '@language': 'en' },
        ],
        'skos:narrower': [{ '@id': 'ex:dog' }],
      },
      {
        '@id': 'ex:dog',
        '@type': [`${core}Concept`],
        [`${core}prefLabel`]: [{ '@value': 'dog' }],
        [`${core}altLabel`]: 'hound',
      },
      { '@id': 'ex:cat', '@type': 'Concept', prefLabel: { en: 'cat', de: ['Katze'] }, broader: 'ex:animal' },
    ],
  };
  const path = await file(t, 'other.jsonld', JSON.stringify(document));
  assert.deepEqual(
    (await readTaxonomy(path, 'skos')).map(({ name, synonyms, parent }) => ({ name, synonyms, parent })),
    [
      { name: 'animal', synonyms: ['Tier'], parent: null },
      { name: 'dog', synonyms: ['hound'], parent: 'animal' },
      { name: 'cat', synonyms: ['Katze'], parent: 'animal' },
    ],
  );
});

test('what is broken is told with its place', async (t) => {
  const cases: readonly (readonly [name: string, content: string, message: RegExp])[] = [
    ['a.json', '{', /a\.json: it is not JSON/],
    ['a.json', '{"classes": 3}', /a\.json classes: a list was expected/],
    ['a.json', '{"classes": [{"name": 4}]}', /classes\[0\]\.name: text was expected/],
    ['a.json', '{"classes": [{"name": "a", "synonyms": "b"}]}', /classes\[0\]\.synonyms: a list/],
    ['a.json', '{"classes": []}', /there is no class/],
    ['a.csv', 'name\nx\n', /a\.csv:1: the header has no column class/],
    ['a.csv', 'class,parent\n,b\n', /a\.csv:2: the class name is empty/],
    ['a.jsonld', '{"@graph": []}', /no skos:Concept/],
    ['a.jsonld', '{"@id": "x", "@type": "Concept"}', /no skos:prefLabel/],
    ['a.jsonld', '{"@id": "x", "@type": "Concept", "prefLabel": "x", "broader": "y"}', /not in the file/],
  ];
  for (const [name, content, message] of cases) {
    const path = await file(t, name, content);
    await assert.rejects(readTaxonomy(path, taxonomyFormatOf(path)), (error) => {
      assert.ok(error instanceof LabelsmithError, String(error));
      assert.match(error.message, message, content);
      return true;
    });
  }
  assert.throws(() => taxonomyFormatOf('classes.txt'), /does not tell the format/);
});

test('a mapping is a JSON object or a CSV; a name is mapped once', async (t) => {
  const expected = new Map([
    ['car', 'vehicle'],
    ['=truck', 'vehicle'],
  ]);
  assert.deepEqual(await readMapping(await file(t, 'm.json', '{"car": "vehicle", "=truck": "vehicle"}')), expected);
  assert.deepEqual(await readMapping(await file(t, 'm.csv', "from,to\ncar,vehicle\n'=truck,vehicle\n")), expected);
  await assert.rejects(
    async () => readMapping(await file(t, 'm.csv', 'from,to\na,b\na,c\n')),
    /m\.csv:3: "a" is mapped twice/,
  );
  await assert.rejects(async () => readMapping(await file(t, 'm.json', '{"a": 1}')), /text was expected/);
});

test('all that is wrong with a mapping is said at once', async (t) => {
  const path = await file(t, 'm.csv', 'from,to\n,b\nok,fine\nd,e\nd,f\n');
  await assert.rejects(readMapping(path), ({ message }: Error) => {
    assert.match(message, /2 problems/);
    assert.match(message, /m\.csv:2/);
    assert.match(message, /m\.csv:5: "d" is mapped twice, to "e" and to "f"/);
    return true;
  });
});
