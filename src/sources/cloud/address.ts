/**
 * Addresses of object storage: `s3://bucket/prefix`, `gs://…`, `az://…`. Who may read or write is found by each cloud's own
 * tools (environment, profiles, the machine's role), so an address that holds a credential is refused, and never repeated.
 */
import { LabelsmithError } from '../../errors.ts';

export interface ObjectAddress {
  readonly scheme: string;
  readonly bucket: string;
  /** Without slashes at its ends; empty for the bucket as a whole. */
  readonly prefix: string;
}

/** Undefined for what is no address of this scheme. */
export function objectAddress(text: string, scheme: string): ObjectAddress | undefined {
  const head = `${scheme}://`;
  if (!text.toLowerCase().startsWith(head)) return undefined;
  const [bucket = '', ...rest] = text.slice(head.length).split('/');
  if (bucket.includes('@')) {
    throw new LabelsmithError('USAGE', `an address of ${scheme}:// holds no user and no password`, {
      hint: `Write ${head}BUCKET/PREFIX and leave the credentials where the cloud's own tools look for them.`,
    });
  }
  if (!/^[\w.-]+$/.test(bucket)) {
    throw new LabelsmithError('USAGE', `${text} names no bucket`, { hint: `Write ${head}BUCKET/PREFIX.` });
  }
  return { scheme, bucket, prefix: rest.join('/').replace(/^\/+|\/+$/g, '') };
}

export function uriOf({ scheme, bucket, prefix }: ObjectAddress): string {
  return prefix === '' ? `${scheme}://${bucket}` : `${scheme}://${bucket}/${prefix}`;
}
