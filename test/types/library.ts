/**
 * The types of the public face, checked by the compiler alone: what must be accepted, and what must be refused. A line
 * behind `@ts-expect-error` that is accepted is an error too. Nothing here runs.
 */
import {
  type AddOptions,
  type Box,
  type DetectOptions,
  type ErrorCode,
  type ImageId,
  type Label,
  LabelsmithError,
  type Origin,
  type openDetector,
  openWorkspace,
  type RegionId,
  type RunId,
  type Source,
  type Workspace,
} from '../../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_ extends true>(): void {}

export async function workspaces(): Promise<void> {
  const workspace = await openWorkspace('x', { create: true });
  holds<Equal<typeof workspace, Workspace>>();
  holds<Equal<Awaited<ReturnType<typeof workspace.store.countImages>>, number>>();
  // @ts-expect-error whether it may be made has to be said
  await openWorkspace('x');
  // @ts-expect-error a workspace is not changed from outside
  workspace.dir = 'y';
}

export function options(): void {
  const add: AddOptions = { seed: 0, threads: 2, sync: false };
  // @ts-expect-error a seed is a number
  const wrong: AddOptions = { ...add, seed: 'now' };
  // @ts-expect-error an option that does not exist
  const unknown: DetectOptions = { ...add, rules: {}, force: false, task: 'objects', tresholds: 0.5 };
  void [wrong, unknown];
}

export function labels(label: Label): void {
  holds<Equal<typeof label.origin, Origin>>();
  // @ts-expect-error labels are values
  label.confidence = 1;
  // @ts-expect-error there is no such origin
  const origin: Origin = 'oracle';
  void origin;
}

export function ids(image: ImageId, region: RegionId, run: RunId, workspace: Workspace): void {
  // A string of which nothing is known may be any of them.
  void workspace.store.image('a'.repeat(64));
  void workspace.store.image(image);
  // @ts-expect-error a region is no image
  void workspace.store.image(region);
  // @ts-expect-error a run is no image
  void workspace.store.image(run);
  // @ts-expect-error an item may be a region
  void workspace.store.image(Math.random() < 0.5 ? image : region);
}

export function errors(error: unknown): string {
  if (!(error instanceof LabelsmithError)) return '';
  holds<Equal<typeof error.code, ErrorCode>>();
  // @ts-expect-error there is no such code
  if (error.code === 'NOPE') return '';
  return error.hint ?? error.message;
}

export function sources(source: Source): void {
  const { spec, root, list } = source;
  const own: Source = { spec, root, list };
  // @ts-expect-error a source lists
  const none: Source = { spec, root };
  void [own, none];
}

export async function detectors(open: typeof openDetector): Promise<void> {
  const detector = await open('centernet', { threads: 1 });
  // @ts-expect-error the name of a model has to be said
  await open();
  const box: Box = [0, 0, 1, 1];
  // @ts-expect-error a box has four numbers
  const short: Box = [0, 0, 1];
  void [detector.classNames, box, short];
}
