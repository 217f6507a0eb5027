import { Worker as BullWorker, Queue } from 'bullmq';
import { benchPayloads } from '../harness/payload.ts';
import { type Contestant, inParallel, type Peer, type Setting, timed, type Worker } from './contestant.ts';

const QUEUE = 'noop';
/** All keys of the benchmark begin so. They are removed at the end. */
const PREFIX = 'batchsender-bench';
const SLICE = 1_000;
const LANES = 2;
const CONCURRENCY = 100;

function connection({ redisUrl }: Setting) {
  if (redisUrl === undefined) throw new Error('bullmq needs a Redis');
  const { hostname, port, username, password, pathname } = new URL(redisUrl);
  return {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    maxRetriesPerRequest: null,
  };
}

const open = (setting: Setting): Queue =>
  new Queue(QUEUE, { connection: connection(setting), prefix: PREFIX });

async function withQueue<T>(setting: Setting, work: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = open(setting);
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

async function left(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'failed');
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const empty = (setting: Setting) => withQueue(setting, (queue) => queue.obliterate({ force: true }));

/** BullMQ at the settings that were found fastest. */
export const bullmq: Contestant = {
  prepare: empty,
  enqueue: (setting) =>
    withQueue(setting, (queue) => {
      const payloads = benchPayloads(setting.jobs);
      return timed(() =>
        inParallel(LANES, Math.ceil(payloads.length / SLICE), async (index) => {
          const slice = payloads.slice(index * SLICE, (index + 1) * SLICE);
          await queue.addBulk(
            slice.map((data) => ({ name: QUEUE, data, opts: { removeOnComplete: { count: 0 } } })),
          );
        }),
      );
    }),
  stored: (setting) => withQueue(setting, left),
  // A job that succeeded is removed; one that failed stays.
  completed: (setting) => withQueue(setting, async (queue) => setting.jobs - (await left(queue))),
  clean: empty,
};

async function worker(setting: Setting, onCall: () => void): Promise<Worker> {
  const opened = new BullWorker(QUEUE, async () => onCall(), {
    connection: connection(setting),
    prefix: PREFIX,
    concurrency: CONCURRENCY,
    autorun: false,
    removeOnComplete: { count: 0 },
  });
  await opened.waitUntilReady();
  return {
    start: () => (opened.isPaused() ? opened.resume() : void opened.run()),
    rest: () => opened.pause(),
    stop: () => opened.close(),
  };
}

export const bullmqPeer: Peer = {
  drainer: worker,
  listener: worker,
  open: async (setting) => {
    const queue = open(setting);
    await queue.waitUntilReady();
    return {
      add: (payload) => queue.add(QUEUE, payload, { removeOnComplete: { count: 0 } }),
      left: () => left(queue),
      close: () => queue.close(),
    };
  },
};
