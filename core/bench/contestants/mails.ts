import { createEngine, type Engine } from '@batchsender/core';
import emailPlugin from '@batchsender/plugin-email';
import { mail } from '../harness/mail.ts';
import { type Contestant, type Setting, timed } from './contestant.ts';
import { drainEngine, succeededJobs } from './engine-drain.ts';
import { prepareEngineTables } from './engine-tables.ts';

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
export const mails: Contestant = {
  prepare: (setting) => prepareEngineTables(setting.databaseUrl),
  enqueue: async (setting) => {
    const { from, subject, text, html } = mail('{{ name }}', '{{ order }}');
    const jobs = Array.from({ length: setting.jobs }, (_, index) => ({
      to: `recipient${index}@example.org`,
      variables: { name: `Recipient ${index}`, order: String(100_000 + index) },
    }));
    const defaults = { from, subject, text, html };
    const engine = open(setting);
    await engine.migrate();
    const ms = await timed(() => engine.submit({ type: 'email', provider: 'smtp', defaults, jobs }));
    await engine.stop();
    return ms;
  },
  drain: (setting) => drainEngine(setting, open(setting)),
  completed: succeededJobs,
};
