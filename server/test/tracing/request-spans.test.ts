import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, startApp, type TestApp } from '../helpers/app.ts';
import { moodyPlugin } from '../helpers/moody-plugin.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const sampled = { traceparent: `00-${TRACE}-${CALLER}-01` };

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
/** The active span when the provider of the plugin worked. */
let seenByPlugin: string | undefined;
let server: TestApp;

beforeAll(async () => {
  provider.register();
  const plugin = moodyPlugin(Promise.resolve(), () => {
    seenByPlugin = trace.getSpanContext(context.active())?.spanId;
  });
  server = await startApp({ plugins: [plugin], retry: { baseMs: 10 } });
});
afterAll(async () => {
  await server.stop();
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});
beforeEach(() => exporter.reset());

const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
const ofTrace = (traceId: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);

/** The spans of a trace when there is one of these names each. */
const spansOf = (traceId: string, ...names: string[]): Promise<ReadableSpan[]> =>
  eventually(async () => {
    const spans = ofTrace(traceId);
    const found = names.map((name) => spans.find((span) => span.name === name));
    return found.every((span) => span !== undefined) && (found as ReadableSpan[]);
  });

test('a trace goes from the POST to the call of the provider', async () => {
  const { body } = await server.api('/v1/batches', { type: 'moody', jobs: [{ to: 'a' }] }, sampled);
  await server.untilState(body.id, 'completed');
  const [post, chunk, call, flush] = (await spansOf(
    TRACE,
    'POST /v1/batches',
    'chunk moody',
    'call moody.local',
    'flush moody',
  )) as [ReadableSpan, ReadableSpan, ReadableSpan, ReadableSpan];
  expect(post.parentSpanContext?.spanId).toBe(CALLER);
  expect(chunk.parentSpanContext?.spanId).toBe(idOf(post));
  expect(call.parentSpanContext?.spanId).toBe(idOf(chunk));
  expect(flush.parentSpanContext?.spanId).toBe(idOf(chunk));
  expect(seenByPlugin).toBe(idOf(call));
  expect([post.kind, chunk.kind, call.kind]).toEqual([SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.CLIENT]);
  expect(post.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/batches',
    'http.response.status_code': 201,
  });
  expect(call.attributes).toEqual({
    'batchsender.type': 'moody',
    'batchsender.provider': 'local',
    'batchsender.attempt': 1,
    'batchsender.jobs': 1,
    'batchsender.status': 'succeeded',
  });
  expect(chunk.attributes).toMatchObject({ 'batchsender.batch_id': body.id, 'batchsender.jobs': 1 });
});

test('a retry is in the same trace, with the number of its attempt', async () => {
  const { body } = await server.api(
    '/v1/batches',
    { type: 'moody', jobs: [{ to: 'r', mood: 'once' }] },
    sampled,
  );
  await server.untilState(body.id, 'completed');
  const calls = await eventually(async () => {
    const found = ofTrace(TRACE).filter(({ name }) => name === 'call moody.local');
    return found.length === 2 && found;
  });
  expect(
    calls.map(({ attributes }) => [attributes['batchsender.attempt'], attributes['batchsender.status']]),
  ).toEqual([
    [1, 'retry'],
    [2, 'succeeded'],
  ]);
});

test('jobs that are uploaded later, and single jobs, are in the trace of what made their batch', async () => {
  const { body: open } = await server.api('/v1/batches', { type: 'moody' }, sampled);
  await server.upload(open.id, '{"to":"u"}\n');
  await server.api(`/v1/batches/${open.id}/seal`, null);
  await server.untilState(open.id, 'completed');
  await spansOf(TRACE, 'POST /v1/batches', 'call moody.local');
  const traceId = TRACE.replace('0af', '1af');
  await server.api(
    '/v1/jobs',
    { type: 'moody', payload: { to: 's' } },
    { traceparent: `00-${traceId}-${CALLER}-01` },
  );
  await spansOf(traceId, 'POST /v1/jobs', 'chunk moody', 'call moody.local');
});

test('what the caller did not sample leaves no span', async () => {
  const traceId = TRACE.replace('0af', '2af');
  const { body } = await server.api(
    '/v1/batches',
    { type: 'moody', jobs: [{ to: 'q' }] },
    { traceparent: `00-${traceId}-${CALLER}-00` },
  );
  await server.untilState(body.id, 'completed');
  // A trace of its own, begun later, has ended: nothing of the other can still come.
  const { body: other } = await server.api('/v1/batches', { type: 'moody', jobs: [{ to: 'o' }] }, sampled);
  await server.untilState(other.id, 'completed');
  await spansOf(TRACE, 'chunk moody');
  expect(ofTrace(traceId)).toEqual([]);
});

test('spans hold no payload, address or URL', async () => {
  const jobs = [{ to: 'secret-person', mood: 'throws', host: 'secret-host.example' }];
  const { body } = await server.api('/v1/batches?', { type: 'moody', jobs }, sampled);
  await server.untilState(body.id, 'completed');
  await spansOf(TRACE, 'POST /v1/batches', 'call moody.local');
  const text = JSON.stringify(
    exporter
      .getFinishedSpans()
      .map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
  );
  expect(text).toContain('threw');
  expect(text).not.toMatch(/secret|not today|127\.0\.0\.1/);
});
