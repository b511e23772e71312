/**
 * Where and as whom `sftp://` connects, as ssh itself would: what `ssh -G` makes of the user's configuration (the defaults
 * where there is no ssh), the agent, the keys, and the hosts that the user knows. A host that is not known is refused.
 */
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LabelsmithError } from '../../errors.ts';

const run = promisify(execFile);

export interface SftpAddress {
  /** As written: a name of the user's configuration, or of the network. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** Absolute, or below the home folder where it begins with `~/`. */
  readonly path: string;
}

export interface SshAccount {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly agent: string | undefined;
  /** Contents of the private keys that are there and have no passphrase, or of all where it cannot be told. */
  readonly keys: readonly Buffer[];
  readonly knownKeys: readonly KnownKey[];
}

export interface KnownKey {
  readonly type: string;
  readonly key: Buffer;
}

/** `sftp://user@host:22/folder`. */
export function sftpAddress(text: string): SftpAddress {
  if (!URL.canParse(text)) throw new LabelsmithError('USAGE', 'this is no address of sftp', { hint: WRITTEN });
  const { hostname, port, username, password, pathname } = new URL(text);
  if (password !== '') {
    throw new LabelsmithError('USAGE', 'an address of sftp:// holds no password', {
      hint: `${WRITTEN} Keys are found where ssh finds them.`,
    });
  }
  if (hostname === '') throw new LabelsmithError('USAGE', `${text} names no machine`, { hint: WRITTEN });
  const path = decodeURIComponent(pathname)
    .replace(/\/+$/, '')
    .replace(/^\/~(?=\/|$)/, '~');
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    user: username === '' ? undefined : decodeURIComponent(username),
    path: path === '' ? '/' : path,
  };
}

const WRITTEN = 'Write sftp://USER@HOST/FOLDER, or sftp://USER@HOST/~/FOLDER below the home folder.';

export async function sshAccount(address: SftpAddress): Promise<SshAccount> {
  const settings = await sshSettings(address);
  const first = (name: string) => settings.get(name)?.[0];
  const host = first('hostname') ?? address.host;
  const port = Number(first('port') ?? address.port ?? 22);
  const named = port === 22 ? [host, address.host] : [`[${host}]:${port}`, `[${address.host}]:${port}`];
  const keyFiles = settings.get('identityfile') ?? ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `~/.ssh/${name}`);
  const hostFiles = (first('userknownhostsfile') ?? '~/.ssh/known_hosts').split(' ');
  const agent = first('identityagent') ?? 'SSH_AUTH_SOCK';
  return {
    host,
    port,
    user: first('user') ?? address.user ?? userInfo().username,
    agent: agent === 'none' ? undefined : agent === 'SSH_AUTH_SOCK' ? process.env.SSH_AUTH_SOCK : expanded(agent),
    keys: (await Promise.all(keyFiles.map(readIfThere))).filter((key) => key !== undefined),
    knownKeys: (await Promise.all([...hostFiles, '/etc/ssh/ssh_known_hosts'].map(readIfThere))).flatMap((file) =>
      file === undefined ? [] : knownKeysIn(file.toString(), named),
    ),
  };
}

/** What ssh would do, by the lower-case names of its options; empty where there is no ssh. */
async function sshSettings({ host, port, user }: SftpAddress): Promise<ReadonlyMap<string, readonly string[]>> {
  const config = process.env.LABELSMITH_SSH_CONFIG;
  const args = [
    '-G',
    ...(config === undefined ? [] : ['-F', config]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    ...['--', host],
  ];
  const settings = new Map<string, string[]>();
  try {
    const { stdout } = await run('ssh', args);
    for (const line of stdout.split('\n')) {
      const [, name, value] = /^(\S+) (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) settings.set(name, [...(settings.get(name) ?? []), value]);
    }
  } catch {
    // No ssh here, or one that is too old: the address and the usual places are all there is.
  }
  return settings;
}

function expanded(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(expanded(path)).catch(() => undefined);
}

/** The keys that a file of known hosts has for any of these names (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export function knownKeysIn(text: string, names: readonly string[]): KnownKey[] {
  return text.split('\n').flatMap((line) => {
    const [patterns, type, key] = line.trim().split(/\s+/);
    if (patterns === undefined || type === undefined || key === undefined || /^[#@]/.test(patterns)) return [];
    const isMeant = patterns.split(',').some((pattern) => names.some((name) => matches(pattern, name)));
    return isMeant ? [{ type, key: Buffer.from(key, 'base64') }] : [];
  });
}

function matches(pattern: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|(.+)$/.exec(pattern) ?? [];
  if (salt === undefined || hash === undefined) return pattern === name;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}
