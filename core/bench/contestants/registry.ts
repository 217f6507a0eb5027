import type { Contestant } from './contestant.ts';

/** A contestant by its name in the tables. */
export interface Entry {
  readonly name: string;
  /** The schema that holds its tables. */
  readonly schema: string;
  /** The npm package that must be installed in this folder. */
  readonly peer?: string;
  load(): Promise<Contestant>;
}

const ENTRIES: readonly Entry[] = [
  {
    name: 'batchsender',
    schema: 'batchsender',
    load: async () => (await import('./batchsender.ts')).batchsender('noop'),
  },
  {
    name: 'batchsender-fenced',
    schema: 'batchsender',
    load: async () => (await import('./batchsender.ts')).batchsender('fenced'),
  },
  {
    name: 'batchsender-http',
    schema: 'batchsender',
    load: async () => (await import('./over-http.ts')).overHttp('ndjson'),
  },
  {
    name: 'batchsender-csv',
    schema: 'batchsender',
    load: async () => (await import('./over-http.ts')).overHttp('csv'),
  },
  {
    name: 'batchsender-single',
    schema: 'batchsender',
    load: async () => (await import('./batchsender.ts')).batchsenderSingle,
  },
  {
    name: 'batchsender-webhook',
    schema: 'batchsender',
    load: async () => (await import('./webhooks.ts')).webhooks,
  },
  {
    name: 'batchsender-smtp',
    schema: 'batchsender',
    load: async () => (await import('./mails.ts')).mails,
  },
  {
    name: 'tenants-paced',
    schema: 'batchsender',
    load: async () => (await import('./small-tenants.ts')).smallTenants('paced'),
  },
  {
    name: 'tenants-noop',
    schema: 'batchsender',
    load: async () => (await import('./small-tenants.ts')).smallTenants('noop'),
  },
  {
    name: 'graphile-worker',
    schema: 'graphile_worker',
    peer: 'graphile-worker',
    load: async () => (await import('./graphile-worker.ts')).graphileWorker,
  },
  {
    name: 'pg-boss',
    schema: 'pgboss',
    peer: 'pg-boss',
    load: async () => (await import('./pg-boss.ts')).pgBoss,
  },
  {
    name: 'bare-loop',
    schema: 'batchsender',
    load: async () => (await import('./bare-loop.ts')).bareLoop,
  },
  {
    name: 'bare-undici',
    schema: 'batchsender',
    load: async () => (await import('./bare-undici.ts')).bareUndici,
  },
  {
    name: 'bare-nodemailer',
    schema: 'batchsender',
    load: async () => (await import('./bare-nodemailer.ts')).bareNodemailer,
  },
];

export function entry(name: string): Entry {
  const found = ENTRIES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`No contestant is called '${name}'`);
  return found;
}
