/**
 * Models of the hub by name: a row of the catalogue, `hf:OWNER/REPO@REVISION`, or a folder with the same files. What is taken
 * in once is an imported model from then on, with everything pinned, and needs no hub to be found again.
 */

import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';
import { cacheDirectory, readJson } from '../../fetch/cache.ts';
import { isOn } from '../../fetch/hub.ts';
import { type Listing, listFolder, listHubRepository } from '../../fetch/hub-listing.ts';
import { parseReference } from '../../fetch/reference.ts';
import type { ModelEntry } from '../bundle.ts';
import { CATALOGUE } from '../catalogue.ts';
import type { PrepareOptions } from '../prepare.ts';
import { importedEntry, importedPath, keepImported, REPOSITORY_HINT } from '../registry.ts';
import { boundedEntry, type TakeInBounds } from './bounded-take-in.ts';
import { HUB_MODELS, type HubModel } from './catalogue.ts';
import { type Precision, precisionOf, preferredIn } from './graph-files.ts';

export interface ImportModelRequest extends TakeInBounds {
  /** What to call it (default: the repository's name, or the folder's). */
  readonly name?: string;
  /** SPDX identifier (default: as its model card states it, else `unknown`). */
  readonly licence?: string;
  /** Default: `preferred`, else `fp32`. */
  readonly precision?: Precision;
  /** Taken where every graph that is needed has it and `precision` is not given (default: none). */
  readonly preferred?: Precision;
  /** The licence, which forbids commercial use, was read and is kept to (default false). */
  readonly acceptLicence?: boolean;
  /** How long to wait for the hub's list of files, in ms (default: as long as for any file). */
  readonly reachMs?: number;
  /** Takes the place of an imported model of that name (default false: refused). */
  readonly replace?: boolean;
}

const REPOSITORY = /^hf:([\w.-]+)\/([\w.-]+)(?:@([^#@]+))?$/;

/** Whether a text names a repository of the hub, and no single file of it. */
function isRepository(text: string): boolean {
  return REPOSITORY.test(text);
}

/** Whether a text names a repository of the hub or a folder, and so no ONNX file. */
export async function isHubPlace(text: string): Promise<boolean> {
  return isRepository(text) || ((await stat(folderIn(text)).catch(() => undefined))?.isDirectory() ?? false);
}

/** @param text a path, or `file:` and a path */
function folderIn(text: string): string {
  const reference = text.startsWith('file:') ? parseReference(text) : undefined;
  return reference?.kind === 'file' ? reference.path : resolve(text);
}

/**
 * The name under which a model is found: as it is, but for models of the hub, which are taken in where they have not been.
 * Of several side by side (`a+b`) each.
 */
export async function takenIn(
  name: string,
  options: PrepareOptions,
  request: ImportModelRequest = {},
): Promise<string> {
  const ids: string[] = [];
  for (const part of name.split('+')) ids.push(await singleTakenIn(part, options, request));
  return ids.join('+');
}

async function singleTakenIn(name: string, options: PrepareOptions, request: ImportModelRequest): Promise<string> {
  const row = HUB_MODELS.find(({ id }) => id === name);
  if (!row && !isRepository(name)) return name;
  const id = row?.id ?? nameFrom(repositoryIn(name).repo);
  const there = await importedEntry(id, options.cacheDir ?? cacheDirectory());
  const { precision } = request;
  // The graph of images is the first file of what was taken in.
  const [graph] = there?.source.files ?? [];
  if (there && (precision === undefined || (graph && precision === precisionOf(graph.reference)))) return id;
  const replace = there !== undefined || request.replace;
  return (await takeIn(row ? `hf:${row.repository}` : name, options, { name: id, ...request, replace }, row)).id;
}

/** @param place `hf:OWNER/REPO@REVISION`, or a folder */
export async function takeIn(
  place: string,
  options: PrepareOptions,
  request: ImportModelRequest,
  row?: HubModel,
): Promise<ModelEntry> {
  const cacheDir = options.cacheDir ?? cacheDirectory();
  const offline = options.offline ?? isOn(process.env.LABELSMITH_OFFLINE);
  const timeoutMs = request.reachMs ?? options.timeoutMs;
  const listing = isRepository(place)
    ? await listHubRepository(repositoryIn(place), { ...options, offline, timeoutMs })
    : await listFolder(folderIn(place));
  const id = request.name ?? nameFrom(isRepository(place) ? repositoryIn(place).repo : basename(folderIn(place)));
  await refuseTaken(id, cacheDir, request.replace ?? false);
  const licence = spdxOf(request.licence ?? row?.licence ?? listing.licence);
  requireLicence(row?.id, { licence, name: id, listing }, request);
  options.onNotice?.(
    `${id} (${listing.name}) is under ${licence === 'unknown' ? 'a licence that nobody stated' : licence}`,
  );
  const { description, stated } = row ?? {};
  const precision = request.precision ?? preferredIn(listing, request.preferred);
  if (precision !== undefined && precision !== request.precision) {
    options.onNotice?.(
      `${id}: weights in ${precision}, which such devices are made for (--precision fp32 takes others)`,
    );
  }
  const details = {
    ...options,
    cacheDir,
    modelName: id,
    id,
    licence,
    ...(description ? { description } : {}),
    ...(stated ? { stated } : {}),
    ...(precision ? { precision } : {}),
  };
  const entry = await boundedEntry(listing, details, request);
  await keepImported(entry, cacheDir);
  return entry;
}

function repositoryIn(text: string): { readonly owner: string; readonly repo: string; readonly revision: string } {
  const [, owner, repo, revision = 'main'] = REPOSITORY.exec(text) ?? [];
  if (owner !== undefined && repo !== undefined) return { owner, repo, revision };
  throw new LabelsmithError('USAGE', `"${text}" names no repository of the hub`, {
    hint: REPOSITORY_HINT,
  });
}

function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/-onnx$/, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

async function refuseTaken(id: string, cacheDir: string, replace: boolean): Promise<void> {
  if (CATALOGUE.some((entry) => entry.id === id)) {
    throw new LabelsmithError('REFUSED', `${id} is a model of the catalogue`, {
      hint: 'Give another name with --name.',
    });
  }
  if (!replace && (await readJson(importedPath(cacheDir, id)))) {
    throw new LabelsmithError('REFUSED', `another model was imported as ${id}`, {
      hint: 'Give another name with --name, or --replace it.',
    });
  }
}

/** As the hub writes licences, and as SPDX does. */
const SPDX: Readonly<Record<string, string>> = {
  'apache-2.0': 'Apache-2.0',
  mit: 'MIT',
  'bsd-3-clause': 'BSD-3-Clause',
  'cc-by-4.0': 'CC-BY-4.0',
  'cc-by-nc-4.0': 'CC-BY-NC-4.0',
  'cc-by-nc-sa-4.0': 'CC-BY-NC-SA-4.0',
};

function spdxOf(licence: string | null | undefined): string {
  if (!licence || licence === 'other') return 'unknown';
  return SPDX[licence.toLowerCase()] ?? licence;
}

/** Whether a licence's name says that it is for no commerce. */
export function forbidsCommerce(licence: string): boolean {
  return /(^|[^a-z])nc([^a-z]|$)|non-?commercial|research-only|amlr|apple-amlr/i.test(licence);
}

/** @param row the short name of a model of the catalogue */
function requireLicence(
  row: string | undefined,
  { licence, name, listing }: { readonly licence: string; readonly name: string; readonly listing: Listing },
  { acceptLicence = false }: ImportModelRequest,
): void {
  if (acceptLicence || !forbidsCommerce(licence)) return;
  const command = row === undefined ? `import ${listing.commit === null ? '' : 'hf:'}${listing.name}` : `pull ${row}`;
  throw new LabelsmithError('REFUSED', `${name} (${listing.name}) is under ${licence}, which forbids commercial use`, {
    hint: `Read it. If you keep to it: labelsmith models ${command} --accept-licence.`,
  });
}
