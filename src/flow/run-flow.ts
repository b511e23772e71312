/**
 * A flow kept going: cameras, the watched folder and the schedules, each a part of its own that is begun again when it
 * fails, after waits that grow. When the file is read again, parts that it says the same of go on undisturbed; a file that
 * is wrong changes nothing and is told. It composes what the commands do and does nothing itself.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/retry.ts';
import { isInterruption, LabelsmithError, messageOf } from '../errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import type { RunOptions } from '../jobs/run.ts';
import type { Workspace } from '../jobs/workspace.ts';
import { prepareClasses } from './classes.ts';
import { runCameras, runWatch } from './feeds.ts';
import { type Flow, readFlow } from './flow.ts';
import { type FlowState, lifeOf, readFlowState, writeFlowState } from './flow-state.ts';
import { runStage } from './run-stage.ts';
import { keepSchedule, newScheduleState, runScheduleOnce, type ScheduleEffects } from './schedule.ts';

export interface FlowOptions extends Pick<RunOptions, 'seed' | 'threads' | 'device'> {
  readonly signal: AbortSignal;
  /** Opens the flow's workspace, made where there is none. Each part opens its own. */
  readonly openWorkspace: (dir: string) => Promise<Workspace>;
  readonly onLine: (text: string) => void;
  readonly onWarn: (text: string) => void;
  /** Waits before a part that failed is begun again, in ms (default 2,000 to 300,000). */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
}

export interface RunningFlow {
  /** Ends when the signal is aborted and every part has ended. */
  readonly ended: Promise<FlowState>;
  /** Reads the file again. */
  reload(): Promise<void>;
}

const WRITE_EVERY_MS = 1000;
const BACKOFF = { baseMs: 2000, maxMs: 300_000 };

interface Part {
  /** What it depends on: a part with another key is another part. */
  readonly key: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Told why it failed, or null when it is begun. */
  readonly onState: (error: string | null) => void;
}

/** Begins a flow as a service. Fails where the file is wrong, or the flow runs already. */
export async function startFlow(file: string, options: FlowOptions): Promise<RunningFlow> {
  const flow = await readFlow(file);
  const keeper = await FlowKeeper.open(flow, options);
  await keeper.apply(flow);
  return { ended: keeper.ended(), reload: () => keeper.reload() };
}

/** Everything once, in this order: cameras until they end, what they left, every schedule. The first failure ends it. */
export async function runFlowOnce(file: string, options: FlowOptions): Promise<FlowState> {
  const flow = await readFlow(file);
  const endless = flow.cameras.filter((camera) => camera.count === undefined && camera.for === undefined);
  const live = endless.find(({ source }) => /^(?:rtsps?|https?|usb|lavfi):|^\/dev\//i.test(source));
  if (live !== undefined) {
    throw new LabelsmithError('USAGE', `the camera ${live.name} never ends, so there is no once`, {
      hint: `Say count or for in cameras.${live.name}.`,
    });
  }
  const keeper = await FlowKeeper.open(flow, options);
  return keeper.once(flow);
}

class FlowKeeper {
  readonly #options: FlowOptions;
  readonly #state: FlowState;
  readonly #before: FlowState | undefined;
  readonly #workspaceDir: string;
  readonly #parts = new Map<
    string,
    { readonly key: string; readonly stop: AbortController; readonly done: Promise<void> }
  >();
  #turn: Promise<void> = Promise.resolve();
  #applying: Promise<void> = Promise.resolve();

  private constructor(flow: Flow, options: FlowOptions, before: FlowState | undefined) {
    this.#options = options;
    this.#before = before;
    this.#workspaceDir = flow.workspace;
    this.#state = {
      version: 1,
      file: flow.file,
      pid: process.pid,
      host: hostname(),
      startedAtMs: Date.now(),
      atMs: Date.now(),
      reloadedAtMs: null,
      reloadError: null,
      stoppedAtMs: null,
      captureError: null,
      cameras: [],
      watch: null,
      schedules: [],
      targets: [],
      folders: [],
    };
  }

  static async open(flow: Flow, options: FlowOptions): Promise<FlowKeeper> {
    await makeFolder(flow.workspace);
    const before = await readFlowState(flow.workspace);
    if (before !== undefined && before.pid !== process.pid && lifeOf(before, Date.now()) === 'running') {
      throw new LabelsmithError('BUSY', `the flow of ${flow.workspace} runs already, as process ${before.pid}`, {
        hint: `Reload it with kill -HUP ${before.pid}, or stop it with kill ${before.pid}.`,
      });
    }
    const keeper = new FlowKeeper(flow, options, before);
    if (flow.classes !== undefined) {
      const workspace = await options.openWorkspace(flow.workspace);
      try {
        await prepareClasses(workspace.store, flow.classes);
      } finally {
        await workspace.close();
      }
    }
    await keeper.#write();
    return keeper;
  }

  async once(flow: Flow): Promise<FlowState> {
    const { signal } = this.#options;
    const timer = setInterval(() => void this.#write().catch(() => {}), WRITE_EVERY_MS);
    try {
      this.#describe(flow);
      await makeFolders(flow);
      if (flow.cameras.length > 0) await runCameras(flow, this.#feeds(flow), { signal, isService: false });
      if (flow.watch !== undefined) await runWatch(flow, this.#feeds(flow), { signal, isService: false });
      for (const schedule of flow.schedules) {
        signal.throwIfAborted();
        const state = this.#scheduleState(schedule.name);
        if (state !== undefined) await runScheduleOnce(schedule, state, this.#effects(flow), signal);
      }
      return this.#state;
    } finally {
      clearInterval(timer);
      this.#state.stoppedAtMs = Date.now();
      await this.#write();
    }
  }

  async ended(): Promise<FlowState> {
    const { signal, onLine } = this.#options;
    const timer = setInterval(() => void this.#write().catch(() => {}), WRITE_EVERY_MS);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      signal.addEventListener('abort', () => done());
    });
    onLine('Stopping: what is under way is finished first.');
    await this.#applying;
    await this.#stop([...this.#parts.keys()]);
    clearInterval(timer);
    this.#state.stoppedAtMs = Date.now();
    await this.#write();
    return this.#state;
  }

  async reload(): Promise<void> {
    const { onLine, onWarn } = this.#options;
    try {
      const flow = await readFlow(this.#state.file);
      if (flow.workspace !== this.#workspaceDir) {
        throw new LabelsmithError(
          'REFUSED',
          'the workspace of a flow cannot change while it runs: stop it and start it',
        );
      }
      await this.apply(flow);
      [this.#state.reloadedAtMs, this.#state.reloadError] = [Date.now(), null];
      onLine(`${flow.file} was read again.`);
    } catch (error) {
      this.#state.reloadError = messageOf(error);
      onWarn(`The flow goes on as it was; the file as it is now cannot be used:\n${messageOf(error)}`);
    }
  }

  /** Ends parts that are no longer wanted or wanted otherwise, and begins those that are new. */
  apply(flow: Flow): Promise<void> {
    this.#applying = this.#applying.then(async () => {
      const wanted = this.#partsOf(flow);
      await this.#stop(
        [...this.#parts].filter(([name, { key }]) => wanted.get(name)?.key !== key).map(([name]) => name),
      );
      this.#describe(flow);
      if (this.#options.signal.aborted) return;
      await makeFolders(flow);
      for (const [name, part] of wanted) if (!this.#parts.has(name)) this.#begin(name, part);
    });
    return this.#applying;
  }

  #partsOf(flow: Flow): Map<string, Part> {
    const { cameras, capture, watch, models, thresholds, objects, schedules, seed, threads } = flow;
    const settings = { models, thresholds, objects, seed, threads };
    const parts = new Map<string, Part>();
    if (cameras.length > 0) {
      parts.set('cameras', {
        key: JSON.stringify({ cameras, capture }),
        run: (signal) => runCameras(flow, this.#feeds(flow), { signal, isService: true }),
        onState: (error) => {
          this.#state.captureError = error;
        },
      });
    }
    if (watch !== undefined) {
      parts.set('watch', {
        key: JSON.stringify({ watch, settings }),
        run: (signal) => runWatch(flow, this.#feeds(flow), { signal, isService: true }),
        onState: (error) => {
          if (this.#state.watch !== null) this.#state.watch.lastError = error;
        },
      });
    }
    for (const schedule of schedules) {
      parts.set(`schedule ${schedule.name}`, {
        key: JSON.stringify({ schedule, settings }),
        run: async (signal) => {
          const state = this.#scheduleState(schedule.name);
          if (state !== undefined) await keepSchedule(schedule, state, this.#effects(flow), signal);
        },
        onState() {},
      });
    }
    return parts;
  }

  #begin(name: string, { key, run, onState }: Part): void {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#options.signal]);
    this.#parts.set(name, { key, stop, done: this.#keep(name, run, onState, signal) });
  }

  async #keep(name: string, run: Part['run'], onState: Part['onState'], signal: AbortSignal): Promise<void> {
    const { backoff = BACKOFF, onWarn } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        onState(null);
        return await run(signal);
      } catch (error) {
        if (signal.aborted && isInterruption(error)) return;
        failures++;
        onState(messageOf(error));
        onWarn(`${name}: ${messageOf(error)}; it is begun again`);
        if (error instanceof LabelsmithError && error.hint !== undefined) onWarn(`  ${error.hint}`);
        await sleep(backoffMs(backoff, failures, 0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      }
    }
  }

  async #stop(names: readonly string[]): Promise<void> {
    const parts = names.flatMap((name) => this.#parts.get(name) ?? []);
    for (const { stop } of parts) stop.abort(new LabelsmithError('INTERRUPTED', 'this part of the flow was stopped'));
    await Promise.all(parts.map(({ done }) => done));
    for (const name of names) this.#parts.delete(name);
  }

  /** What the state says of a flow's parts; numbers of parts that were there stay. */
  #describe({ watch, schedules, targets }: Flow): void {
    const state = this.#state;
    const before = [...(this.#before?.schedules ?? []), ...state.schedules];
    state.schedules = schedules.map((schedule) => {
      const known = state.schedules.find(({ name }) => name === schedule.name);
      const earlier = before.findLast(({ name }) => name === schedule.name);
      const fresh = newScheduleState(schedule, earlier);
      return known?.times === fresh.times ? known : fresh;
    });
    state.watch =
      watch === undefined
        ? null
        : (state.watch ?? {
            folder: watch.folder,
            images: 0,
            unfit: 0,
            latencyMs: 0,
            lastBatchAtMs: null,
            lastError: null,
          });
    const pushes = schedules
      .flatMap(({ run }) => run)
      .flatMap((one) => (one.stage === 'push' ? (one.folder ?? []) : []));
    state.folders = [...new Set(pushes)];
    state.targets = [...targets.values()].map(({ name, address }) => ({ name, address }));
  }

  #scheduleState(name: string) {
    return this.#state.schedules.find((state) => state.name === name);
  }

  #feeds(flow: Flow) {
    return { state: this.#state, options: this.#options, run: this.#runOptions(flow) };
  }

  #runOptions({ seed = this.#options.seed, threads = this.#options.threads }: Flow) {
    return { seed, threads, device: this.#options.device };
  }

  #effects(flow: Flow): ScheduleEffects {
    const { openWorkspace, onLine, onWarn } = this.#options;
    return {
      now: Date.now,
      openWorkspace: () => openWorkspace(flow.workspace),
      runStage: (stage, workspace, signal) =>
        runStage(stage, { flow, workspace, options: { ...this.#runOptions(flow), signal }, nowMs: Date.now() }),
      inTurn: (work) => {
        const turn = this.#turn.then(work);
        this.#turn = turn.catch(() => {});
        return turn;
      },
      onLine,
      onWarn,
    };
  }

  #write(): Promise<void> {
    this.#state.atMs = Date.now();
    return writeFlowState(this.#workspaceDir, this.#state);
  }
}

/** What stages look for before the first frame is there. */
async function makeFolders({ capture }: Flow): Promise<void> {
  if (capture !== undefined) await makeFolder(capture.to);
}
