/** One command line: signals, streams that end, exit codes, and how an error is shown. */
import { exitCodeOf, LabelsmithError } from '../errors.ts';
import { commandsNamedIn } from './commands/table.ts';
import { asLabelsmithError, failureDocument, failureText } from './failures.ts';
import { runCommandLine } from './program.ts';
import { jsonText, printable } from './words.ts';

const STOPPING = 'Stopping after what is under way; press Ctrl-C again to stop at once (nothing is lost).';
const LOOKING_AWAY = 'No longer following.';

const interrupt = new AbortController();
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// Windows: Ctrl-Break, and what ends a process there gently; it has no SIGTERM from outside.
if (process.platform === 'win32') process.on('SIGBREAK', onSignal);

function onSignal(): void {
  if (interrupt.signal.aborted) process.exit(130);
  // Who only looks has no shard under way, and ends nobody's work.
  const isLooking = process.argv.includes('--follow');
  process.stderr.write(`\n${isLooking ? LOOKING_AWAY : STOPPING}\n`);
  interrupt.abort(
    new LabelsmithError('INTERRUPTED', 'interrupted', { hint: 'Run it again: it does what is missing.' }),
  );
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that closes the pipe (`| head`) has what it wanted.
  if (error.code === 'EPIPE') process.exit(0);
  const reason = asLabelsmithError(error)?.message ?? error.message;
  process.stderr.write(`labelsmith: the output cannot be written: ${printable(reason)}\n`);
  process.exit(1);
});
// Nobody hears what is remarked; the work is done all the same.
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

try {
  const argv = process.argv.slice(2);
  process.exitCode = await runCommandLine(argv, await commandsNamedIn(argv), interrupt.signal);
  if (interrupt.signal.aborted) process.exitCode = 130;
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`${printable(failureText(error))}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${jsonText(failureDocument(error))}\n`);
}
