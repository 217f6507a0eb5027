import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

test('the installed modules are listed with their schemas, providers and plugin', async () => {
  const { status, body } = await server.api('/v1/modules');
  expect(status).toBe(200);
  expect(body.items).toHaveLength(1);
  expect(body.items[0]).toMatchObject({
    type: 'note',
    title: 'Note',
    version: 1,
    defaultProvider: 'local',
    payload: { type: 'object', required: ['to'], properties: { to: { type: 'string' } } },
    providers: [{ name: 'local', title: 'Local', guarantee: 'at-most-once', batchSize: 1 }],
    plugin: { name: 'plugin-note', version: '1.0.0' },
  });
});

test('a job can be looked at before it is sent', async () => {
  const look = async (body: object) => (await server.api('/v1/modules/note/preview', body)).body;
  const defaults = { text: 'Dear {{ name }}' };
  expect(await look({ payload: { to: 'ada', variables: { name: 'Ada' } }, defaults })).toEqual({
    payload: { to: 'ada', text: 'Dear Ada', variables: { name: 'Ada' } },
    problems: [],
    preview: { letters: 8 },
  });
  const wrong = await look({ payload: { to: '' }, defaults: {} });
  expect([wrong.problems[0].path, wrong.preview]).toEqual(['/to', null]);
  const nameless = await look({ payload: { to: 'ada' }, defaults });
  expect(nameless.problems).toMatchObject([{ path: '/text', code: 'invalid_template' }]);
  const batches = (await server.api('/v1/batches?includeSingle=true')).body;
  expect(batches.items).toEqual([]);
});

test('a preview of an unknown type is refused, and so are defaults that no job could have', async () => {
  const unknown = await server.api('/v1/modules/banana/preview', { payload: {} });
  expect([unknown.status, unknown.body.code]).toEqual([422, 'unknown_type']);
  const bad = await server.api('/v1/modules/note/preview', {
    payload: { to: 'a' },
    defaults: { nothing: 1 },
  });
  expect([bad.status, bad.body.code]).toEqual([422, 'invalid_batch']);
});
