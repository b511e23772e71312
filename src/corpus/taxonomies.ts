/**
 * Taxonomies as files: JSON and CSV with a class an entry or a row, and SKOS (W3C Recommendation, 18 August 2009) as
 * JSON-LD. All three keep names, synonyms, parents, WordNet synsets and descriptions; what one wrote any of them reads.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { LabelsmithError, messageOf } from '../errors.ts';
import { writeOutput } from '../files/output.ts';
import type { Signature } from '../files/own.ts';
import { readWholeFile } from '../files/whole-file.ts';
import { arrayAt, badFile, classNameAt, objectAt, shown, stringAt } from '../formats/check.ts';
import { csvRecords, csvRow, textCell, textOfCell } from '../formats/csv-table.ts';
import type { TaxonomyEntry } from './operations.ts';
import { readSkos, skosText } from './skos.ts';

export const TAXONOMY_FORMATS = ['json', 'csv', 'skos'] as const;
export type TaxonomyFormat = (typeof TAXONOMY_FORMATS)[number];

export type TaxonomyClass = Omit<TaxonomyEntry, 'where'>;

/** By the end of the file's name; `.jsonld` is SKOS. */
export function taxonomyFormatOf(path: string): TaxonomyFormat {
  const extension = extname(path).toLowerCase();
  if (extension === '.json' || extension === '.csv') return extension.slice(1) as TaxonomyFormat;
  if (extension === '.jsonld') return 'skos';
  throw new LabelsmithError('USAGE', `The name ${basename(path)} does not tell the format of a taxonomy.`, {
    hint: 'Use a name that ends in .json, .csv or .jsonld, or say --format json, csv or skos.',
  });
}

const COLUMNS = ['class', 'parent', 'synonyms', 'synset', 'description'];

/** How a taxonomy that we wrote is known from other files. */
const SIGNATURES: Readonly<Record<TaxonomyFormat, Signature>> = {
  json: { begins: '{\n  "classes": [' },
  csv: { begins: csvRow(COLUMNS).trimEnd() },
  skos: { holds: 'urn:labelsmith:corpus' },
};

/** Gives the absolute path of what it wrote. */
export function writeTaxonomy(
  path: string,
  format: TaxonomyFormat,
  classes: readonly TaxonomyClass[],
  options: { readonly replace: boolean; readonly workspaceDir: string },
): Promise<string> {
  const { replace, workspaceDir } = options;
  const protectedPaths = [{ path: workspaceDir, what: 'the workspace' }];
  const signature = SIGNATURES[format];
  return writeOutput(path, { kind: 'file', what: 'taxonomy', signature, replace, protectedPaths }, async (target) => {
    await writeFile(target, taxonomyText(format, classes));
  });
}

export function taxonomyText(format: TaxonomyFormat, classes: readonly TaxonomyClass[]): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ classes: classes.map(plainEntry) }, null, 2)}\n`;
    case 'csv':
      return [COLUMNS, ...classes.map(cells)].map(csvRow).join('');
    case 'skos':
      return skosText(classes, (name) => createHash('sha256').update(name).digest('hex').slice(0, 16));
    default:
      throw new Error(`Unknown format ${format satisfies never}`);
  }
}

export async function readTaxonomy(path: string, format: TaxonomyFormat): Promise<TaxonomyEntry[]> {
  const name = basename(path);
  if (format === 'csv') return readCsv(path, name);
  const document = await readJson(path, name);
  const entries = format === 'skos' ? readSkos(document, name) : readPlain(document, name);
  if (entries.length === 0) throw badFile(name, 'there is no class in it');
  return entries;
}

function plainEntry({ name, synonyms, parent, synset, description }: TaxonomyClass) {
  return { name, synonyms, parent, synset, description };
}

function readPlain(document: unknown, name: string): TaxonomyEntry[] {
  const list = Array.isArray(document) ? document : arrayAt(objectAt(document, name).classes, `${name} classes`);
  return list.map((value, i) => {
    const where = `${name} classes[${i}]`;
    const entry = typeof value === 'string' ? { name: value } : objectAt(value, where);
    const optional = (key: string) =>
      entry[key] === undefined || entry[key] === null ? null : stringAt(entry[key], `${where}.${key}`);
    const synonyms = 'synonyms' in entry && entry.synonyms !== null ? arrayAt(entry.synonyms, `${where}.synonyms`) : [];
    return {
      name: classNameAt(entry.name, `${where}.name`),
      synonyms: synonyms.map((synonym, k) => classNameAt(synonym, `${where}.synonyms[${k}]`)),
      parent: optional('parent'),
      synset: optional('synset'),
      description: optional('description'),
      where,
    };
  });
}

/** Synonyms stand in one cell with `|` between them; a `|` or `\` of their own has a `\` before it. */
function cells({ name, parent, synonyms, synset, description }: TaxonomyClass): string[] {
  const joined = synonyms.map((synonym) => synonym.replaceAll(/[\\|]/g, '\\$&')).join('|');
  return [name, parent ?? '', joined, synset ?? '', description ?? ''].map(textCell);
}

async function readCsv(path: string, name: string): Promise<TaxonomyEntry[]> {
  const entries: TaxonomyEntry[] = [];
  for await (const { where, cell } of csvRecords(path, name, ['class'])) {
    const text = (column: string) => textOfCell(cell(column));
    entries.push({
      name: classNameAt(text('class'), where),
      parent: text('parent') || null,
      synonyms: [...text('synonyms').matchAll(/(?:[^\\|]|\\.)+/gs)].map(([synonym]) =>
        synonym.replaceAll(/\\(.)/gs, '$1'),
      ),
      synset: text('synset') || null,
      description: text('description') || null,
      where,
    });
  }
  if (entries.length === 0) throw badFile(name, 'there is no class in it');
  return entries;
}

/**
 * A mapping from a model's classes to the corpus's: a JSON object, or CSV with the columns `from` and `to`.
 *
 * @param clusterOf is given what a column `cluster` has, by the name in `from`
 */
export async function readMapping(path: string, clusterOf = new Map<string, string>()): Promise<Map<string, string>> {
  const name = basename(path);
  const mapping = new Map<string, string>();
  let unnamed = 0;
  const problems: { readonly where: string; readonly what: string; readonly error: LabelsmithError }[] = [];
  const put = (where: string, pair: () => readonly [string, string]) => {
    try {
      const [from, to] = pair();
      const before = mapping.get(from);
      if (before === undefined) mapping.set(from, to);
      else if (before !== to)
        throw badFile(where, `${shown(from)} is mapped twice, to ${shown(before)} and to ${shown(to)}`);
    } catch (error) {
      if (!(error instanceof LabelsmithError)) throw error;
      problems.push({ where, what: error.message, error });
    }
  };
  if (extname(path).toLowerCase() === '.csv') {
    for await (const { where, cell } of csvRecords(path, name, ['from', 'to'])) {
      const to = textOfCell(cell('to'));
      if (to.trim() === '') unnamed++;
      else {
        put(where, () => {
          const from = classNameAt(textOfCell(cell('from')), where);
          if (cell('cluster').trim() !== '') clusterOf.set(from, cell('cluster').trim());
          return [from, classNameAt(to, where)];
        });
      }
    }
  } else {
    for (const [from, to] of Object.entries(objectAt(await readJson(path, name), name))) {
      const where = `${name} ${shown(from)}`;
      put(where, () => [classNameAt(from, where), classNameAt(to, where)]);
    }
  }
  const [first] = problems;
  if (problems.length === 1) throw first.error;
  if (first !== undefined) throw badFile(name, problemList(problems.map(({ what }) => what)), 'Nothing was applied.');
  if (mapping.size === 0) {
    throw badFile(name, unnamed > 0 ? 'no row has a new name in the column to' : 'there is no class in it');
  }
  return mapping;
}

/** Problems named in one message. */
const MAX_PROBLEMS_SHOWN = 50;

/** `3 problems:` and a line each. */
export function problemList(problems: readonly string[]): string {
  const lines = problems.slice(0, MAX_PROBLEMS_SHOWN).map((what) => `\n  ${what}`);
  const more = problems.length - MAX_PROBLEMS_SHOWN;
  return `${problems.length} problems:${lines.join('')}${more > 0 ? `\n  … and ${more} more` : ''}`;
}

async function readJson(path: string, name: string): Promise<unknown> {
  const bytes = await readWholeFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof LabelsmithError) throw cause;
    throw new LabelsmithError('NOT_FOUND', `${path} cannot be read (${cause.code}).`, { cause });
  });
  try {
    return JSON.parse(bytes.toString().replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw badFile(name, `it is not JSON: ${messageOf(cause)}`, undefined, cause);
  }
}
