import type { Contestant } from './contestant.ts';

/** A contestant by its name in the tables. */
export interface Entry {
  readonly name: string;
  /** The schema that holds its tables. */
  readonly schema: string;
  /** The npm package that must be installed in this folder. */
  readonly peer?: string;
  /** The server that it needs beside Postgres. */
  readonly service?: 'nats' | 'redis';
  load(): Promise<Contestant>;
}

/** Those with several processes. */
const PROCESSES: readonly Entry[] = [1, 2].flatMap((count) => [
  ...serverEntries(count),
  peerEntry('graphile-worker', 'graphile_worker', count),
  peerEntry('pg-boss', 'pgboss', count),
  { ...peerEntry('bullmq', 'bullmq', count), service: 'redis' },
]);

function serverEntries(count: number): Entry[] {
  const schema = 'batchsender';
  const load = async () => (await import('./servers.ts')).servers(count);
  return [
    { name: `batchsender-nats-${count}`, schema, service: 'nats', load },
    { name: `batchsender-notify-${count}`, schema, load },
  ];
}

function peerEntry(name: string, schema: string, count: number): Entry {
  const load = async () => {
    const { workerProcesses } = await import('./worker-processes.ts');
    return workerProcesses({ name, schema }, await entry(name).load(), count);
  };
  return { name: `${name}-${count}`, schema, peer: name, load };
}

/** Each with a loop over its own client beside it. */
const VENDORS: readonly Entry[] = (['twilio', 'resend', 'hubspot'] as const).flatMap((vendor) => [
  {
    name: `batchsender-${vendor}`,
    schema: 'batchsender',
    load: async () => (await import('./vendor-jobs.ts')).vendorJobs(vendor),
  },
  {
    name: `bare-${vendor}`,
    schema: 'batchsender',
    load: async () => (await import('./bare-vendors.ts')).bareVendor(vendor),
  },
  {
    name: `logged-${vendor}`,
    schema: 'bench_log',
    load: async () => (await import('./bare-vendors.ts')).loggedVendor(vendor),
  },
]);

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
    name: 'logged-undici',
    schema: 'bench_log',
    load: async () => (await import('./bare-undici.ts')).loggedUndici,
  },
  {
    name: 'bare-nodemailer',
    schema: 'batchsender',
    load: async () => (await import('./bare-nodemailer.ts')).bareNodemailer,
  },
  {
    name: 'bullmq',
    schema: 'bullmq',
    peer: 'bullmq',
    service: 'redis',
    load: async () => (await import('./bullmq.ts')).bullmq,
  },
  {
    name: 'batchsender-http-nats',
    schema: 'batchsender',
    service: 'nats',
    load: async () => (await import('./servers.ts')).overApi,
  },
  {
    name: 'batchsender-http-notify',
    schema: 'batchsender',
    load: async () => (await import('./servers.ts')).overApi,
  },
  ...VENDORS,
  ...PROCESSES,
];

export function entry(name: string): Entry {
  const found = ENTRIES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`No contestant is called '${name}'`);
  return found;
}
