/**
 * Frames through the system's ffmpeg as a child process: what bindings on npm would bring does not install, is under
 * another licence, or opens no device. It decodes, picks frames, and writes JPEGs to a pipe; on stderr it tells of each
 * frame that comes in (a sign of life, whatever is picked) and of each that is picked (its time).
 */
import { execFile, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { LabelsmithError, systemCodeOf } from '../../errors.ts';
import { type CameraSpec, withoutSecrets } from './camera-spec.ts';
import { type Frame, type FrameRule, type FramesOptions, toleranceMs } from './frames.ts';
import { jpegFrames } from './jpeg-frames.ts';
import { Silence } from './silence.ts';

const run = promisify(execFile);

/** Where cameras that hang on the machine are, by platform: ffmpeg's format, and its name of a device. */
const DEVICES: Readonly<Record<string, { readonly format: string; readonly input: (device: string) => string }>> = {
  linux: { format: 'v4l2', input: (device) => (/^\d+$/.test(device) ? `/dev/video${device}` : device) },
  darwin: { format: 'avfoundation', input: (device) => device },
  win32: { format: 'dshow', input: (device) => `video=${device}` },
};

const INSTALL: Readonly<Record<string, string>> = {
  linux: 'sudo apt-get install ffmpeg (Debian, Ubuntu), sudo dnf install ffmpeg-free (Fedora)',
  darwin: 'brew install ffmpeg',
  win32: 'winget install ffmpeg',
};

/** How ffmpeg is had here. */
function ffmpegInstallLine(platform: NodeJS.Platform = process.platform): string {
  return INSTALL[platform] ?? 'see https://ffmpeg.org/download.html';
}

export interface FfmpegVersion {
  readonly text: string;
  /** 5.1 is 501; what is built from the latest source counts as new. */
  readonly number: number;
}

/** Fails with `UNSUPPORTED` where there is none. */
export async function ffmpegVersion(): Promise<FfmpegVersion> {
  try {
    const { stdout } = await run('ffmpeg', ['-hide_banner', '-version']);
    const text = /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
    const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(text) ?? [];
    return { text, number: major === undefined ? 9999 : 100 * Number(major) + Number(minor) };
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw cause;
    throw new LabelsmithError('UNSUPPORTED', 'cameras and videos are read by ffmpeg, which is not installed', {
      hint: `Install it: ${ffmpegInstallLine()}`,
      cause,
    });
  }
}

/** Whether there is one, in words, for who asks how fit this machine is. Only cameras and videos need it. */
export async function ffmpegCheck(): Promise<{ readonly name: string; readonly ok: true; readonly what: string }> {
  const name = 'ffmpeg';
  try {
    return { name, ok: true, what: `${(await ffmpegVersion()).text} (cameras and videos)` };
  } catch (error) {
    if (!(error instanceof LabelsmithError)) throw error;
    return { name, ok: true, what: `not here; cameras and videos need it: ${ffmpegInstallLine()}` };
  }
}

/** The arguments for a camera. @param version of ffmpeg, some of whose options have changed their names */
export function ffmpegArguments(
  { kind, address }: Pick<CameraSpec, 'kind' | 'address'>,
  rule: FrameRule,
  { version, silenceMs, platform = process.platform }: ArgumentOptions,
): string[] {
  const passThrough = version >= 501 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info', '-fflags', '+discardcorrupt'],
    ...inputArguments(kind, address, { version, silenceMs, platform }),
    ...['-map', '0:v:0', '-an', '-sn', '-dn', '-vf', filtersOf(rule), ...passThrough],
    ...['-c:v', 'mjpeg', '-q:v', '2', '-f', 'image2pipe', 'pipe:1'],
  ];
}

export interface ArgumentOptions {
  readonly version: number;
  readonly silenceMs: number;
  readonly platform?: NodeJS.Platform;
}

function inputArguments(
  kind: CameraSpec['kind'],
  address: string,
  { version, silenceMs, platform = process.platform }: ArgumentOptions,
): string[] {
  switch (kind) {
    case 'rtsp': {
      const timeout = version >= 500 ? '-timeout' : '-stimeout';
      const patience = [timeout, String(silenceMs * 1000)];
      return ['-rtsp_transport', 'tcp', ...patience, '-use_wallclock_as_timestamps', '1', '-i', address];
    }
    case 'device': {
      const [device = '', query] = address.split('?');
      const { format, input } = DEVICES[platform] ?? DEVICES.linux!;
      // `?video_size=1280x720&framerate=30&input_format=mjpeg` are ffmpeg's own options of the device.
      const options = [...new URLSearchParams(query)].flatMap(([name, value]) => [`-${name}`, value]);
      return ['-f', format, ...options, '-i', input(device)];
    }
    case 'pattern':
      // Such a source would give all its frames at once.
      return ['-re', '-f', 'lavfi', '-i', address];
    case 'http':
      return ['-use_wallclock_as_timestamps', '1', '-i', address];
    case 'file':
      return ['-i', address];
    case 'folder':
      throw new Error('a folder is not read by ffmpeg');
    default:
      return kind satisfies never;
  }
}

function filtersOf({ everyMs, scene }: FrameRule): string {
  const wanted: string[] = [];
  if (everyMs !== undefined) {
    const seconds = ((everyMs - toleranceMs(everyMs)) / 1000).toFixed(4);
    wanted.push(`(isnan(prev_selected_t)+gte(t-prev_selected_t,${seconds}))`);
  }
  if (scene !== undefined) wanted.push(`(eq(n,0)+gt(scene,${scene}))`);
  const select = wanted.length === 0 ? [] : [`select='${wanted.join('*')}'`];
  return ['showinfo@alive=checksum=0', ...select, 'showinfo@kept=checksum=0'].join(',');
}

/** What ffmpeg says when no further attempt helps. */
const HOPELESS: readonly (readonly [RegExp, string])[] = [
  [/401 Unauthorized|403 Forbidden|Authorization Required/i, 'the camera does not take this user and password'],
  [/Invalid data found when processing input/i, 'it is no video that ffmpeg can read'],
  [/Unknown input format|Protocol not found/i, 'this ffmpeg was built without what reads it'],
];

export async function* ffmpegFrames(camera: CameraSpec, options: FramesOptions): AsyncGenerator<Frame> {
  const { rule, silenceMs, signal, onBroken } = options;
  const { number: version } = await ffmpegVersion();
  const startMs = camera.kind === 'file' ? (await stat(camera.address)).mtimeMs : undefined;
  const child = spawn('ffmpeg', ffmpegArguments(camera, rule, { version, silenceMs }), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = new Told();
  let why: string | undefined;
  const end = (reason?: string) => {
    why ??= reason;
    child.kill('SIGKILL');
  };
  const silence = new Silence(silenceMs, () => {
    // A file is as slow as whoever takes its frames.
    if (camera.isLive) end(`no frame for ${silenceMs / 1000} s`);
  });
  const onAbort = () => end();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) end();
  createInterface({ input: child.stderr })
    .on('line', (line) => {
      if (told.take(withoutSecrets(line, camera))) silence.heard();
      if (told.isResized) end('the size of the picture changed');
    })
    .on('close', () => told.end());
  const closed = new Promise<number | null>((done) => child.once('close', done).once('error', () => done(null)));
  const counts = { broken: 0 };
  try {
    for await (const bytes of jpegFrames(child.stdout, counts)) {
      const seconds = await told.nextTime();
      yield { bytes, capturedAtMs: startMs === undefined ? Date.now() : startMs + seconds * 1000 };
      while (counts.broken > 0) {
        counts.broken--;
        onBroken();
      }
    }
    const code = await closed;
    if (signal.aborted) return;
    if (why === undefined && code === 0 && !camera.isLive) return;
    throw failureOf(camera, why ?? told.lastError ?? 'the connection ended');
  } finally {
    silence.stop();
    signal.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
    await closed;
  }
}

function failureOf({ shown }: CameraSpec, reason: string): LabelsmithError {
  const hopeless = HOPELESS.find(([pattern]) => pattern.test(reason));
  const code = hopeless === undefined ? 'NETWORK' : 'REFUSED';
  return new LabelsmithError(code, `${shown}: ${hopeless?.[1] ?? reason}`, {
    hint: 'Look at the address, the cable, and what else uses the camera.',
  });
}

/** What ffmpeg told on stderr so far. */
class Told {
  lastError: string | undefined;
  isResized = false;
  #size: string | undefined;
  #ended = false;
  #onTold: () => void = () => {};
  /** Times of picked frames that did not come through the pipe yet, in seconds. */
  readonly #times: number[] = [];

  /** Whether the line is a sign of life. */
  take(line: string): boolean {
    const isAlive = line.startsWith('[showinfo@alive');
    const time = / pts_time:\s*(-?[\d.]+)/.exec(line)?.[1];
    if (time !== undefined) {
      const size = / s:(\d+x\d+)/.exec(line)?.[1];
      if (isAlive && size !== undefined) {
        this.isResized ||= this.#size !== undefined && this.#size !== size;
        this.#size = size;
      }
      if (!isAlive) {
        this.#times.push(Number(time));
        this.#onTold();
      }
    } else if (/\[(error|fatal)\]/.test(line)) this.lastError = line.replace(/^.*\[(?:error|fatal)\]\s*/, '');
    return isAlive;
  }

  /** Of the next picture in the pipe, in seconds; its line may come after it. */
  async nextTime(): Promise<number> {
    while (this.#times.length === 0 && !this.#ended) {
      const told = Promise.withResolvers<void>();
      this.#onTold = told.resolve;
      await told.promise;
    }
    return this.#times.shift() ?? 0;
  }

  end(): void {
    this.#ended = true;
    this.#onTold();
  }
}
