/**
 * One question to a model that is shown a picture: an endpoint of chat completions in OpenAI's form.
 *
 * A server that is overloaded is asked {@link ATTEMPTS} times, after the wait that it asks for. Answers are kept until the run that
 * they are for has come to its end, so a run that a slow or absent server broke off asks for the rest alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { sha256Hex } from '../../core/ids.ts';
import { isInterruption, LabelsmithError, messageOf } from '../../errors.ts';
import { isPassing, retryAfterMs } from '../../fetch/download.ts';

export interface NamerOptions {
  /** Up to `/v1`; `/chat/completions` is added. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token, to that address alone. */
  readonly apiKey?: string;
  /** For one answer, in ms (default 120,000: a large model on a small machine is slow). */
  readonly timeoutMs?: number;
  /** An answer for a cluster in which there is no name that can be used, as it came; the cluster gets none by it. */
  readonly onNoName?: (answer: string) => void;
  /** Where answers are kept until {@link forgetAnswers} (default: nowhere). */
  readonly answers?: Answers;
  /** Wait before an overloaded server is asked again, where it names none, in ms (default 1,000, doubled each time). */
  readonly backoffMs?: number;
  readonly signal?: AbortSignal;
}

type Answers = Pick<BlobStore, 'get' | 'put' | 'list' | 'delete'>;

/** An answer is a few hundred bytes; what is much larger is none. */
const MAX_BYTES = 1 << 20;
const ATTEMPTS = 3;
/** The longest wait that a server may ask for. */
const MAX_WAIT_MS = 60_000;
const KEPT = 'namer/';

const COMPLETION = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });

/** @param sheet a JPEG. @returns the answer's text, empty where it has none */
export async function complete(
  sheet: Uint8Array,
  { question, maxTokens }: { readonly question: string; readonly maxTokens: number },
  options: NamerOptions,
): Promise<string> {
  const { url, model, answers } = options;
  const key = `${KEPT}${sha256Hex(JSON.stringify([url, model, question, sha256Hex(sheet)])).slice(0, 32)}.txt`;
  const kept = await answers?.get(key);
  if (kept) return Buffer.from(kept).toString('utf8');
  const image = `data:image/jpeg;base64,${Buffer.from(sheet).toString('base64')}`;
  const content = [
    { type: 'text', text: question },
    { type: 'image_url', image_url: { url: image } },
  ];
  const body = { model, messages: [{ role: 'user', content }], temperature: 0, max_tokens: maxTokens };
  const text = COMPLETION.safeParse(jsonOf(await answerTo(body, options))).data?.choices[0]?.message.content ?? '';
  if (text !== '') await answers?.put(key, Buffer.from(text));
  return text;
}

/** What was kept for a run that has come to its end. */
export async function forgetAnswers(answers: Answers): Promise<void> {
  for await (const { key } of answers.list(KEPT)) await answers.delete(key);
}

interface Question {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
}

/** As newer models of clouds take it, which think before they answer: under another name, with room for that, and at no temperature. */
function forThinkers({ max_tokens = 0, temperature: _, ...question }: Question): Question {
  return { ...question, max_completion_tokens: max_tokens + THINKING_TOKENS };
}

const THINKING_TOKENS = 4000;

async function answerTo(question: Question, options: NamerOptions): Promise<string> {
  const { backoffMs = 1000, signal } = options;
  let asked = question;
  for (let tried = 1; ; tried++) {
    const { status, text, waitMs = backoffMs * 2 ** (tried - 1) } = await ask(JSON.stringify(asked), options);
    if (status >= 200 && status < 300) return text;
    if (status === 400 && asked.max_tokens !== undefined && text.includes('max_completion_tokens')) {
      asked = forThinkers(asked);
      continue;
    }
    if (tried < ATTEMPTS && isPassing(status) && waitMs <= MAX_WAIT_MS) {
      await sleep(waitMs, undefined, { signal });
      continue;
    }
    throw new LabelsmithError('NETWORK', `the namer at ${options.url} answered ${status}: ${text.slice(0, 200)}`, {
      hint: `Check --namer and --namer-model; a key goes into LABELSMITH_NAMER_KEY.${resumed(options)}`,
    });
  }
}

interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly waitMs: number | undefined;
}

async function ask(body: string, options: NamerOptions): Promise<HttpAnswer> {
  const { url, apiKey, timeoutMs = 120_000, signal } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body,
      // A token must not follow to another host, nor the pictures.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await boundedText(response);
    return { status: response.status, text, waitMs: retryAfterMs(response.headers.get('retry-after')) };
  } catch (error) {
    if (error instanceof LabelsmithError || isInterruption(error) || signal?.aborted) throw error;
    const late = timeout.aborted;
    const why = late ? `gave no answer within ${timeoutMs / 1000} seconds` : `cannot be reached: ${reasonOf(error)}`;
    const then = late
      ? 'A large model on a small machine is slow: --namer-timeout gives it more time.'
      : 'Start it (ollama serve, say), or leave --namer out: clusters need no names to be made.';
    throw new LabelsmithError('NETWORK', `the namer at ${url} ${why}`, {
      cause: error,
      hint: `${then}${resumed(options)}`,
    });
  }
}

function resumed({ answers }: NamerOptions): string {
  return answers === undefined ? '' : ' Its answers so far are kept: the same command asks for the rest.';
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

async function boundedText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > MAX_BYTES) throw new LabelsmithError('NETWORK', 'the namer’s answer has no end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Undefined where a text is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
