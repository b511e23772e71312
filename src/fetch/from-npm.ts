/** Takes files out of a package's tarball, downloaded once for all of them. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { LabelsmithError } from '../errors.ts';
import {
  admit,
  type CachedFile,
  explain,
  type FetchOptions,
  lookUp,
  partialPath,
  type SourceFile,
  underLock,
} from './cached-files.ts';
import { downloadOrExplain, exists } from './from-url.ts';
import { findTarball, loadNpmSettings, matchesIntegrity, takeFromTarball } from './npm-registry.ts';
import { parseReference, type Reference } from './reference.ts';

/** @param needed what is asked for besides `first`: what of it lies in the same tarball is taken too */
export async function fetchFromNpm(
  reference: Reference & { kind: 'npm' },
  needed: readonly SourceFile[],
  first: SourceFile,
  options: FetchOptions,
): Promise<CachedFile[]> {
  const wanted = sameTarball(reference, [first, ...needed, ...(options.alsoTake ?? [])]);
  const specifier = `${reference.packageName}@${reference.version}`;
  const partial = partialPath(`npm:${specifier}`, options);
  return underLock(partial, options, async () => {
    const cached: CachedFile[] = [];
    const missing: SourceFile[] = [];
    for (const file of wanted) {
      const found = await lookUp(file, parseReference(file.reference), options);
      if (found) cached.push(found);
      else missing.push(file);
    }
    if (!missing.some((file) => file.reference === first.reference)) return cached;
    await downloadTarball(specifier, first, partial, options);
    const inPackage = new Map(missing.map((file) => [(parseReference(file.reference) as typeof reference).file, file]));
    const placeOf = (path: string) => `${partial}.${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
    try {
      const taken = await takeFromTarball(partial, { files: new Set(inPackage.keys()), placeOf, specifier });
      for (const [path, file] of inPackage) {
        if (taken.has(path)) cached.push(await admit(file, placeOf(path), options));
        else if (file === first || needed.some((one) => one.reference === file.reference)) {
          throw new LabelsmithError('NOT_FOUND', `package ${specifier} has no file ${path}`, {
            hint: 'The registry serves another package under this name. Use the public one, or ask who runs this one.',
          });
        }
      }
    } catch (error) {
      // A bad tarball is asked for anew by the next attempt; a good one that found a full disk is kept.
      if (!(error instanceof LabelsmithError) || error.code !== 'DISK_FULL') await rm(partial, { force: true });
      throw error;
    }
    await rm(partial, { force: true });
    return cached;
  });
}

/** Far more than any package that holds models. */
const MAX_TARBALL_BYTES = 2 ** 30;

/** Downloads a package's tarball and checks it against what the registry says of it. */
async function downloadTarball(
  specifier: string,
  file: SourceFile,
  partial: string,
  options: FetchOptions,
): Promise<void> {
  let tarball: Awaited<ReturnType<typeof findTarball>>;
  try {
    tarball = await findTarball(specifier, options.npmSettings ?? (await loadNpmSettings()));
  } catch (error) {
    throw explain(error, file, options);
  }
  for (let fresh = !(await exists(partial)); ; fresh = true) {
    await downloadOrExplain(file, tarball, partial, {
      ...options,
      hashKnown: tarball.integrity !== null,
      what: specifier,
      maxBytes: MAX_TARBALL_BYTES,
    });
    if (await matchesIntegrity(partial, tarball.integrity)) return;
    await rm(partial, { force: true });
    if (fresh) {
      throw new LabelsmithError('BAD_FILE', `the tarball of ${specifier} is not what its registry says it is`, {
        hint: 'A proxy or mirror may have changed it. Try again, or use another registry.',
        details: { integrity: tarball.integrity },
      });
    }
  }
}

function sameTarball(wanted: Reference & { kind: 'npm' }, files: readonly SourceFile[]): SourceFile[] {
  const same = files.filter(({ reference }) => {
    const other = parseReference(reference);
    return other.kind === 'npm' && other.packageName === wanted.packageName && other.version === wanted.version;
  });
  return [...new Map(same.map((file) => [file.reference, file])).values()];
}
