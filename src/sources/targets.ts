/** Which texts mean which sink: a table of schemes. A new kind of place is a row more. */
import { resolve } from 'node:path';
import { LabelsmithError } from '../errors.ts';
import { objectSink } from './cloud/object-sink.ts';
import { addressIn, OBJECT_SCHEMES, openObjectStore } from './cloud/object-stores.ts';
import { sftpSink } from './cloud/sftp-sink.ts';
import { folderSink } from './folder-sink.ts';
import type { Sink } from './sink.ts';
import { pathOfFileUri } from './uri.ts';

interface TargetScheme {
  readonly name: string;
  /** How it is written, for messages and documents. */
  readonly written: string;
  open(spec: string, options: TargetOptions): Promise<Sink>;
}

export interface TargetOptions {
  /** Where a relative folder starts. */
  readonly cwd: string;
}

const TARGETS: readonly TargetScheme[] = [
  ...OBJECT_SCHEMES.map(({ name, written }) => ({
    name,
    written,
    async open(spec: string) {
      const address = addressIn(spec);
      if (address === undefined) throw new LabelsmithError('USAGE', `${spec} is no address such as ${written}`);
      return objectSink(await openObjectStore(address));
    },
  })),
  { name: 'sftp', written: 'sftp://USER@HOST/FOLDER', open: (spec) => sftpSink(spec) },
  {
    name: 'file',
    written: 'file:///FOLDER',
    open: (spec) => folderSink(pathOfFileUri(spec).toString()),
  },
];

/** `file:///FOLDER` is that folder, wherever a folder is taken; any other text stays as it is. */
export function withoutFileScheme(spec: string): string {
  return schemeOf(spec) === 'file' ? pathOfFileUri(spec).toString() : spec;
}

/** Whether it is an address of a target, and no path. */
export function isTargetAddress(spec: string): boolean {
  return schemeOf(spec) !== undefined;
}

function schemeOf(spec: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(spec)?.[1]?.toLowerCase();
}

/** Opens a target: an address by its scheme, anything else as a folder of this machine. */
export async function openSink(spec: string, options: TargetOptions): Promise<Sink> {
  const scheme = schemeOf(spec);
  if (scheme === undefined) return folderSink(resolve(options.cwd, spec));
  const target = TARGETS.find(({ name }) => name === scheme);
  if (target !== undefined) return target.open(spec, options);
  throw new LabelsmithError('UNSUPPORTED', `nothing is pushed to ${scheme}:// addresses`, {
    hint: `Targets are a folder, ${TARGETS.map(({ written }) => written).join(', ')}.`,
  });
}
