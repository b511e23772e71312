/**
 * One connection to a machine over ssh, made when it is needed and made again when it was lost. Everything that is asked
 * at once goes over it.
 */
import { promisify } from 'node:util';
import type { Client, SFTPWrapper } from 'ssh2';
import { LabelsmithError, messageOf } from '../../errors.ts';
import { optionalPackage } from './optional-package.ts';
import { type SftpAddress, type SshAccount, sshAccount } from './ssh-account.ts';

/** Status codes of SFTP (draft-ietf-secsh-filexfer-02, 7). */
const STATUS = { NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4 } as const;

interface Connected {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
}

export interface RemoteRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SftpOptions {
  /** A connection that does not answer for so long has failed, in ms (default 30,000). */
  readonly silenceMs?: number;
}

export class SftpConnection {
  /** `sftp://user@host/path`, for messages. */
  readonly uri: string;
  readonly #address: SftpAddress;
  readonly #silenceMs: number;
  #connected: Promise<Connected> | undefined;

  constructor(uri: string, address: SftpAddress, { silenceMs = 30_000 }: SftpOptions = {}) {
    this.uri = uri;
    this.#address = address;
    this.#silenceMs = silenceMs;
  }

  /** Asks about a file; undefined where it is not there. */
  async askIfThere<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ask(work);
    } catch (error) {
      if (error instanceof LabelsmithError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Asks one thing; failures in the project's words. The signal tells that the connection was lost. */
  async ask<T>(work: (sftp: SFTPWrapper, lost: AbortSignal) => Promise<T>): Promise<T> {
    const { sftp, client } = await this.#connection();
    const lost = Promise.withResolvers<never>();
    const stop = new AbortController();
    const onClose = () => {
      const error = new Error('the connection was closed');
      lost.reject(error);
      stop.abort(error);
    };
    client.once('close', onClose);
    try {
      return await Promise.race([work(sftp, stop.signal), lost.promise]);
    } catch (error) {
      throw this.error(error);
    } finally {
      client.off('close', onClose);
    }
  }

  /** What a program there prints; undefined where no program may be run, or it fails. */
  async run(command: string): Promise<string | undefined> {
    const ran = await this.execute(command);
    return ran?.code === 0 ? ran.stdout : undefined;
  }

  /** Runs a command there; undefined where none may be run. A code of null: a signal, or the connection, ended it. */
  async execute(command: string): Promise<RemoteRun | undefined> {
    const { client } = await this.#connection();
    return new Promise((done) => {
      client.exec(command, (error, stream) => {
        if (error) return done(undefined);
        let [stdout, stderr] = ['', ''];
        stream.on('data', (piece: Buffer) => {
          stdout += piece.toString();
        });
        stream.stderr.on('data', (piece: Buffer) => {
          stderr += piece.toString();
        });
        stream.on('close', (code: number | null) => done({ code: code ?? null, stdout, stderr }));
      });
    });
  }

  error(error: unknown): unknown {
    if (error instanceof LabelsmithError) return error;
    if (codeOf(error) === STATUS.NO_SUCH_FILE) {
      return new LabelsmithError('NOT_FOUND', `a file or folder of ${this.uri} is not there any more`, {
        hint: 'Look whether its disk is mounted.',
        details: { scope: 'target' },
        cause: error,
      });
    }
    if (codeOf(error) === STATUS.PERMISSION_DENIED) {
      return new LabelsmithError('REFUSED', `${this.uri}: no right to write there`, {
        hint: 'Choose a folder that this user may write to.',
        cause: error,
      });
    }
    return new LabelsmithError('NETWORK', `${this.uri}: ${messageOf(error)}`, {
      hint: 'Run it again: what is there already is not sent twice.',
      cause: error,
    });
  }

  close(): void {
    this.#connected?.then(({ client }) => client.end()).catch(() => {});
    this.#connected = undefined;
  }

  #connection(): Promise<Connected> {
    if (this.#connected !== undefined) return this.#connected;
    const connecting = this.#connect();
    this.#connected = connecting;
    // What failed, or was lost, is not kept.
    const forget = () => {
      if (this.#connected === connecting) this.#connected = undefined;
    };
    connecting.then(({ client }) => client.once('close', forget), forget);
    return connecting;
  }

  async #connect(): Promise<Connected> {
    const ssh2 = await optionalPackage('ssh2', 'sftp:// addresses', () => import('ssh2'));
    const account = await sshAccount(this.#address);
    this.#requireKnown(account);
    const { Client, utils } = ssh2.default;
    // A key with a passphrase is the agent's to use.
    const keys = account.keys.filter((key) => !(utils.parseKey(key) instanceof Error));
    const client = new Client();
    // Each request under way listens for the end of the connection.
    client.setMaxListeners(0);
    const auth = [
      ...(account.agent === undefined
        ? []
        : [{ type: 'agent' as const, username: account.user, agent: account.agent }]),
      ...keys.map((key) => ({ type: 'publickey' as const, username: account.user, key })),
    ];
    try {
      await new Promise<void>((done, fail) => {
        client.once('ready', done).once('error', fail);
        client.once('close', () => fail(new Error('the connection was closed')));
        client.connect({
          host: account.host,
          port: account.port,
          username: account.user,
          readyTimeout: this.#silenceMs,
          keepaliveInterval: this.#silenceMs / 3,
          keepaliveCountMax: 3,
          authHandler: auth,
          algorithms: { serverHostKey: hostKeyAlgorithms(account) },
          hostVerifier: (key: Buffer) => account.knownKeys.some((known) => known.key.equals(key)),
        });
      });
    } catch (error) {
      client.destroy();
      throw this.#connectError(error, account);
    }
    // Else each answer waits for the system to gather more.
    client.setNoDelay(true);
    // What goes wrong later closes the connection, which whoever waits is told.
    client.on('error', () => {});
    const sftp = await promisify(client.sftp.bind(client))();
    sftp.on('error', () => {});
    return { client, sftp };
  }

  #requireKnown({ host, port, user, knownKeys }: SshAccount): void {
    if (knownKeys.length > 0) return;
    throw new LabelsmithError('REFUSED', `${this.uri}: the machine is not among the hosts that ssh knows`, {
      hint: `Connect once by hand and look at its key: ssh -p ${port} ${user}@${host}`,
      details: { scope: 'target' },
    });
  }

  #connectError(error: unknown, { user }: SshAccount): unknown {
    const level = error instanceof Error && 'level' in error ? error.level : undefined;
    if (level === 'client-authentication') {
      return new LabelsmithError('REFUSED', `${this.uri}: the machine does not let ${user} in`, {
        hint: 'Add a key that it knows to the agent (ssh-add), or name one in the configuration of ssh.',
        details: { scope: 'target' },
        cause: error,
      });
    }
    if (level === 'handshake' || /host.*(denied|verif)/i.test(messageOf(error))) {
      return new LabelsmithError('REFUSED', `${this.uri}: the machine has another key than the one that ssh knows`, {
        hint: 'Somebody may stand in between. If the machine was set up anew: ssh-keygen -R HOST, then connect by hand.',
        details: { scope: 'target' },
        cause: error,
      });
    }
    return this.error(error);
  }
}

/** Only kinds of keys that are known can be compared. */
function hostKeyAlgorithms({ knownKeys }: SshAccount) {
  const known = new Set(knownKeys.map(({ type }) => type));
  const algorithms = [
    ['ssh-ed25519', 'ssh-ed25519'],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256'],
    ['ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp384'],
    ['ecdsa-sha2-nistp521', 'ecdsa-sha2-nistp521'],
    ['ssh-rsa', 'rsa-sha2-512'],
    ['ssh-rsa', 'rsa-sha2-256'],
  ] as const;
  return algorithms.filter(([type]) => known.has(type)).map(([, algorithm]) => algorithm);
}

/** Whether the server only says that it did not work, as it does where a folder is there already. */
export function isPlainFailure(error: unknown): boolean {
  return error instanceof LabelsmithError && codeOf(error.cause) === STATUS.FAILURE;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
