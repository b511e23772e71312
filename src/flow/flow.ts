/** A flow: `labelsmith.yaml` read and checked as a whole, every place in it an address or an absolute path. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { nearestNames } from '../core/nearest-names.ts';
import { closestIssue, placeText, problemText } from '../core/validate.ts';
import { LabelsmithError, systemCodeOf } from '../errors.ts';
import { regularFileSize } from '../formats/special-files.ts';
import { isTargetAddress } from '../sources/targets.ts';
import { FLOW, type FlowSettings, type ScheduleSettings, STAGE_NAMES, type StageSettings } from './flow-schema.ts';
import { FlowText } from './flow-text.ts';
import { addressOf, type FlowTarget, type Places, targetOf } from './places.ts';

export interface Flow extends Pick<FlowSettings, 'seed' | 'threads' | 'models' | 'thresholds' | 'objects' | 'classes'> {
  /** Absolute. */
  readonly file: string;
  /** Where its paths start. */
  readonly folder: string;
  readonly workspace: string;
  readonly cameras: readonly FlowCamera[];
  readonly capture: (Omit<NonNullable<FlowSettings['capture']>, 'health'> & { readonly health?: string }) | undefined;
  readonly watch: (NonNullable<FlowSettings['watch']> & { readonly folder: string }) | undefined;
  readonly targets: ReadonlyMap<string, FlowTarget>;
  readonly schedules: readonly FlowSchedule[];
}

export interface FlowSchedule extends Omit<ScheduleSettings, 'run'> {
  readonly name: string;
  readonly run: readonly FlowStage[];
}

type PushSettings = Extract<StageSettings, { stage: 'push' }>;

/** Of a push, what was said of its target too. */
export type FlowStage =
  | Exclude<StageSettings, PushSettings>
  | (PushSettings & Pick<FlowTarget, 'bytesPerSecond' | 'parallel'>);

export interface FlowCamera {
  readonly name: string;
  readonly source: string;
  readonly every?: number;
  readonly scene?: number;
  readonly changed?: number;
  readonly count?: number;
  readonly for?: number;
}

export async function readFlow(
  path: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Flow> {
  const file = resolve(path);
  let text: string;
  try {
    // It is read again at every SIGHUP, and a pipe would be waited for.
    await regularFileSize(file, path);
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof LabelsmithError) throw cause;
    const why = systemCodeOf(cause) === 'ENOENT' ? 'is not there' : `cannot be read (${systemCodeOf(cause)})`;
    throw new LabelsmithError('NOT_FOUND', `The flow ${file} ${why}.`, {
      hint: 'docs/flow.md has one to begin with.',
      cause,
    });
  }
  return flowOf(text, file, env);
}

export function flowOf(text: string, file: string, env: Readonly<Record<string, string | undefined>>): Flow {
  const source = new FlowText(text, file, env);
  const result = FLOW.safeParse(source.data);
  if (!result.success) {
    for (const issue of result.error.issues.map(closestIssue)) {
      const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
      source.problem(issue.path, told(issue), key);
    }
    source.refuseProblems();
    throw result.error;
  }
  const flow = absolute(result.data, file, source);
  source.refuseProblems();
  return flow;
}

/** @param issue with its whole path */
function told(issue: ReturnType<typeof closestIssue>): string {
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'stage')
    return `stage is one of ${STAGE_NAMES.join(', ')}`;
  // Our own words for what is expected; zod's have a head.
  const isOurs = issue.code === 'custom' || (issue.code === 'invalid_type' && !issue.message.startsWith('Invalid'));
  return isOurs ? `${placeText(issue.path)}: expected ${issue.message}` : problemText(issue);
}

function absolute(settings: FlowSettings, file: string, source: FlowText): Flow {
  const folder = dirname(file);
  for (const [name, target] of Object.entries(settings.targets)) {
    if (!/^[^/]*:\/\/[^/]*:[^/]*@/.test(typeof target === 'string' ? target : target.to)) continue;
    source.problem(
      ['targets', name],
      `targets.${name}: an address holds no password; docs/push.md says where it is looked for`,
    );
  }
  const { models } = settings;
  const places: Places = { folder, targets: targetsOf(settings, folder) };
  const at = (written: string, path: readonly PropertyKey[]): string => {
    const address = addressOf(written, places);
    if (address !== undefined) return address;
    const near = nearestNames(written.split('/')[0] ?? '', [...places.targets.keys()], 1);
    const meant = near.length > 0 ? `; did you mean ${near[0]}?` : '; a path begins with ./ or /';
    source.problem(path, `${path.at(-1)?.toString()}: there is no target ${JSON.stringify(written)}${meant}`);
    return written;
  };
  const { capture, watch } = settings;
  const frames = capture && at(capture.to, ['capture', 'to']);
  const cameras = Object.entries(settings.cameras ?? {}).map(([name, camera]) =>
    typeof camera === 'string' ? { name, source: camera } : { name, ...camera },
  );
  if (cameras.length > 0 && capture === undefined) {
    source.problem(['cameras'], 'cameras: capture.to is missing, the folder of the frames');
  }
  if (frames !== undefined && isTargetAddress(frames)) {
    source.problem(['capture', 'to'], 'capture.to: frames are saved on this machine, and pushed from there');
  }
  const usual = (written: string | undefined, path: readonly PropertyKey[]): string => {
    if (written !== undefined) return at(written, path);
    if (frames === undefined) source.problem(path, `${path.at(-1)?.toString()} is missing, and there is no capture.to`);
    return frames ?? '';
  };
  const schedules = Object.entries(settings.schedules).map(([name, schedule]) => {
    checkTimes(schedule, ['schedules', name], source);
    const run = schedule.run.map((stage, i) => stageAt(stage, ['schedules', name, 'run', i], { at, usual, places }));
    return { name, ...schedule, run };
  });
  const classifier = models.classifier !== undefined && /[./\\]/.test(models.classifier);
  return {
    ...settings,
    file,
    folder,
    cameras,
    schedules,
    targets: places.targets,
    workspace: resolve(folder, settings.workspace),
    models: classifier ? { ...models, classifier: resolve(folder, models.classifier ?? '') } : models,
    capture: capture && { ...capture, to: frames ?? '', health: healthPlace(capture.health, folder) },
    watch: watch && { ...watch, folder: usual(watch.folder, ['watch', 'folder']) },
  };
}

interface Resolvers {
  readonly at: (written: string, path: readonly PropertyKey[]) => string;
  readonly usual: (written: string | undefined, path: readonly PropertyKey[]) => string;
  readonly places: Places;
}

/** A stage with its places resolved. */
function stageAt(stage: StageSettings, path: readonly PropertyKey[], { at, usual, places }: Resolvers): FlowStage {
  switch (stage.stage) {
    case 'push': {
      const { bytesPerSecond, parallel } = targetOf(stage.to, places) ?? {};
      const folder = usual(stage.folder, [...path, 'folder']);
      return { ...stage, folder, to: at(stage.to, [...path, 'to']), bytesPerSecond, parallel };
    }
    case 'add': {
      const from = typeof stage.from === 'string' ? [stage.from] : stage.from;
      if (from === undefined) return { ...stage, from: [usual(undefined, [...path, 'from'])] };
      return { ...stage, from: from.map((one) => at(one, [...path, 'from'])) };
    }
    case 'match':
      return { ...stage, references: at(stage.references, [...path, 'references']) };
    case 'import-edge':
      return { ...stage, from: at(stage.from, [...path, 'from']) };
    case 'export':
    case 'edge-pack':
    case 'report':
      return { ...stage, to: at(stage.to, [...path, 'to']) };
    case 'detect':
    case 'embed':
    case 'discover':
    case 'teach':
    case 'classify':
      return stage;
    default:
      return stage satisfies never;
  }
}

function checkTimes({ every, at, on }: ScheduleSettings, path: readonly PropertyKey[], source: FlowText): void {
  if ((every === undefined) === (at === undefined)) {
    source.problem(path, `${path.join('.')}: either every (a time such as 5m) or at (a time of day such as 02:00)`);
  }
  if (on !== undefined && at === undefined) source.problem([...path, 'on'], `${path.join('.')}.on goes with at`);
}

function targetsOf({ targets }: FlowSettings, folder: string): Map<string, FlowTarget> {
  const none: Places = { folder, targets: new Map() };
  return new Map(
    Object.entries(targets).map(([name, target]) => {
      const { to, bandwidth, parallel } =
        typeof target === 'string' ? { to: target, bandwidth: undefined, parallel: undefined } : target;
      return [name, { name, address: addressOf(to, none) ?? resolve(folder, to), bytesPerSecond: bandwidth, parallel }];
    }),
  );
}

function healthPlace(health: string | number | undefined, folder: string): string | undefined {
  if (health === undefined || /^\d+$/.test(String(health))) return health === undefined ? undefined : String(health);
  return resolve(folder, String(health));
}
