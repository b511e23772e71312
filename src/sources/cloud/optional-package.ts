/** Packages that are wanted by few and not installed with this one: loaded when they are used, named when they are missing. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LabelsmithError, messageOf, systemCodeOf } from '../../errors.ts';

/**
 * @param load the import, written out where it is called, so that it is typed
 * @param purpose what it is needed for: `s3:// addresses`
 */
export async function optionalPackage<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    return (await besideTheUser<T>(name)) ?? Promise.reject(missing(name, purpose, error));
  }
}

/** A global installation of this package does not see what a project has installed, so the current folder is asked too. */
async function besideTheUser<T>(name: string): Promise<T | undefined> {
  try {
    const entry = createRequire(join(process.cwd(), 'package.json')).resolve(name);
    return await import(pathToFileURL(entry).href);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown, name: string): boolean {
  return systemCodeOf(error) === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes(`'${name}'`);
}

function missing(name: string, purpose: string, cause: unknown): LabelsmithError {
  return new LabelsmithError('UNSUPPORTED', `${purpose} need the package ${name}, which is not installed`, {
    hint: `Install it: npm install ${name} (npm install -g ${name} where labelsmith is installed globally).`,
    details: { package: name },
    cause,
  });
}
