/**
 * What a camera is, from what the user wrote: a table of kinds. An address may hold a user and a password, since that is
 * how cameras are named; everything that is shown, written or recorded has neither.
 */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LabelsmithError } from '../../errors.ts';

export interface CameraSpec {
  /** Of files, and in EXIF: letters, digits, `-` and `_`. */
  readonly name: string;
  readonly kind: 'rtsp' | 'http' | 'device' | 'pattern' | 'file' | 'folder';
  /** What ffmpeg or the network is asked for, with its credentials: never shown. */
  readonly address: string;
  /** The address without credentials. */
  readonly shown: string;
  /** It goes on, whether anybody looks or not: frames that come too fast are dropped, and its end is a failure. */
  readonly isLive: boolean;
}

const SOURCES_HINT =
  'Write rtsp://…, http://… (a stream of JPEGs or one picture), usb:0, /dev/video0, a video file or a folder.';

/** `NAME=SOURCE`. */
const NAMED = /^([\w-]{1,40})=(.+)$/s;

/** @param specs as written; names that are equal are told apart by a number */
export async function cameraSpecs(specs: readonly string[], cwd: string): Promise<CameraSpec[]> {
  const cameras = await Promise.all(specs.map((spec) => cameraSpec(spec, cwd)));
  const taken = new Set<string>();
  return cameras.map((camera) => {
    let name = camera.name;
    for (let i = 2; taken.has(name); i++) name = `${camera.name}-${i}`;
    taken.add(name);
    return { ...camera, name };
  });
}

async function cameraSpec(spec: string, cwd: string): Promise<CameraSpec> {
  const [, name, named] = NAMED.exec(spec) ?? [];
  const source = named ?? spec;
  const camera = await cameraOf(source, cwd);
  return name === undefined ? camera : { ...camera, name };
}

async function cameraOf(source: string, cwd: string): Promise<CameraSpec> {
  if (source.trim() === '') throw new LabelsmithError('USAGE', 'a camera has an empty address', { hint: SOURCES_HINT });
  const scheme = /^([a-z0-9]+):/i.exec(source)?.[1]?.toLowerCase();
  if (scheme === 'rtsp' || scheme === 'rtsps' || scheme === 'http' || scheme === 'https') {
    if (!URL.canParse(source)) throw new LabelsmithError('USAGE', 'the address of a camera cannot be read');
    const kind = scheme.startsWith('rtsp') ? 'rtsp' : 'http';
    return {
      name: plainName(new URL(source).hostname),
      kind,
      address: source,
      shown: withoutCredentials(source),
      isLive: true,
    };
  }
  if (scheme === 'usb' || source.startsWith('/dev/video')) {
    const device = source.replace(/^usb:/i, '');
    const name = plainName(`usb-${basename(device.split('?')[0] ?? '').replace(/^video/, '')}`);
    return { name, kind: 'device', address: device, shown: source, isLive: true };
  }
  if (scheme === 'lavfi') {
    return { name: 'pattern', kind: 'pattern', address: source.slice('lavfi:'.length), shown: source, isLive: true };
  }
  const path = resolve(cwd, source);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new LabelsmithError('NOT_FOUND', `${path} is not there, and is no address of a camera`, {
      hint: SOURCES_HINT,
    });
  }
  const name = plainName(basename(path).replace(/\.[^.]*$/, ''));
  return {
    name,
    kind: found.isDirectory() ? 'folder' : 'file',
    address: path,
    shown: path,
    isLive: false,
  };
}

function plainName(text: string): string {
  return (
    text
      .replace(/[^\w-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'camera'
  );
}

/** The address with neither user nor password, and without the values of its query, where cameras take passwords too. */
export function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, '…');
  return decodeURI(url.href);
}

/** A text of another program's with no credential of this camera in it. */
export function withoutSecrets(text: string, { address, shown }: CameraSpec): string {
  // Devices and files have none, and a name such as `0` may be part of any word.
  if (!URL.canParse(address)) return text;
  const { username, password, search } = new URL(address);
  const secrets = [search, password, decodeURIComponent(password), username, decodeURIComponent(username)];
  let clean = text.replaceAll(address, shown);
  for (const secret of secrets) if (secret.length > 1) clean = clean.replaceAll(secret, '…');
  return clean.replace(/([a-z]+:\/\/)[^/@\s]+@/gi, '$1');
}
