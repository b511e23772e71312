/** How a flow is, on one page. */
import { formatBytes } from '../../core/byte-size.ts';
import { formatCount, plural } from '../../core/count-text.ts';
import type { FlowLife, FlowState, ScheduleState } from '../../flow/flow-state.ts';
import type { FlowTargetState } from '../../flow/pushed.ts';
import { countsText } from '../../flow/schedule.ts';
import type { Output } from '../output.ts';
import { formatDuration, oneLine } from '../words.ts';

export interface FlowPage {
  readonly state: FlowState;
  readonly life: FlowLife;
  readonly targets: readonly FlowTargetState[];
  readonly nowMs: number;
}

export function printFlow(output: Output, { state, life, targets, nowMs }: FlowPage): void {
  const ago = (atMs: number) => `${formatDuration(Math.max(0, nowMs - atMs))} ago`;
  output.line(`${oneLine(state.file)}: ${lifeText(state, life, ago)}`);
  if (state.reloadError !== null)
    output.line(`  not read again: ${state.reloadError.split('\n').map(oneLine).join('\n    ')}`);
  if (state.captureError !== null) output.line(`  cameras: ${oneLine(state.captureError)}`);
  for (const camera of state.cameras) {
    const { name, written, dropped, broken, reconnects, lastFrameAtMs, lastError } = camera;
    const parts = [camera.state, `${formatCount(written)} written`];
    if (dropped > 0) parts.push(`${formatCount(dropped)} dropped`);
    if (broken > 0) parts.push(`${formatCount(broken)} broken`);
    if (reconnects > 0) parts.push(plural(reconnects, 'reconnect'));
    if (lastFrameAtMs !== null) parts.push(`last frame ${ago(lastFrameAtMs)}`);
    if (lastError !== null) parts.push(oneLine(lastError));
    output.line(`  camera ${oneLine(name)}: ${parts.join(', ')}`);
  }
  if (state.watch !== null) {
    const { folder, images, unfit, latencyMs, lastBatchAtMs, lastError } = state.watch;
    const parts = [`${plural(images, 'image')}`];
    if (unfit > 0) parts.push(`${formatCount(unfit)} without a class`);
    if (latencyMs > 0) parts.push(`labelled after ${formatDuration(latencyMs)}`);
    if (lastBatchAtMs !== null) parts.push(`last ${ago(lastBatchAtMs)}`);
    if (lastError !== null) parts.push(oneLine(lastError));
    output.line(`  watch ${oneLine(folder)}: ${parts.join(', ')}`);
  }
  for (const schedule of state.schedules) printSchedule(output, schedule, nowMs, ago);
  for (const { name, address, pushed } of targets) {
    const files = pushed.reduce((sum, one) => sum + one.files, 0);
    const bytes = pushed.reduce((sum, one) => sum + one.byteSize, 0);
    const last = Math.max(0, ...pushed.map((one) => one.lastPushedAtMs));
    const what =
      files === 0 ? 'nothing pushed yet' : `${plural(files, 'file')}, ${formatBytes(bytes)}, last ${ago(last)}`;
    output.line(`  target ${oneLine(name)} ${oneLine(address)}: ${what}`);
  }
}

function lifeText({ pid, startedAtMs, atMs, stoppedAtMs }: FlowState, life: FlowLife, ago: (atMs: number) => string) {
  switch (life) {
    case 'running':
      return `runs as process ${pid}, begun ${ago(startedAtMs)}`;
    case 'stopped':
      return `stopped ${ago(stoppedAtMs ?? atMs)}`;
    case 'killed':
      return `was killed about ${ago(atMs)}; labelsmith run goes on`;
    case 'silent':
      return `has said nothing since ${ago(atMs)} (process ${pid})`;
    default:
      return life satisfies never;
  }
}

function printSchedule(output: Output, schedule: ScheduleState, nowMs: number, ago: (atMs: number) => string): void {
  const { name, times, stage, runs, failures, lastEndedAtMs, nextAtMs, lastError, counts } = schedule;
  const parts = [
    times,
    schedule.state === 'running' ? `runs ${stage ?? ''}`.trim() : schedule.state,
    plural(runs, 'time'),
  ];
  if (failures > 0) parts.push(`${formatCount(failures)} failed`);
  if (lastEndedAtMs !== null) parts.push(`last ${ago(lastEndedAtMs)}`);
  if (nextAtMs !== null) parts.push(`next in ${formatDuration(Math.max(0, nextAtMs - nowMs))}`);
  output.line(`  schedule ${oneLine(name)}: ${parts.join(', ')}`);
  for (const one of counts) output.line(`    ${one.stage}: ${countsText(one.counts)}`);
  if (lastError !== null) output.line(`    failed at ${oneLine(lastError)}`);
}
