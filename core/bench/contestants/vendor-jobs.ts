import { createEngine, type Engine } from '@batchsender/core';
import type { JsonObject, Plugin } from '@batchsender/core/plugin';
import crmPlugin from '@batchsender/plugin-crm';
import emailPlugin from '@batchsender/plugin-email';
import smsPlugin from '@batchsender/plugin-sms';
import { mail } from '../harness/mail.ts';
import type { Contestant, Setting } from './contestant.ts';
import { engineCalls } from './engine-calls.ts';
import { ACCOUNT_SID, contact, phoneNumber, SENDER, TOKEN, textMessage } from './vendor-samples.ts';

interface Work {
  readonly plugin: Plugin;
  readonly type: string;
  readonly provider: string;
  /** `baseUrl` comes to it. No limit of the vendor's slows it down. */
  readonly credentials: JsonObject;
  readonly defaults?: JsonObject;
  job(index: number): JsonObject;
}

const WORK = {
  twilio: {
    plugin: smsPlugin,
    type: 'sms',
    provider: 'twilio',
    credentials: { accountSid: ACCOUNT_SID, authToken: TOKEN, from: SENDER },
    job: (index) => ({ to: phoneNumber(index), body: textMessage(index) }),
  },
  resend: {
    plugin: emailPlugin,
    type: 'email',
    provider: 'resend',
    credentials: { apiKey: TOKEN, requestsPerSecond: 1_000 },
    defaults: { ...mail('{{ name }}', '{{ order }}') },
    job: (index) => ({
      to: `recipient${index}@example.org`,
      variables: { name: `Recipient ${index}`, order: String(100_000 + index) },
    }),
  },
  hubspot: {
    plugin: crmPlugin,
    type: 'crm',
    provider: 'hubspot',
    credentials: { accessToken: TOKEN, requestsPerTenSeconds: 100_000 },
    job: (index) => ({ operation: 'create', object: 'contacts', record: contact(index) }),
  },
} satisfies Record<string, Work>;

/** Jobs through the engine and a published plugin, to a vendor on this machine. */
export function vendorJobs(vendor: keyof typeof WORK): Contestant {
  const work: Work = WORK[vendor];
  const { type, provider, defaults } = work;
  return engineCalls(
    (setting) => open(work, setting),
    (count) => ({
      type,
      provider,
      jobs: Array.from({ length: count }, (_, index) => work.job(index)),
      ...(defaults === undefined ? {} : { defaults }),
    }),
  );
}

function open({ plugin, credentials }: Work, { databaseUrl, receiverUrl: baseUrl = '' }: Setting): Engine {
  return createEngine({
    database: databaseUrl,
    plugins: [plugin],
    allowNetworks: ['127.0.0.0/8'],
    credentials: () => ({ ...credentials, baseUrl }),
  });
}
