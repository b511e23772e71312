import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { MemoryQueue } from '../../../test/fleet/memory-queue.ts';
import { loadTraces, withSpan } from './traces.ts';
import { runWorker } from './worker.ts';

test('the span of a shard stands below that of its run, with what came of it, on whatever machine', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const traces = await loadTraces();
  const queue = new MemoryQueue({ heartbeatMs: 1000, retries: 0, clock: () => performance.now() });
  const run = traces.open('labelsmith detect', { 'labelsmith.run': 'r' });
  const job = {
    runId: 'r',
    stage: 'detect',
    settings: '{}',
    input: '[]',
    seed: 0,
    fingerprint: '',
    trace: run.carrier,
  };
  await withSpan(run, async () => {
    // As it travels: JSON.
    await queue.send(['0', '1'].map((shard) => JSON.parse(JSON.stringify({ ...job, shard }))));
    await runWorker({
      queue,
      traces,
      drainMs: 1,
      idleMs: 1,
      startProcess: () => ({
        hasEnded: false,
        run: async ({ shard }) => (shard === '0' ? { kind: 'done', items: 7 } : { kind: 'failed', reason: 'broken' }),
        close: async () => {},
      }),
    });
  });
  const spans = exporter.getFinishedSpans();
  const above = spans.find(({ name }) => name === 'labelsmith detect');
  assert.ok(above);
  const shards = spans.filter(({ name }) => name === 'labelsmith detect shard');
  assert.deepEqual(
    shards.map(({ attributes, status }) => [
      attributes['labelsmith.shard'],
      attributes['labelsmith.items'],
      status.message,
    ]),
    [
      ['0', 7, undefined],
      ['1', undefined, 'broken'],
    ],
  );
  assert.equal(shards[1].status.code, SpanStatusCode.ERROR);
  for (const shard of shards) {
    assert.equal(shard.parentSpanContext?.spanId, above.spanContext().spanId);
    assert.equal(shard.spanContext().traceId, above.spanContext().traceId);
  }
});
