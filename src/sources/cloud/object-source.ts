/**
 * Object storage as a source: `s3://bucket/prefix`. Objects are listed page by page and read when they are wanted, through
 * the cache of the workspace, so that there is never a local copy of everything. Archives in object storage are named and
 * not opened.
 */
import { Readable } from 'node:stream';
import { LabelsmithError } from '../../errors.ts';
import { kindOfName } from '../names.ts';
import type { ListOptions, Source, SourceEntry, SourceItem } from '../source.ts';
import {
  isObjectPath,
  listPatiently,
  ObjectReader,
  objectCacheBeside,
  openBucket,
  patiently,
} from './object-reader.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';

/** Undefined for what is no address of object storage. Fails with `NOT_FOUND` where nothing is there. */
export async function objectSource(spec: string, archiveCache: string | undefined): Promise<Source | undefined> {
  if (!isObjectPath(spec.toLowerCase())) return undefined;
  const root = spec.replace(/\/+$/, '');
  const { store, key } = await openBucket(root.replace(/^[^:]+/, (scheme) => scheme.toLowerCase()));
  const reader = new ObjectReader(objectCacheBeside(archiveCache));
  const listed = key === '' ? undefined : await patiently(() => objectAt(store, key));
  if (listed === undefined) {
    const isThere = await patiently(() => hasAny(store.list('', below(key))));
    if (!isThere)
      throw new LabelsmithError('NOT_FOUND', `there is nothing at ${spec}`, { hint: 'Look at the prefix.' });
  }
  return {
    spec,
    root,
    async *list(options: ListOptions = {}): AsyncGenerator<SourceItem> {
      if (listed !== undefined) yield { kind: 'entry', entry: entryOf(store, reader, root, listed) };
      else
        for await (const object of listPatiently(store, below(key)))
          yield* itemOf(store, reader, root, object, options);
    },
  };
}

async function objectAt(store: ObjectStore, key: string): Promise<ListedObject | undefined> {
  const found = await store.head(key);
  return found && { ...found, modifiedAtMs: found.modifiedAtMs ?? 0 };
}

async function hasAny(objects: AsyncIterable<ListedObject>): Promise<boolean> {
  for await (const _ of objects) return true;
  return false;
}

function below(key: string): string {
  return key === '' ? '' : `${key}/`;
}

function* itemOf(
  store: ObjectStore,
  reader: ObjectReader,
  root: string,
  object: ListedObject,
  { onIgnored }: ListOptions,
): Generator<SourceItem> {
  const path = `${store.uri}/${object.key}`;
  const parts = object.key.split('/');
  if (parts.some((part) => kindOfName(part) === 'hidden')) return;
  const kind = kindOfName(parts.at(-1) ?? '');
  if (kind === 'archive') {
    const message = 'archives in object storage are not opened: copy it to a folder';
    yield { kind: 'problem', problem: { path, sourceRoot: root, reason: 'unsupported-archive', message } };
  } else if (kind === 'image') yield { kind: 'entry', entry: entryOf(store, reader, root, object) };
  else onIgnored?.(path);
}

function entryOf(store: ObjectStore, reader: ObjectReader, sourceRoot: string, object: ListedObject): SourceEntry {
  const { key, byteSize, modifiedAtMs, version } = object;
  const path = `${store.uri}/${key}`;
  async function* pieces() {
    yield* await store.get(key);
  }
  return {
    uri: path,
    path,
    pathBytes: null,
    sourceRoot,
    byteSize,
    modifiedAtMs,
    version,
    open: () => Readable.from(pieces(), { objectMode: false }),
    // What is listed anew may have been replaced, so the cache is not asked.
    read: (maxBytes) => reader.load(path, maxBytes),
  };
}
