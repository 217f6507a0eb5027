import { createEngine, type Engine } from '@batchsender/core';
import emailPlugin from '@batchsender/plugin-email';
import { mail } from '../harness/mail.ts';
import type { Setting } from './contestant.ts';
import { engineCalls } from './engine-calls.ts';

/** Connections of the plugin by default; nodemailer's pool is given the same. */
export const MAIL_CONNECTIONS = 10;

function open({ databaseUrl, receiverUrl = '', concurrency = 1 }: Setting): Engine {
  const { hostname: host, port } = new URL(receiverUrl);
  return createEngine({
    database: databaseUrl,
    plugins: [emailPlugin],
    allowNetworks: ['127.0.0.0/8'],
    credentials: () => ({ host, port: Number(port), maxConnections: concurrency }),
  });
}

/** Mails through the engine and the published plugin: the texts are the batch's, each job names its person. */
export const mails = engineCalls(open, (count) => ({
  type: 'email',
  provider: 'smtp',
  defaults: { ...mail('{{ name }}', '{{ order }}') },
  jobs: Array.from({ length: count }, (_, index) => ({
    to: `recipient${index}@example.org`,
    variables: { name: `Recipient ${index}`, order: String(100_000 + index) },
  })),
}));
