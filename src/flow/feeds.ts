/** The parts of a flow that never end by themselves: its cameras, and the folder whose images are labelled as they come. */
import type { RunOptions } from '../jobs/run.ts';
import { hasWorkspace, type Workspace } from '../jobs/workspace.ts';
import { cameraSpecs } from '../stages/capture/camera-spec.ts';
import { type CapturedCamera, capture } from '../stages/capture/capture.ts';
import { knownElsewhere } from '../stages/capture/elsewhere.ts';
import { classifierPath } from '../stages/classify/classify-with.ts';
import { driftLines } from '../stages/watch/drift.ts';
import { watchIn } from '../stages/watch/watch.ts';
import type { Flow, FlowCamera } from './flow.ts';
import type { FlowState } from './flow-state.ts';
import { objectRules } from './run-stage.ts';

export interface FeedEffects {
  readonly state: FlowState;
  readonly options: {
    readonly openWorkspace: (dir: string) => Promise<Workspace>;
    readonly onLine: (text: string) => void;
    readonly onWarn: (text: string) => void;
  };
  readonly run: RunOptions;
}

export interface FeedRun {
  readonly signal: AbortSignal;
  /** Nothing but the signal ends it. */
  readonly isService: boolean;
}

const DEFAULT_EVERY_MS = 1000;

export async function runCameras(
  flow: Flow,
  { state, options }: FeedEffects,
  { signal, isService }: FeedRun,
): Promise<void> {
  const { capture: settings, cameras, folder, workspace: dir } = flow;
  if (settings === undefined) return;
  const specs = await cameraSpecs(
    cameras.map(({ name, source }) => `${name}=${source}`),
    folder,
  );
  const { to, keep, silence: silenceMs, health } = settings;
  const workspace = keep !== undefined && hasWorkspace(dir) ? await options.openWorkspace(dir) : undefined;
  try {
    const result = await capture(
      specs.map((spec, i): CapturedCamera => ({ ...spec, ...ruleOf(cameras[i]!) })),
      {
        to,
        rule: {},
        silenceMs,
        health,
        signal,
        keepTrying: isService,
        keep: keep && { ...keep, areSafe: knownElsewhere(to, workspace) },
        onNotice: options.onWarn,
        onHealth(now) {
          state.cameras = now.map((camera) => ({ ...camera }));
        },
      },
    );
    state.cameras = result.cameras.map((camera) => ({ ...camera }));
    for (const { name, written } of result.cameras) options.onLine(`cameras: ${name} ended, ${written} frames written`);
  } finally {
    await workspace?.close();
  }
}

function ruleOf({ every, scene, changed, count, for: forMs }: FlowCamera) {
  const everyMs = every ?? (scene === undefined ? DEFAULT_EVERY_MS : undefined);
  return { rule: { everyMs, scene, changedBits: changed }, count, forMs };
}

/** So long without a new image ends it, where it is no service. */
const IDLE_MS = 1000;

export async function runWatch(
  flow: Flow,
  { state, options, run }: FeedEffects,
  { signal, isService }: FeedRun,
): Promise<void> {
  const { watch, models, folder: cwd } = flow;
  if (watch === undefined) return;
  const workspace = await options.openWorkspace(flow.workspace);
  try {
    const { folder, task = 'class', detect = true, settle: settleMs } = watch;
    const { classifier } = models;
    const request = {
      folder,
      cwd,
      task,
      settleMs,
      untilIdleMs: isService ? undefined : IDLE_MS,
      detector: detect ? models.detector : null,
      rules: objectRules(flow),
      classifier: classifier === undefined ? undefined : await classifierPath(workspace, classifier),
    };
    await watchIn(workspace, request, {
      ...run,
      signal,
      onBatch({ images, batch, unfit, latencyMs, classes }) {
        const named = classes.map(([name, count]) => `${name} ${count}`).join(', ');
        options.onLine(`watch: +${batch} images (${images}): ${named || 'no class yet'}`);
        if (state.watch === null) return;
        Object.assign(state.watch, { images, latencyMs, lastBatchAtMs: Date.now(), unfit: state.watch.unfit + unfit });
      },
      onNotice: options.onWarn,
      onDrift: (drift) => options.onLine(`watch: ${driftLines(drift).join('\n')}`),
    });
  } finally {
    await workspace.close();
  }
}
