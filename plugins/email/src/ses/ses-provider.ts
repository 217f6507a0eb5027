import { defineProvider } from '@batchsender/core/plugin';
import { plainTexts } from '../message/plain-text.ts';
import { EmailPayload } from '../payload.ts';
import { BULK_SIZE, groupKey } from './bulk.ts';
import { callbacks } from './callbacks.ts';
import { sesClient } from './client.ts';
import { SesCredentials } from './credentials.ts';
import { judgeError } from './judge.ts';
import { type Api, send } from './send.ts';

/**
 * Bytes of payload in one call. The request with an inline template may have 1 MB
 * (https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html), and a plain text that
 * is made from HTML comes on top.
 */
const BATCH_BYTES = 400_000;

/** Sends by the API of Amazon SES, up to 50 messages a call. */
export const ses = defineProvider({
  title: 'Amazon SES',
  payload: EmailPayload,
  credentials: SesCredentials,
  // SES knows no keys, and cannot be asked for a message.
  guarantee: { kind: 'at-most-once' },
  batchSize: BULK_SIZE,
  batchBytes: BATCH_BYTES,
  concurrency: 10,
  rates: ({ maxSendRate }) => (maxSendRate === undefined ? [] : [rateOf(maxSendRate)]),
  endpointKey: 'api',
  groupKey,
  async open(credentials, { fetch }) {
    const { configurationSet } = credentials;
    const client = await sesClient(credentials, fetch);
    const api: Api = { ...client, configurationSet, plainText: plainTexts() };
    return {
      processBatch: (jobs, call) => send(api, jobs, call),
      health: (signal) => health(api, signal),
      close: () => api.client.destroy(),
    };
  },
  callbacks,
});

/** A window in which a whole bulk call has room. */
function rateOf(perSecond: number) {
  const seconds = Math.max(1, BULK_SIZE / perSecond);
  return {
    per: 'job',
    max: Math.max(BULK_SIZE, Math.floor(perSecond)),
    windowMs: Math.ceil(seconds * 1_000),
  } as const;
}

async function health(
  { sdk, client }: Api,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  try {
    const { SendingEnabled = true } = await client.send(new sdk.GetAccountCommand({}), {
      abortSignal: signal,
    });
    return SendingEnabled
      ? undefined
      : { code: 'sending_paused', message: 'Sending is paused for the account' };
  } catch (error) {
    const { code = 'refused', message = '' } = judgeError(error) as { code?: string; message?: string };
    return { code, message: `${message} (the check needs ses:GetAccount)` };
  }
}
