/** One command line: signals, exit codes, and how an error is shown. */
import { exitCodeOf, isInterruption, LabelsmithError, messageOf } from '../errors.ts';
import { commandsNamedIn } from './commands/table.ts';
import { runCommandLine } from './program.ts';
import { printable } from './words.ts';

const interrupt = new AbortController();
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// Windows: Ctrl-Break, and what ends a process there gently; it has no SIGTERM from outside.
if (process.platform === 'win32') process.on('SIGBREAK', onSignal);

function onSignal(): void {
  if (interrupt.signal.aborted) process.exit(130);
  process.stderr.write('\nStopping after the shard under way; press Ctrl-C again to stop at once (nothing is lost).\n');
  interrupt.abort(
    new LabelsmithError('INTERRUPTED', 'interrupted', { hint: 'Run it again: it does what is missing.' }),
  );
}

// A reader that closes the pipe (`| head`) has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const argv = process.argv.slice(2);
  process.exitCode = await runCommandLine(argv, await commandsNamedIn(argv), interrupt.signal);
  if (interrupt.signal.aborted) process.exitCode = 130;
} catch (error) {
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`${printable(describe(error))}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`);
}

function describe(error: unknown): string {
  if (error instanceof LabelsmithError) {
    const cause = process.env.LABELSMITH_DEBUG && error.stack ? `\n${error.stack}` : '';
    return `labelsmith: ${error.message}${error.hint ? `\n  ${error.hint}` : ''}${cause}`;
  }
  if (isInterruption(error)) return 'labelsmith: interrupted';
  return `labelsmith: this is a bug, please report it.\n${error instanceof Error ? error.stack : String(error)}`;
}

/** With `--json` an error is a document too, so that a program never has to read prose. */
function errorDocument(error: unknown): unknown {
  if (!(error instanceof LabelsmithError)) {
    return { error: { code: isInterruption(error) ? 'INTERRUPTED' : 'BUG', message: messageOf(error) } };
  }
  const { code, message, hint, details } = error;
  return { error: { code, message, hint, details } };
}
