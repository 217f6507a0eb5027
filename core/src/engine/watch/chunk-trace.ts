import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { BatchPlan } from '../runner/prepare.ts';
import type { ChunkLease } from '../store.ts';
import type { CallStatus } from './call-status.ts';
import { parseTraceParent } from './trace-parent.ts';

const BROKEN: ReadonlySet<CallStatus> = new Set(['threw', 'timeout', 'aborted', 'invalid']);

/** The spans of one chunk: its own, and below it those of its calls and flushes. */
export interface ChunkTrace {
  call(
    operation: 'call' | 'resolve',
    jobs: number,
  ): { run<T>(make: () => T): T; end(status: CallStatus): void };
  /** Answers a function that ends it. */
  flush(events: number): (applied: boolean) => void;
  end(): void;
}

/**
 * Begins the span of a chunk, as a child of what was active when its batch was submitted.
 * Undefined if nobody records it: no SDK, or not sampled.
 */
export function traceChunk(tracer: Tracer, lease: ChunkLease, { batch }: BatchPlan): ChunkTrace | undefined {
  const submitter = parseTraceParent(batch.traceParent);
  const parent = submitter === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, submitter);
  const span = tracer.startSpan(`chunk ${batch.type}`, { kind: SpanKind.CONSUMER }, parent);
  if (!span.isRecording()) return undefined;
  const labels = {
    'batchsender.type': batch.type,
    'batchsender.provider': batch.provider,
    'batchsender.attempt': lease.attempt,
  };
  span.setAttributes({
    ...labels,
    'batchsender.batch_id': batch.batchId,
    'batchsender.chunk_id': lease.chunkId,
    'batchsender.jobs': lease.size,
  });
  const inChunk = trace.setSpan(ROOT_CONTEXT, span);
  const target = `${batch.type}.${batch.provider}`;
  return {
    call(operation, jobs) {
      const call = tracer.startSpan(`${operation} ${target}`, { kind: SpanKind.CLIENT }, inChunk);
      call.setAttributes({ ...labels, 'batchsender.jobs': jobs });
      return callSpan(call, trace.setSpan(inChunk, call));
    },
    flush(events) {
      const flush = tracer.startSpan(`flush ${batch.type}`, {}, inChunk);
      flush.setAttribute('batchsender.events', events);
      return (applied) => {
        flush.setAttribute('batchsender.applied', applied);
        flush.end();
      };
    },
    end: () => span.end(),
  };
}

function callSpan(span: Span, inCall: Context): ReturnType<ChunkTrace['call']> {
  return {
    // What the provider's code does, such as its HTTP requests, comes below the call.
    run: (make) => context.with(inCall, make),
    end(status) {
      span.setAttribute('batchsender.status', status);
      if (BROKEN.has(status)) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}
