/**
 * Runs a module on untrusted input in a process of its own, within bounds of time and memory.
 *
 * The module is one that {@link answerOnce} is called in: it gets one message and answers with one. Whatever it does in
 * native code, the caller goes on: past a bound, or when the caller is told to stop or ends, the process is killed. It
 * has the environment of this process, and what it prints goes nowhere.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { LabelsmithError } from '../errors.ts';

export interface Limits {
  /** From start to answer, in ms. */
  readonly timeoutMs: number;
  /** Of the process's resident memory. It is looked at twenty times a second. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** What stopped it, when it was a bound. */
export class LimitExceeded extends LabelsmithError {
  readonly limit: 'time' | 'memory';

  constructor(limit: 'time' | 'memory', { timeoutMs, maxBytes }: Limits) {
    const what = limit === 'time' ? `${timeoutMs / 1000} s` : `${Math.round(maxBytes / 2 ** 20)} MB of memory`;
    super('BAD_FILE', `it was stopped: it took more than ${what}`);
    this.limit = limit;
  }
}

/** What goes to the process and comes back from it. */
export interface Order {
  readonly maxBytes: number;
  readonly task: unknown;
}
export type Answer =
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly code: LabelsmithError['code'] | null;
      readonly message: string;
      readonly hint?: string;
    };

/** Written by the process's guard on its standard output before it ends the process. */
export const OUT_OF_MEMORY = 'out of memory';

/**
 * Gives the module's answer; its type is what the module's author says it is.
 * @param module URL of a file that calls {@link answerOnce}
 */
export async function runLimited<Result>(module: URL, task: unknown, limits: Limits): Promise<Result> {
  limits.signal?.throwIfAborted();
  const child = fork(module, {
    execArgv: typeStripping(),
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, limits.timeoutMs);
  process.once('exit', kill);
  limits.signal?.addEventListener('abort', kill);
  try {
    const answer = await answerOf(child, { maxBytes: limits.maxBytes, task });
    if (typeof answer !== 'string') return resultOf<Result>(answer);
    limits.signal?.throwIfAborted();
    if (answer.includes(OUT_OF_MEMORY)) throw new LimitExceeded('memory', limits);
    if (isLate) throw new LimitExceeded('time', limits);
    throw new LabelsmithError('BAD_FILE', 'the process that looked at it died', {
      hint: 'The file may be made to harm, or the machine is out of memory.',
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
    limits.signal?.removeEventListener('abort', kill);
    kill();
  }
}

/** The answer, or what the process printed when it ended without one. */
function answerOf(child: ChildProcess, order: Order): Promise<Answer | string> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer | string>();
  let printed = '';
  child.stdout?.on('data', (text) => {
    printed += text;
  });
  child.once('message', (answer) => resolve(answer as Answer));
  child.once('error', reject);
  child.once('close', () => resolve(printed));
  child.send(order);
  return promise;
}

function resultOf<Result>(answer: Answer): Result {
  if (answer.kind === 'done') return answer.result as Result;
  const { code, message, hint } = answer;
  // An error of another kind is a fault of the module's, and is said as one.
  throw code === null ? new Error(message) : new LabelsmithError(code, message, { hint });
}

/** Of the flags of this process, those that a file in TypeScript needs. */
function typeStripping(): string[] {
  return process.execArgv.filter((flag) => /^--experimental-(?:strip|transform)-types$/.test(flag));
}
