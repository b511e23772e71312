/**
 * SKOS concepts in JSON-LD 1.1: `prefLabel` is the class's name, `altLabel` its synonyms, `broader` its parent,
 * `definition` its description, `notation` its WordNet synset.
 *
 * Reading takes the forms in which taxonomies come: a `@graph`, a list or one concept; terms bare, with the prefix
 * `skos:`, or as full addresses; texts plain, as `{"@value"}` or by language. It is no JSON-LD processor: a context that
 * gives SKOS other names is refused.
 */

import { badFile, classNameAt, type JsonObject, objectAt, shown } from '../formats/check.ts';
import type { TaxonomyEntry } from './operations.ts';

const SKOS = 'http://www.w3.org/2004/02/skos/core#';
const PREFIXES = ['', 'skos:', SKOS];

type Described = Omit<TaxonomyEntry, 'where'>;

/** @param idOf what names a concept within the file */
export function skosText(classes: readonly Described[], idOf: (name: string) => string): string {
  const iri = (name: string) => `urn:labelsmith:class:${idOf(name)}`;
  const scheme = 'urn:labelsmith:corpus';
  const present = <T>(key: string, value: T | null) => (value === null ? {} : { [key]: value });
  const graph = classes.map(({ name, synonyms, parent, synset, description }) => ({
    '@id': iri(name),
    '@type': 'Concept',
    prefLabel: name,
    ...present('altLabel', synonyms.length > 0 ? synonyms : null),
    ...present('broader', parent === null ? null : iri(parent)),
    ...present('notation', synset),
    ...present('definition', description),
    inScheme: scheme,
    ...present('topConceptOf', parent === null ? scheme : null),
  }));
  const link = (term: string) => ({ '@id': `${SKOS}${term}`, '@type': '@id' });
  const context = {
    '@vocab': SKOS,
    broader: link('broader'),
    inScheme: link('inScheme'),
    topConceptOf: link('topConceptOf'),
  };
  const document = { '@context': context, '@graph': [{ '@id': scheme, '@type': 'ConceptScheme' }, ...graph] };
  return `${JSON.stringify(document, null, 2)}\n`;
}

export function readSkos(document: unknown, name: string): TaxonomyEntry[] {
  const nodes = nodesOf(document);
  const concepts = nodes
    .map((node, i) => ({ node: objectAt(node, `${name} @graph[${i}]`), where: `${name} @graph[${i}]` }))
    .filter(({ node }) =>
      typesOf(node).some((type) => PREFIXES.includes(type.replace(/Concept$/, '')) && /Concept$/.test(type)),
    );
  if (concepts.length === 0) {
    throw badFile(name, 'there is no skos:Concept in it', `Concepts have "@type": "skos:Concept" or "${SKOS}Concept".`);
  }
  const nameById = new Map<string, string>();
  for (const { node, where } of concepts) {
    const id = idOf(node);
    const label = textsOf(node, 'prefLabel', where)[0];
    if (label === undefined) throw badFile(where, 'the concept has no skos:prefLabel');
    if (id !== null) nameById.set(id, classNameAt(label, `${where}.prefLabel`));
  }
  const parents = new Map<string, string>();
  for (const { node, where } of concepts) {
    // The tree may be told from above as well.
    for (const below of linksOf(node, 'narrower', where)) parents.set(below, idOf(node) ?? '');
  }
  return concepts.map(({ node, where }) => {
    const [label, ...otherLanguages] = textsOf(node, 'prefLabel', where) as [string];
    const broader = linksOf(node, 'broader', where);
    if (broader.length > 1) {
      throw badFile(
        where,
        `"${label}" has ${broader.length} broader concepts`,
        'A class of the corpus has one parent; leave one.',
      );
    }
    const above = broader[0] ?? parents.get(idOf(node) ?? '');
    const parent = above === undefined ? null : nameById.get(above);
    if (parent === undefined)
      throw badFile(where, `the broader concept ${shown(above)} of "${label}" is not in the file`);
    const synonyms = new Set([...otherLanguages, ...textsOf(node, 'altLabel', where)]);
    synonyms.delete(label);
    return {
      name: label,
      synonyms: [...synonyms],
      parent,
      synset: textsOf(node, 'notation', where).find((text) => /\.n\.\d{2,}$/.test(text)) ?? null,
      description: textsOf(node, 'definition', where)[0] ?? null,
      where,
    };
  });
}

function nodesOf(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document.flatMap(nodesOf);
  if (typeof document === 'object' && document !== null && '@graph' in document) return nodesOf(document['@graph']);
  return [document];
}

function valuesOf(node: JsonObject, term: string): readonly unknown[] {
  return PREFIXES.flatMap((prefix) => {
    const value = node[`${prefix}${term}`];
    return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
  });
}

function typesOf(node: JsonObject): string[] {
  const value = node['@type'] ?? node.type;
  return (Array.isArray(value) ? value : [value]).filter((type) => typeof type === 'string');
}

function idOf(node: JsonObject): string | null {
  const id = node['@id'] ?? node.id;
  return typeof id === 'string' ? id : null;
}

/** English and texts of no language first, so that they name the class. */
function textsOf(node: JsonObject, term: string, where: string): string[] {
  const texts = valuesOf(node, term).flatMap((value): { text: string; rank: number }[] => {
    if (typeof value === 'string') return [{ text: value, rank: 0 }];
    const object = objectAt(value, `${where}.${term}`);
    const text = object['@value'];
    const language = object['@language'];
    if (typeof text === 'string')
      return [{ text, rank: language === undefined || /^en/i.test(String(language)) ? 0 : 1 }];
    // A language map: {"en": "dog", "de": ["Hund"]}.
    return Object.entries(object).flatMap(([key, own]) =>
      (Array.isArray(own) ? own : [own]).map((one) => {
        if (typeof one !== 'string' || key.startsWith('@'))
          throw badFile(`${where}.${term}`, `text was expected, not ${shown(value)}`);
        return { text: one, rank: /^en/i.test(key) ? 0 : 1 };
      }),
    );
  });
  return texts.sort((a, b) => a.rank - b.rank).map(({ text }) => text);
}

function linksOf(node: JsonObject, term: string, where: string): string[] {
  return valuesOf(node, term).map((value) => {
    const id = typeof value === 'string' ? value : idOf(objectAt(value, `${where}.${term}`));
    if (id === null) throw badFile(`${where}.${term}`, `the address of a concept was expected, not ${shown(value)}`);
    return id;
  });
}
