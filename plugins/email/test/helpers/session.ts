import type { JobResult, NetworkPolicy, SingleSession } from '@batchsender/core/plugin';
import { fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import type { EmailPayload } from '../../src/payload.ts';
import type { SmtpCredentials } from '../../src/smtp/credentials.ts';
import { smtp } from '../../src/smtp/smtp-provider.ts';

/** A payload that lacks nothing. */
export const MAIL: EmailPayload = {
  to: 'ada@example.com',
  from: 'news@sender.example',
  subject: 'Hello',
  text: 'Dear Ada',
};

export interface SendOptions {
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/** The provider as a host opens it. */
export interface Sender {
  readonly session: SingleSession<EmailPayload>;
  send(payload?: Partial<EmailPayload>, options?: SendOptions): Promise<JobResult>;
  close(): Promise<void>;
}

const ID = '0195f3c8-7b1a-7000-8000-000000000000.7';

/** Opens `smtp` for a server on 127.0.0.1. */
export async function openSender(
  port: number,
  credentials: Partial<SmtpCredentials> = {},
  network?: NetworkPolicy,
): Promise<Sender> {
  const context = fakeOpenContext(network === undefined ? {} : { network });
  const settings = { host: '127.0.0.1', port, ...credentials };
  const session = (await smtp.open(settings, context)) as SingleSession<EmailPayload>;
  return {
    session,
    async send(payload = {}, { id = ID, signal } = {}) {
      const call = fakeCall({ idempotencyKey: id, ...(signal === undefined ? {} : { signal }) });
      return session.process(fakeJob({ ...MAIL, ...payload }), call);
    },
    close: async () => session.close?.(),
  };
}
