import type { JobResult, NetworkPolicy, Provider, SingleSession } from '@batchsender/core/plugin';
import { type FakeOpenContext, fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import type { SmsPayload } from '../../src/payload.ts';

/** A payload that lacks nothing. */
export const SMS: SmsPayload = { to: '+4915123456789', from: '+12025550188', body: 'Your code is 1234' };

export const JOB_ID = '0195f3c8-7b1a-7000-8000-000000000000.7';

export interface SendOptions {
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  readonly id?: string;
}

/** A provider as a host opens it. */
export interface Sender {
  readonly session: SingleSession<SmsPayload>;
  readonly context: FakeOpenContext;
  send(payload?: Partial<SmsPayload>, options?: SendOptions): Promise<JobResult>;
  close(): Promise<void>;
}

export async function openSender<C>(
  provider: Provider<SmsPayload, C>,
  credentials: C,
  overrides: { network?: NetworkPolicy; callbackUrl?: (jobId: string) => string | undefined } = {},
): Promise<Sender> {
  const context = fakeOpenContext(overrides);
  const session = (await provider.open(credentials, context)) as SingleSession<SmsPayload>;
  return {
    session,
    context,
    async send(payload = {}, { attempt = 1, signal, id = JOB_ID } = {}) {
      const call = fakeCall({ idempotencyKey: id, attempt, ...(signal === undefined ? {} : { signal }) });
      return session.process(fakeJob({ ...SMS, ...payload }, { id, attempt }), call);
    },
    close: async () => session.close?.(),
  };
}
