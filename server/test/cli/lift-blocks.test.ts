import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { liftBlocks } from '../../src/cli/lift-blocks.ts';
import { eventually, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await startApp();
});
afterEach(() => server.stop());

const logger = pino({ level: 'silent' });
const usable = { credentials: () => ({}) };

/** Makes a batch whose connection is blocked. */
async function blockedBatch(): Promise<{ id: string; connectionId: string }> {
  const { id } = (await server.api('/v1/batches', { type: 'note', jobs: [{ to: 'a', outcome: 'blocked' }] }))
    .body;
  return eventually(async () => {
    const { body } = await server.api(`/v1/batches/${id}`);
    return body.blocked !== null && body;
  });
}

const stateOf = async (connectionId: string): Promise<string | undefined> =>
  (await server.engine.connections.list()).find(({ id }) => id === connectionId)?.state;

test('a start takes the block off a connection that has credentials, and what waited goes on', async () => {
  const { id, connectionId } = await blockedBatch();
  await liftBlocks(server.engine, { credentials: () => undefined }, logger);
  expect(await stateOf(connectionId)).toBe('blocked');
  await liftBlocks(server.engine, usable, logger);
  expect((await server.untilState(id, 'completed')).counts).toMatchObject({ succeeded: 1, failed: 0 });
});

test('a start leaves a connection blocked whose plugin threw again and again', async () => {
  const { connectionId } = await blockedBatch();
  await server.sql(`UPDATE batchsender.connections SET blocked_code = 'provider_error'`);
  await liftBlocks(server.engine, usable, logger);
  expect(await stateOf(connectionId)).toBe('blocked');
});
