import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JobResult, SingleSession } from '@batchsender/core/plugin';
import { fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmailPayload } from '../../src/payload.ts';
import { type SandboxCredentials, sandbox } from '../../src/sandbox/sandbox-provider.ts';
import { MAIL } from '../helpers/session.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Options extends SandboxCredentials {
  id?: string;
  attempt?: number;
  signal?: AbortSignal;
}

async function send(payload: Partial<EmailPayload>, options: Options = {}): Promise<JobResult> {
  const { id = 'job.1', attempt = 1, signal, ...credentials } = options;
  const settings = { folder, latencyMs: 0, ...credentials };
  const session = (await sandbox.open(settings, fakeOpenContext())) as SingleSession<EmailPayload>;
  const call = fakeCall({ idempotencyKey: id, attempt, ...(signal === undefined ? {} : { signal }) });
  return session.process(fakeJob({ ...MAIL, ...payload }), call);
}

const files = () => readdir(folder);

describe('the sandbox', () => {
  it('keeps what it would have sent, with the envelope on top, under the id of the job', async () => {
    expect(await send({ bcc: 'hidden@example.com' })).toMatchObject({
      status: 'succeeded',
      ref: '<job.1@sender.example>',
    });
    expect(await files()).toEqual(['job.1.eml']);
    const raw = await readFile(join(folder, 'job.1.eml'));
    const mail = await PostalMime.parse(raw);
    expect(mail).toMatchObject({ subject: 'Hello', text: 'Dear Ada\n', messageId: '<job.1@sender.example>' });
    const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
    expect(header('x-envelope-from')).toBe('<news@sender.example>');
    expect(header('x-envelope-to')).toBe('<ada@example.com>, <hidden@example.com>');
  });

  it('keeps a job once, however often it is sent', async () => {
    await send({});
    await send({}, { attempt: 2 });
    expect(await files()).toHaveLength(1);
  });

  it('never leaves its folder, whatever the id is', async () => {
    await send({}, { id: '../../evil' });
    expect(await files()).toEqual([expect.stringMatching(/^[0-9a-f]{40}\.eml$/)]);
  });

  it('deletes the oldest, and keeps nothing if told so', async () => {
    for (let at = 10; at < 40; at++) await send({}, { id: `job.${at}`, keep: 10 });
    const kept = await files();
    expect(kept.length).toBeLessThanOrEqual(11);
    expect(kept).toContain('job.39.eml');
    expect(kept).not.toContain('job.10.eml');
    await send({}, { id: 'job.99', keep: 0 });
    expect(await files()).not.toContain('job.99.eml');
  });

  it.each<[word: string, first: object, second: object]>([
    ['bounce', { status: 'failed', code: 'mailbox_unknown' }, { status: 'failed' }],
    ['full', { status: 'failed', code: 'mailbox_full' }, { status: 'failed' }],
    ['reject', { status: 'failed', code: 'policy_refused' }, { status: 'failed' }],
    ['defer', { status: 'retry', code: 'mailbox_disabled' }, { status: 'retry' }],
    ['retry', { status: 'retry', code: 'server_error' }, { status: 'succeeded' }],
    ['throttle', { status: 'throttled', afterMs: 1_000 }, { status: 'succeeded' }],
    ['block', { status: 'blocked', code: 'auth_failed' }, { status: 'succeeded' }],
    ['unknown', { status: 'unknown', code: 'connection_closed' }, { status: 'unknown' }],
  ])('does as the address %s@… says', async (word, first, second) => {
    for (const to of [
      `${word}@example.com`,
      `ada+${word}@example.com`,
      `${word.toUpperCase()}@example.com`,
    ]) {
      expect(await send({ to })).toMatchObject(first);
      expect(await send({ to }, { attempt: 2 })).toMatchObject(second);
    }
  });

  it('does not see a word in other addresses', async () => {
    for (const to of [
      'bouncer@example.com',
      'bounce+ada@example.com',
      'ada@bounce.example',
      'constructor@example.com',
    ]) {
      expect(await send({ to })).toMatchObject({ status: 'succeeded' });
    }
  });

  it('refuses some of many as a server does', async () => {
    expect(await send({ to: ['ada@example.com', 'bounce@example.com'] })).toMatchObject({
      status: 'succeeded',
      data: {
        code: 'partly_rejected',
        accepted: 1,
        rejected: [{ kind: 'to', index: 1, code: 'mailbox_unknown' }],
      },
    });
  });

  it('stalls until the call ends', async () => {
    const signal = AbortSignal.timeout(100);
    expect(await send({ to: 'stall@example.com' }, { signal })).toMatchObject({
      status: 'unknown',
      code: 'timeout',
    });
  });

  it.each<[number, object[]]>([
    [10, [{ level: 'info', fields: { folder: resolve('out') } }]],
    [0, []],
  ])('says in the log where %i messages are kept', async (keep, lines) => {
    const context = fakeOpenContext();
    await sandbox.open({ folder: 'out', keep }, context);
    expect(context.lines).toMatchObject(lines);
  });

  it('takes its time, and ends with the call', async () => {
    const signal = AbortSignal.timeout(50);
    expect(await send({}, { latencyMs: 60_000, signal })).toMatchObject({ status: 'retry', code: 'aborted' });
    expect(await files()).toEqual([]);
  });

  it('refuses a payload that was not validated', async () => {
    expect(await send({ to: 'nobody' })).toMatchObject({ status: 'failed', code: 'invalid_payload' });
  });
});
