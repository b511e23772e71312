/** The version of this package, as its manifest states it. */
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

export const LABELSMITH_VERSION = manifest.version;
