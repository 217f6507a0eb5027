import { context, isSpanContextValid, type SpanContext, trace } from '@opentelemetry/api';

/** A span context as W3C's `traceparent`. */
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The active span as `traceparent`, to be stored with what it submits; null if nothing is traced. */
export function activeTraceParent(): string | null {
  const span = trace.getSpanContext(context.active());
  if (span === undefined || !isSpanContextValid(span)) return null;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** Undefined for a text that is none. */
export function parseTraceParent(text: string | null): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACE_PARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(span) ? span : undefined;
}

/** Of jobs that share a batch only one can be its parent: the first one that is recorded. */
export function sharedTraceParent(parents: readonly (string | null)[]): string | null {
  return (
    parents.find((parent) => (parseTraceParent(parent)?.traceFlags ?? 0) === 1) ??
    parents.find((parent) => parent !== null) ??
    null
  );
}
