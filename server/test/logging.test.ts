import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger, safeError } from '../src/logging.ts';
import { KEY, startApp, type TestApp } from './helpers/app.ts';

const CANARY = 'canary-7f3a';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

test('no request leaves its key, payload, address, query or headers in the log', async () => {
  const canary = { to: `${CANARY}@example.com`, text: CANARY };
  const { id } = (await server.api('/v1/batches', { type: 'note', name: CANARY, jobs: [canary] })).body;
  await server.untilState(id, 'completed');
  await server.api('/v1/batches', { type: 'note', jobs: [{ ...canary, [CANARY]: 1 }] });
  await server.api('/v1/batches', `{"type":"note","${CANARY}`);
  await server.api(`/v1/batches?cursor=${CANARY}`);
  await server.api(`/v1/batches?${CANARY}=1`);
  await server.api(`/v1/batches/${CANARY}?key=${CANARY}`);
  await server.api(`/${CANARY}`);
  await server.api(
    '/v1/jobs',
    { type: 'note', payload: canary },
    { 'idempotency-key': CANARY, 'x-custom': CANARY },
  );
  await server.api('/v1/batches', { type: CANARY });
  const open = await server.openBatch();
  await server.upload(open, `${JSON.stringify(canary)}\n{"${CANARY}":\n`);
  await server.upload(open, `${JSON.stringify({ to: 'x', [CANARY]: CANARY })}\n`);
  await fetch(`${server.url}/v1/batches`, { headers: { authorization: `Bearer ${CANARY}` } });

  const log = server.log();
  expect(log.split('\n').length).toBeGreaterThan(10);
  expect(log).not.toContain(CANARY);
  expect(log).not.toContain(KEY);
});

test('a request is logged by its route, status, duration and id', async () => {
  const { body } = await server.api('/v1/batches/banana');
  const line = server
    .log()
    .split('\n')
    .find((text) => text.includes(body.requestId));
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 30,
    msg: 'request',
    method: 'GET',
    route: '/v1/batches/:batchId',
    status: 404,
    durationMs: expect.any(Number),
  });
});

test('an error is logged without its message, which may quote data', () => {
  const error = Object.assign(new Error(`duplicate key (email)=(${CANARY})\n    at ${CANARY}`), {
    code: '23505',
    detail: CANARY,
    cause: new SyntaxError(`Unexpected token in "${CANARY}"`),
  });
  const described = safeError(error);
  expect(JSON.stringify(described)).not.toContain(CANARY);
  expect(described).toMatchObject({ type: 'Error', code: '23505', cause: { type: 'SyntaxError' } });
  expect(described.stack?.[0]).toContain('logging.test');
});

test('messages of the language and of the system are kept', () => {
  expect(safeError(new TypeError('x is not a function')).message).toBe('x is not a function');
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { syscall: 'connect' });
  expect(safeError(refused).message).toContain('ECONNREFUSED');
});

test('errors that plugins log by any of the usual names are described in the same way', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line: string) => lines.push(line) });
  logger.error({ err: new Error(CANARY) }, 'one');
  logger.error({ error: new Error(CANARY) }, 'two');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain(CANARY);
});
