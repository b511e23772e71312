/** How far the work of a fleet is, in words: drawn over and over, and what came of it. */
import { z } from 'zod';
import { formatCount, plural } from '../../core/count-text.ts';
import type { CommandEnd, CommandState } from '../../jobs/fleet/commands.ts';
import type { Workspace } from '../../jobs/workspace.ts';
import { costOf, type FleetView } from '../../stages/worker/follow.ts';
import { followFleet } from '../../stages/worker/follow-fleet.ts';
import type { Context } from '../command.ts';
import { UNTAKEN } from '../output.ts';
import { formatDuration, oneLine, table } from '../words.ts';
import { workspaceOption } from '../workspace-option.ts';

/** Until nothing is under way, or somebody has seen enough. @returns the exit code of what was followed */
export async function followAndTell(
  workspace: Workspace,
  { global, output, signal }: Pick<Context, 'global' | 'output' | 'signal'>,
): Promise<number> {
  const { price } = global;
  const board = output.board();
  const view = await followFleet(workspace, { signal, onView: (now) => board.show(boardOf(now, price)) });
  board.done();
  if (view === undefined) return 0;
  output.document({ ...view, ...(price !== undefined && { cost: costOf(view, price) }) });
  if (!view.isOver) {
    output.note(`It goes on without you. See it again: ${statusCommand(workspace)}`);
    return 0;
  }
  const { command } = view;
  if (command === undefined) {
    output.summary('Nothing is under way.');
    return 0;
  }
  if (command.state.kind === 'ended') tellSummary(output, command.state.end, workspace);
  const cost = price === undefined ? '' : ` It cost ${money(costOf(view, price).soFar)}.`;
  output.summary(`${commandText(command)}${cost}`);
  return outcomeOf(command.state).exitCode;
}

/** What the command said at its end, as it would have been said here. */
function tellSummary(
  output: Context['output'],
  { summary, document }: CommandEnd,
  { location }: Pick<Workspace, 'location'>,
): void {
  if (summary === '') return;
  for (const line of summary.split('\n')) output.summary(line);
  if (WITH_REPORT.safeParse(document).success) {
    output.summary(
      `The report is on the machine that ran it; here it is made with labelsmith report OUT.html${workspaceOption(location)}`,
    );
  }
  output.summary();
}

/** Passwords are left out. */
export function statusCommand({ location }: Pick<Workspace, 'location'>): string {
  return `labelsmith status --follow${workspaceOption(location)}`;
}

/** What came of a command, as one sentence. */
export function commandText({ words, state }: NonNullable<FleetView['command']>): string {
  return `labelsmith ${oneLine(words.join(' '))}: ${outcomeOf(state).text}.`;
}

const WITH_REPORT = z.object({ report: z.string() });
const FAILURE = z.object({ error: z.object({ message: z.string() }) });

function outcomeOf(state: CommandState): { readonly text: string; readonly exitCode: number } {
  switch (state.kind) {
    case 'ended': {
      const { exitCode, document } = state.end;
      const reason = FAILURE.safeParse(document).data?.error.message;
      return { text: reason ?? (exitCode === 0 ? 'done' : `ended with ${exitCode}`), exitCode };
    }
    case 'failed':
      return { text: `no worker got it to its end: ${oneLine(state.reason)}`, exitCode: 1 };
    case 'cancelled':
      return { text: 'was taken back', exitCode: 1 };
    case 'gone':
      return { text: 'is long over', exitCode: 0 };
    case 'waiting':
    case 'running':
      return { text: 'goes on', exitCode: 0 };
    default:
      return state satisfies never;
  }
}

/** @param price of a worker's hour, in whatever money it is */
export function boardOf(view: FleetView, price: number | undefined): string[] {
  const { command, run, paused } = view;
  const lines: string[] = [];
  if (command)
    lines.push(`${oneLine(command.words.join(' '))}: ${stateText(command.state)}${paused ? ', paused' : ''}`);
  else if (paused) lines.push('paused: labelsmith worker resume');
  const progress = run?.progress;
  if (run && progress === undefined) lines.push(`${run.stage}  for ${formatDuration(run.elapsedMs)}`);
  if (run && progress) {
    const { done, total, rate, remainingMs, isUntaken, workers } = progress;
    const parts = [total === null ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`];
    if (rate > 0) parts.push(`${rate.toFixed(1)}/s by ${plural(workers.length, 'worker')}`);
    if (remainingMs !== null) parts.push(`${formatDuration(remainingMs)} left`);
    if (isUntaken) parts.push(UNTAKEN);
    lines.push(`${run.stage}  ${parts.join('  ')}`);
    if (workers.length > 0) {
      const rows = workers.map(({ name, items, rate: own }) => [name, formatCount(items), `${own.toFixed(1)}/s`]);
      lines.push(...table([['worker', 'items', 'rate'], ...rows]).map((line) => `  ${line}`));
    }
  }
  if (price !== undefined) {
    const { soFar, left } = costOf(view, price);
    lines.push(
      `cost  ${money(soFar)} so far${left === undefined ? '' : `, ${money(left)} more for ${run?.stage ?? ''}`}`,
    );
  }
  return lines;
}

function stateText(state: CommandState): string {
  if (state.kind === 'waiting') return 'waits for a worker that runs it';
  if (state.kind === 'running') return state.attempt === 1 ? 'under way' : `under way, begun ${state.attempt} times`;
  return outcomeOf(state).text;
}

const money = (amount: number) => amount.toFixed(2);
