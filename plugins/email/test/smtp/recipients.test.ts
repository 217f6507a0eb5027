import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawServer, rawServer } from '../helpers/raw-server.ts';
import { openSender, type Sender } from '../helpers/session.ts';

const gone = '550 5.1.1 <gone@example.com> is unknown';
const busy = '450 4.2.1 <busy@example.com> is busy';

let server: RawServer;
let sender: Sender;

beforeEach(async () => {
  server = await rawServer({ rcptFor: { 'gone@example.com': gone, 'busy@example.com': busy } });
  sender = await openSender(server.port);
});
afterEach(async () => {
  await sender.close();
  await server.close();
});

describe('a message to many', () => {
  it('succeeds if somebody in `to` was accepted, and says who was not, without addresses', async () => {
    const result = await sender.send({
      to: ['gone@example.com', 'ada@example.com'],
      cc: 'busy@example.com',
    });
    expect(result).toEqual({
      status: 'succeeded',
      ref: expect.stringMatching(/^<.+@sender\.example>$/),
      data: {
        code: 'partly_rejected',
        accepted: 1,
        rejected: [
          { kind: 'to', index: 0, code: 'mailbox_unknown', smtpStatus: 550 },
          { kind: 'cc', index: 0, code: 'mailbox_disabled', smtpStatus: 450 },
        ],
      },
    });
    expect(server.messages).toHaveLength(1);
  });

  it('fails if all of `to` were refused, although others got a copy', async () => {
    const result = await sender.send({ to: 'gone@example.com', bcc: 'ada@example.com' });
    expect(result).toMatchObject({ status: 'failed', code: 'mailbox_unknown', data: { accepted: 1 } });
    expect(JSON.stringify(result)).not.toContain('example.com');
  });

  it('is not repeated for who was deferred, since somebody has it', async () => {
    expect(await sender.send({ to: 'busy@example.com', cc: 'ada@example.com' })).toMatchObject({
      status: 'failed',
    });
    expect(await sender.send({ to: ['busy@example.com', 'ada@example.com'] })).toMatchObject({
      status: 'succeeded',
    });
  });

  it('is tried again if nobody was accepted and somebody in `to` was deferred', async () => {
    server.script = { ...server.script, data: '554 5.5.1 No valid recipients' };
    expect(await sender.send({ to: ['gone@example.com', 'busy@example.com'] })).toMatchObject({
      status: 'retry',
      code: 'mailbox_disabled',
      data: { accepted: 0, rejected: [{ index: 0 }, { index: 1 }] },
    });
    expect(server.messages).toEqual([]);
  });

  it('fails if nobody was accepted and all of `to` were refused for good', async () => {
    expect(await sender.send({ to: 'gone@example.com', cc: 'busy@example.com' })).toMatchObject({
      status: 'failed',
      code: 'mailbox_unknown',
    });
  });

  it('goes to each address once', async () => {
    await sender.send({
      to: ['ada@example.com', { address: 'ada@EXAMPLE.com', name: 'Ada' }],
      bcc: 'ada@example.com',
    });
    expect(server.commands.filter((line) => line.startsWith('RCPT'))).toEqual(['RCPT TO:<ada@example.com>']);
  });
});
