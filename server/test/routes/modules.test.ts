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
