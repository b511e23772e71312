/**
 * `edge push`: a pack to a device over ssh, unpacked beside the one before, checked there by its golden outputs, and only
 * then put in its place; started as a unit of the user's systemd where a source is named. What fails leaves the device as it
 * was.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { shellWord } from '../../core/shell-word.ts';
import { LabelsmithError } from '../../errors.ts';
import { type RemoteRun, SftpConnection } from '../../sources/cloud/sftp-connection.ts';
import { sftpSink } from '../../sources/cloud/sftp-sink.ts';
import { sftpAddress } from '../../sources/cloud/ssh-account.ts';
import { readArchive } from './pack-archive.ts';

export interface EdgePushRequest {
  readonly pack: string;
  /** `sftp://user@host/folder`, which has to be there. */
  readonly target: string;
  /** A folder of the device or a camera: what it labels from now on. Undefined: it is put there and not started. */
  readonly source?: string;
}

export interface EdgePushResult {
  readonly target: string;
  /** Of the pack there. */
  readonly folder: string;
  /** What the program said of its models there: provider, size, speed. */
  readonly check: readonly string[];
  /** The unit that runs; null where none was asked for. */
  readonly unit: string | null;
}

export async function pushEdge({ pack, target, source }: EdgePushRequest): Promise<EdgePushResult> {
  const name = basename(pack).replace(/\.(?:tar\.gz|tgz)$/, '');
  if (!/^[\w.-]{1,60}$/.test(name)) {
    throw new LabelsmithError('USAGE', `${basename(pack)} is no name for a unit`, {
      hint: 'Letters, digits, ., - and _.',
    });
  }
  if (source !== undefined) refuseSecret(source);
  // It is one of ours, and whole: nothing else is unpacked there.
  const info = await readArchive(pack, (path) => path === 'pack.json');
  if (info.size === 0) throw new LabelsmithError('BAD_FILE', `${pack} is no edge pack`);
  await putFile(pack, target);
  const address = sftpAddress(target);
  const connection = new SftpConnection(target.replace(/\/+$/, ''), address);
  try {
    const folder = shellPath(address.path);
    const installed = await remote(connection, installScript(folder, name, basename(pack)));
    const check = installed.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('added '));
    const unit = source === undefined ? null : `labelsmith-${name}`;
    if (unit !== null && source !== undefined) await remote(connection, unitScript({ folder, name, unit, source }));
    return { target, folder: `${address.path}/${name}`, check, unit };
  } finally {
    connection.close();
  }
}

/** A unit's file may be read by others of the machine. */
function refuseSecret(source: string): void {
  if (!URL.canParse(source) || new URL(source).password === '') return;
  throw new LabelsmithError('USAGE', 'the source of a device is given without its password', {
    hint: 'Write the whole address into NAME.env on the device (LABELSMITH_SOURCE=…), and restart its unit.',
  });
}

async function putFile(path: string, target: string): Promise<void> {
  const sink = await sftpSink(target);
  try {
    const { size } = await stat(path);
    const hash = createHash('sha256');
    for await (const piece of createReadStream(path)) hash.update(piece);
    const sha256 = hash.digest('hex');
    const result = await sink.put(basename(path), createReadStream(path), {
      byteSize: size,
      sha256,
      condition: { kind: 'any' },
    });
    if (result.kind === 'written') return;
    throw new LabelsmithError('NETWORK', `${target} did not take ${basename(path)}`, { hint: 'Run it again.' });
  } finally {
    await sink.close();
  }
}

async function remote(connection: SftpConnection, script: string): Promise<RemoteRun> {
  const ran = await connection.execute(`sh -c ${shellWord(script)}`);
  if (ran?.code === 0) return ran;
  const said = ran?.stderr.trim().split('\n').at(-1) ?? 'it lets nobody run programs';
  throw new LabelsmithError('REFUSED', `${connection.uri}: ${said || `the command ended with ${ran?.code}`}`, {
    hint: ran?.code === NO_NODE ? 'Install Node 22.13 or newer on the device.' : 'What ran there before is as it was.',
    details: { stderr: ran?.stderr ?? '' },
  });
}

const NO_NODE = 71;

/** Programs of users who log in are found, as far as that can be without a login. */
const FIND_NODE = `PATH="$PATH:/usr/local/bin:/opt/node/bin:$HOME/.local/bin"
for found in "$HOME"/.nvm/versions/node/*/bin; do [ -d "$found" ] && PATH="$PATH:$found"; done
command -v node >/dev/null || { echo 'there is no node' >&2; exit ${NO_NODE}; }
`;

function installScript(folder: string, name: string, file: string): string {
  return `set -e
${FIND_NODE}cd ${folder}
rm -rf ${shellWord(`${name}.new`)}
mkdir ${shellWord(`${name}.new`)}
tar xzf ${shellWord(file)} -C ${shellWord(`${name}.new`)}
cd ${shellWord(`${name}.new`)}
[ -d node_modules ] || npm install --omit=dev --ignore-scripts --no-audit --no-fund --silent
node run.mjs --check
cd ..
rm -rf ${shellWord(`${name}.old`)}
[ ! -d ${shellWord(name)} ] || mv ${shellWord(name)} ${shellWord(`${name}.old`)}
mv ${shellWord(`${name}.new`)} ${shellWord(name)}
`;
}

interface UnitParts {
  readonly folder: string;
  readonly name: string;
  readonly unit: string;
  readonly source: string;
}

/** Results lie beside the pack and outlive it. */
function unitScript({ folder, name, unit, source }: UnitParts): string {
  return `set -e
${FIND_NODE}cd ${folder}
here=$(pwd)
umask 077
printf 'LABELSMITH_SOURCE=%s\\n' ${shellWord(source)} > ${shellWord(`${name}.env`)}
units="\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"
mkdir -p "$units"
cat > "$units/${unit}.service" <<UNIT
[Unit]
Description=Labelsmith ${name}

[Service]
WorkingDirectory=$here
EnvironmentFile=$here/${name}.env
ExecStart=$(command -v node) $here/${name}/run.mjs \\\${LABELSMITH_SOURCE} --follow --to $here/${name}-results
Restart=always
RestartSec=10

[Install]
WantedBy=default.target
UNIT
command -v systemctl >/dev/null || { echo 'there is no systemd: start it with node run.mjs' >&2; exit 1; }
systemctl --user daemon-reload
systemctl --user enable ${unit}
systemctl --user restart ${unit}
`;
}

/** `~/x` below the home folder, whatever the shell. */
function shellPath(path: string): string {
  return path.startsWith('~') ? `"$HOME"${shellWord(path.slice(1))}` : shellWord(path);
}
