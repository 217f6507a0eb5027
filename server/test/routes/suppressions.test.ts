import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';
import { letterPlugin } from '../helpers/letter-plugin.ts';
import { notePlugin } from '../helpers/note-plugin.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp({ plugins: [letterPlugin(), notePlugin()] });
});
afterAll(() => server.stop());

const list = (recipients: readonly string[], more: object = {}) => ({ type: 'letter', recipients, ...more });

test('recipients are added, asked for, listed and taken off', async () => {
  const added = await server.api('/v1/suppressions', list(['ann', 'bob'], { reason: 'unsubscribed' }));
  expect([added.status, added.body]).toEqual([200, { added: 2 }]);
  expect((await server.api('/v1/suppressions', list(['ann', 'eve']))).body).toEqual({ added: 2 });
  const { body: checked } = await server.api('/v1/suppressions/check', list(['ann', 'zoe']));
  expect(checked.items).toEqual([
    {
      recipient: 'ann',
      recipientId: expect.any(String),
      suppressed: true,
      reasons: ['manual', 'unsubscribed'],
    },
    { recipient: 'zoe', recipientId: expect.any(String), suppressed: false, reasons: [] },
  ]);
  const { body: page } = await server.api('/v1/suppressions?type=letter&reason=unsubscribed&limit=1');
  expect(page.items).toMatchObject([{ type: 'letter', reason: 'unsubscribed', source: 'api' }]);
  const { body: next } = await server.api(
    `/v1/suppressions?type=letter&reason=unsubscribed&limit=1&cursor=${page.nextCursor}`,
  );
  expect(next.nextCursor).toBeNull();
  expect(JSON.stringify([page, next])).not.toMatch(/ann|bob/);
  expect((await server.api('/v1/suppressions/remove', list(['ann', 'zoe']))).body).toEqual({ removed: 1 });
});

test('a submission is told how many of its jobs will not be sent', async () => {
  await server.api('/v1/suppressions', list(['carl']));
  const jobs = [{ to: 'carl' }, { to: 'dora' }];
  const created = await server.api('/v1/batches', { type: 'letter', jobs });
  expect(created.body.suppressed).toBe(1);
  const batch = await server.untilState(created.body.id, 'completed');
  expect(batch.counts).toMatchObject({ succeeded: 1, failed: 1 });
  const open = await server.api('/v1/batches', { type: 'letter' });
  const upload = await server.upload(open.body.id, jobs.map((job) => JSON.stringify(job)).join('\n'));
  expect(upload.body).toEqual({ accepted: 2, rejected: 0, duplicates: 0, errors: [], suppressed: 1 });
  expect(created.body).not.toHaveProperty('upload');
});

test.each([
  [{ type: 'note', recipients: ['ann'] }, 422, 'invalid_recipient'],
  [{ type: 'none', recipients: ['ann'] }, 422, 'unknown_type'],
  [{ type: 'letter', recipients: [] }, 422, 'invalid_request'],
  [{ type: 'letter', recipients: [' '] }, 422, 'invalid_recipient'],
  [{ type: 'letter', recipients: ['ann'], reason: 'disliked' }, 422, 'invalid_request'],
  [{ type: 'letter', recipients: Array.from({ length: 1_001 }, (_, n) => `r${n}`) }, 422, 'invalid_request'],
])('%j is refused', async (body, status, code) => {
  const answer = await server.api('/v1/suppressions', body);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

test('what is done over the API is in the audit log, without a name', async () => {
  const jobs = [{ to: 'mia', isLost: true }];
  const { body: batch } = await server.api('/v1/batches', { type: 'letter', jobs });
  await server.untilState(batch.id, 'completed');
  await server.api(`/v1/jobs/${batch.id}.0/resolve`, { outcome: 'failed', note: 'mia said so' });
  await server.api(`/v1/batches/${batch.id}/retry`, {});
  await server.untilState(batch.id, 'completed');
  const { body: later } = await server.api('/v1/batches', {
    type: 'letter',
    jobs: [{ to: 'mia' }],
    scheduledAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  for (const action of ['pause', 'resume', 'cancel']) {
    expect(
      (await server.api(`/v1/batches/${later.id}/${action}`, null, { 'x-post': '1' })).status,
    ).toBeLessThan(500);
  }
  await server.api('/v1/suppressions', list(['mia']));
  const { body: log } = await server.api('/v1/audit-log?limit=4');
  expect(log.items[0]).toEqual({
    id: expect.any(Number),
    at: expect.any(String),
    action: 'suppressions.added',
    actor: 'api-key',
    target: 'letter',
    count: 1,
    data: { recipients: 1, added: 1, reason: 'manual' },
  });
  const { body: all } = await server.api('/v1/audit-log?limit=1000');
  const done = all.items.map(
    ({ action, target }: { action: string; target: string }) => `${action} ${target}`,
  );
  expect(done).toEqual(
    expect.arrayContaining([
      `job.resolved ${batch.id}.0`,
      `batch.retried ${batch.id}`,
      `batch.paused ${later.id}`,
      `batch.resumed ${later.id}`,
      `batch.cancelled ${later.id}`,
    ]),
  );
  expect(JSON.stringify(all)).not.toContain('mia');
  const { body: next } = await server.api(`/v1/audit-log?limit=4&cursor=${log.nextCursor}`);
  expect(next.items[0].id).toBeLessThan(log.items[3].id);
  expect((await server.api('/v1/audit-log?action=batch.retried')).body.items).toHaveLength(1);
});
