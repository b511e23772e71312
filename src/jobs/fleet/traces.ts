/**
 * Traces of a fleet with OpenTelemetry: a span a stage that is spread, and below it a span a shard, on whatever machine it was
 * done. Only the API is spoken to, and only where it is installed; who wants traces loads an SDK before
 * (`NODE_OPTIONS=--import ./tracing.mjs`), and without one nothing is kept.
 */
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { messageOf } from '../../errors.ts';
import { optionalPackage } from '../../sources/cloud/optional-package.ts';

/** W3C trace context, as it travels with a shard. */
export type TraceCarrier = Readonly<Record<string, string>>;

export interface OpenSpan {
  /** For spans on other machines to stand below it. */
  readonly carrier: TraceCarrier;
  set(attributes: Attributes): void;
  /** @param reason why it failed; none where it did not */
  end(reason?: string): void;
}

export interface Traces {
  /** @param parent the span that it stands below, from its carrier */
  open(name: string, attributes: Attributes, parent?: TraceCarrier): OpenSpan;
}

const NO_SPAN: OpenSpan = { carrier: {}, set() {}, end() {} };
export const NO_TRACES: Traces = { open: () => NO_SPAN };

export async function loadTraces(): Promise<Traces> {
  const api = await optionalPackage('@opentelemetry/api', 'Traces', () => import('@opentelemetry/api')).catch(
    () => null,
  );
  if (api === null) return NO_TRACES;
  const { context, propagation, SpanStatusCode, trace } = api;
  const tracer = trace.getTracer('labelsmith');
  return {
    open(name, attributes, parent) {
      const above: Context = parent === undefined ? context.active() : propagation.extract(context.active(), parent);
      const span: Span = tracer.startSpan(name, { attributes }, above);
      const carrier: Record<string, string> = {};
      propagation.inject(trace.setSpan(above, span), carrier);
      return {
        carrier,
        set: (more) => void span.setAttributes(more),
        end(reason) {
          if (reason !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
          span.end();
        },
      };
    },
  };
}

/** A span for as long as `work` takes. */
export async function withSpan<T>(span: OpenSpan, work: () => Promise<T>): Promise<T> {
  let reason: string | undefined;
  try {
    return await work();
  } catch (error) {
    reason = messageOf(error);
    throw error;
  } finally {
    span.end(reason);
  }
}
