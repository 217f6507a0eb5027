import { Writable } from 'node:stream';
import { createEngine, type Engine, type EngineOptions } from '@batchsender/core';
import pg from 'pg';
import { testDatabase } from '../../../core/test/helpers/postgres.ts';
import { type AppOptions, buildApp } from '../../src/app.ts';
import { apiKey } from '../../src/http/auth.ts';
import { createLogger } from '../../src/logging.ts';
import { createMetrics, metricsSource } from '../../src/metrics/metrics.ts';
import type { App } from '../../src/routes/app-type.ts';
import { notePlugin } from './note-plugin.ts';

/** The API key of test servers. */
export const KEY = 'bs_test_key_of_the_suite';

/** An answer, with its body parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of many shapes
  readonly body: any;
}

/** A server over a real engine, on a port and a database of its own. */
export interface TestApp {
  readonly url: string;
  readonly app: App;
  readonly engine: Engine;
  /** What the provider of the note plugin was called with. */
  readonly calls: string[];
  /** The log so far. */
  log(): string;
  /** GET, or POST with a body: an object goes as JSON. */
  api(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Another method, with a JSON body. */
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  /** POST of a body that is sent in these pieces. */
  stream(path: string, pieces: Iterable<Uint8Array>, headers: Record<string, string>): Promise<Answer>;
  /** Uploads NDJSON. */
  upload(batchId: string, ndjson: string | Buffer, headers?: Record<string, string>): Promise<Answer>;
  /** Makes an open batch of notes; answers its id. */
  openBatch(): Promise<string>;
  /** Runs SQL on the server's database. */
  sql(text: string): Promise<void>;
  /** Waits until a batch is in a state. */
  untilState(batchId: string, state: string): Promise<Answer['body']>;
  stop(): Promise<void>;
}

/** Starts a test server. Stop it in `afterAll`. */
export async function startApp(
  options: Partial<EngineOptions> = {},
  appOptions: Partial<AppOptions> = {},
): Promise<TestApp> {
  const database = await testDatabase();
  const calls: string[] = [];
  const metrics = createMetrics('server');
  const { observer } = metrics;
  const engine = createEngine({ database: database.url, plugins: [notePlugin(calls)], observer, ...options });
  metrics.watch(engine, { backlog: true });
  await engine.start();
  const log: string[] = [];
  const app = buildApp({
    engine,
    apiKey: await apiKey(KEY, engine.settings),
    version: '1.2.3',
    logger: createLogger('debug', collector(log)),
    metrics: { source: metricsSource(metrics), isPublic: false },
    ...appOptions,
  });
  const listening: Promise<string> = app.listen({ port: 0, host: '127.0.0.1' });
  const url = await listening;
  const api = client(url);
  return {
    url,
    app,
    engine,
    calls,
    api,
    send: sender(url),
    stream: streamer(url),
    log: () => log.join(''),
    upload: (batchId, ndjson, headers) =>
      api(`/v1/batches/${batchId}/jobs`, ndjson, { 'content-type': 'application/x-ndjson', ...headers }),
    openBatch: async () => (await api('/v1/batches', { type: 'note' })).body.id,
    sql: (text) => runSql(database.url, text),
    untilState: (batchId, state) => until(api, batchId, state),
    stop: async () => {
      await app.close();
      await engine.stop({ graceMs: 1_000 });
      await database.drop();
    },
  };
}

async function runSql(url: string, text: string): Promise<void> {
  const connection = new pg.Client({ connectionString: url });
  await connection.connect();
  await connection.query(text);
  await connection.end();
}

/** Calls a server: GET, or POST if there is a body. */
export function client(url: string, key: string = KEY): TestApp['api'] {
  return async (path, body, headers = {}) => {
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined || body === null ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined || body === null ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    });
    return answerOf(response);
  };
}

function sender(url: string): TestApp['send'] {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const init =
      body === undefined
        ? { headers: { authorization: headers.authorization } }
        : { headers, body: JSON.stringify(body) };
    return answerOf(await fetch(url + path, { method, ...init }));
  };
}

function streamer(url: string): TestApp['stream'] {
  return async (path, pieces, headers) => {
    const body = ReadableStream.from(piecemeal(pieces));
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { authorization: `Bearer ${KEY}`, ...headers },
    };
    return answerOf(await fetch(url + path, init as RequestInit));
  };
}

async function* piecemeal(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    yield piece;
    // Each piece is sent on its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Waits until a condition holds. */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function until(api: TestApp['api'], batchId: string, state: string): Promise<Answer['body']> {
  return eventually(async () => {
    const { body } = await api(`/v1/batches/${batchId}`);
    return body.state === state && body;
  });
}

function collector(into: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      into.push(String(chunk));
      done();
    },
  });
}
