/** Which addresses mean which object storage: a table of schemes. Each store's SDK is loaded when it is opened. */
import { LabelsmithError } from '../../errors.ts';
import { type ObjectAddress, objectAddress } from './address.ts';
import type { ObjectStore } from './object-store.ts';

interface ObjectScheme {
  readonly name: string;
  /** How it is written, for messages and documents. */
  readonly written: string;
  /** Environment variables that say where the store is: with others it is another store. */
  readonly places: readonly string[];
  open(address: ObjectAddress): Promise<ObjectStore>;
}

export const OBJECT_SCHEMES: readonly ObjectScheme[] = [
  {
    name: 's3',
    written: 's3://BUCKET/PREFIX',
    places: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    open: async (address) => (await import('./s3-store.ts')).s3Store(address),
  },
  {
    name: 'gs',
    written: 'gs://BUCKET/PREFIX',
    places: ['STORAGE_EMULATOR_HOST'],
    open: async (address) => (await import('./google-store.ts')).googleStore(address),
  },
  {
    name: 'az',
    written: 'az://CONTAINER/PREFIX',
    places: ['AZURE_STORAGE_CONNECTION_STRING', 'AZURE_STORAGE_ACCOUNT', 'AZURE_STORAGE_SERVICE_ENDPOINT'],
    open: async (address) => (await import('./azure-store.ts')).azureStore(address),
  },
];

/** Undefined for what is no address of object storage. */
export function addressIn(text: string): ObjectAddress | undefined {
  for (const { name } of OBJECT_SCHEMES) {
    const address = objectAddress(text, name);
    if (address !== undefined) return address;
  }
  return undefined;
}

export function openObjectStore(address: ObjectAddress): Promise<ObjectStore> {
  return schemeOf(address).open(address);
}

/** The same text for the same store, in this process. It may hold a credential. */
export function placeOf(address: ObjectAddress): string {
  const places = schemeOf(address).places.map((name) => process.env[name] ?? '');
  return JSON.stringify([address.scheme, address.bucket, ...places]);
}

function schemeOf({ scheme }: ObjectAddress): ObjectScheme {
  const found = OBJECT_SCHEMES.find(({ name }) => name === scheme);
  if (found === undefined) throw new LabelsmithError('UNSUPPORTED', `${scheme}:// is no object storage`);
  return found;
}
