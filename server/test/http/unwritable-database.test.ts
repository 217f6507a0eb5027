import { afterEach, describe, expect, test } from 'vitest';
import { eventually, startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
afterEach(() => server.stop());

/** A read-only database, as a standby or an operator's order makes it; sessions that are open do not know yet. */
const READ_ONLY = (is: boolean) => `
SET TRANSACTION READ WRITE;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ${is ? 'on' : 'off'}', current_database()); END $$;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'batchsender%'`;

/** What Postgres says when its disk is full, said by triggers. */
const FULL = `
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file: No space left on device'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON batchsender.jobs FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON batchsender.batches FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON batchsender.job_event_rows FOR EACH STATEMENT EXECUTE FUNCTION full_disk()`;

const ROOM = 'DROP FUNCTION full_disk() CASCADE';

describe.each([
  ['read-only', READ_ONLY(true), READ_ONLY(false)],
  ['full', FULL, ROOM],
])('a database that is %s', (_what, break_, mend) => {
  test('answers 503 as a problem to whoever would write, keeps what was taken, and goes on afterwards', async () => {
    server = await startApp();
    const { api } = server;
    const kept = (await api('/v1/batches', { type: 'note', jobs: [{ to: 'kept' }], sealed: false })).body;
    const open = await server.openBatch();
    await server.sql(break_);
    const writes = {
      batch: () => api('/v1/batches', { type: 'note', jobs: [{ to: 'lost' }] }),
      job: () => api('/v1/jobs', { type: 'note', payload: { to: 'lost' } }),
      keyed: () => api('/v1/batches', { type: 'note', jobs: [{ to: 'once' }] }, { 'idempotency-key': 'k' }),
      upload: () => server.upload(open, '{"to":"lost"}\n'),
    };
    for (const [name, write] of Object.entries(writes)) {
      // A connection that was cut says so first; then the database itself answers.
      const { status, headers, body } = await eventually(async () => {
        const answer = await write();
        return String(answer.body.detail).includes('takes no writes') && answer;
      });
      expect([name, status, body.code]).toEqual([name, 503, 'database_unavailable']);
      expect(headers.get('content-type')).toMatch('application/problem+json');
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    }
    await server.sql(mend);
    const again = await eventually(async () => {
      const answer = await writes.keyed();
      return answer.status === 201 && answer;
    });
    await server.untilState(again.body.id, 'completed');
    await api(`/v1/batches/${kept.id}/seal`, null);
    await server.untilState(kept.id, 'completed');
    expect(server.calls.toSorted()).toEqual(['kept', 'once']);
  });
});
