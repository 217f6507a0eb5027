import { PgBoss } from 'pg-boss';
import { benchPayload, benchPayloads } from '../harness/payload.ts';
import { openClients, query } from './client.ts';
import { type Contestant, inParallel, type Peer, type Setting, timed } from './contestant.ts';

const QUEUE = 'noop';
/** A queue of its own: NOTIFY would slow down the inserts of the other parts. */
const LISTENED = 'listened';
const SLICE = 1_000;
const LANES = 2;

async function open(setting: Setting, listen = false): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: setting.databaseUrl,
    supervise: false,
    schedule: false,
    useListenNotify: listen,
  });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  return boss;
}

/** pg-boss at the settings that were found fastest: slices of 1,000 in two lanes for everything. */
export const pgBoss: Contestant = {
  prepare: async (setting) => {
    const boss = await open(setting);
    await boss.createQueue(QUEUE);
    await boss.createQueue(LISTENED, { notify: true });
    await boss.stop();
  },
  enqueue: async (setting) => {
    const payloads = benchPayloads(setting.jobs);
    const boss = await open(setting);
    const ms = await timed(() =>
      inParallel(LANES, Math.ceil(payloads.length / SLICE), async (index) => {
        const slice = payloads.slice(index * SLICE, (index + 1) * SLICE);
        await boss.insert(
          QUEUE,
          slice.map((data) => ({ data })),
        );
      }),
    );
    await boss.stop();
    return ms;
  },
  drain: async (setting) => {
    const boss = await open(setting);
    const ms = await timed(() => Promise.all(Array.from({ length: LANES }, () => drainLane(boss))));
    await boss.stop();
    return ms;
  },
  stored: (setting) => query(setting, 'SELECT count(*)::int AS n FROM pgboss.job'),
  completed: (setting) =>
    query(setting, "SELECT count(*)::int AS n FROM pgboss.job WHERE state = 'completed'"),
  latency,
};

const handler = async (_data: object) => undefined;

async function drainLane(boss: PgBoss, handle: (data: object) => Promise<void> = handler): Promise<void> {
  for (;;) {
    const jobs = await boss.fetch<object>(QUEUE, { batchSize: SLICE });
    if (jobs.length === 0) return;
    await Promise.all(jobs.map((job) => handle(job.data)));
    await boss.complete(
      QUEUE,
      jobs.map((job) => job.id),
    );
  }
}

/** With LISTEN and NOTIFY, so that a worker does not wait for its next poll. */
async function latency(setting: Setting): Promise<number[]> {
  let started: (at: number) => void = () => undefined;
  const boss = await open(setting, true);
  await boss.work(LISTENED, async () => started(performance.now()));
  const times: number[] = [];
  for (let index = 0; index < setting.jobs; index++) {
    const call = Promise.withResolvers<number>();
    started = call.resolve;
    const before = performance.now();
    const sent = boss.send(LISTENED, benchPayload(index));
    times.push((await call.promise) - before);
    await sent;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await boss.stop();
  return times;
}

export const pgBossPeer: Peer = {
  drainer: async (setting, onCall) => {
    const boss = await open(setting);
    return {
      start: () => {
        for (let lane = 0; lane < LANES; lane++) void drainLane(boss, async () => onCall());
      },
      // Its lanes end when nothing is left.
      rest: async () => undefined,
      stop: () => boss.stop(),
    };
  },
  listener: async (setting, onCall) => {
    const boss = await open(setting, true);
    return {
      start: () => void boss.work(LISTENED, async () => onCall()),
      rest: () => boss.offWork(LISTENED),
      stop: () => boss.stop(),
    };
  },
  open: async (setting) => {
    const boss = await open(setting);
    const [client] = await openClients(setting, 1);
    const unfinished = "SELECT count(*)::int AS n FROM pgboss.job WHERE state < 'completed'";
    return {
      add: (payload) => boss.send(LISTENED, payload),
      left: async () => (await client?.query<{ n: number }>(unfinished))?.rows[0]?.n ?? Number.NaN,
      close: async () => {
        await client?.end();
        await boss.stop();
      },
    };
  },
};
