import type { BenchPayload } from '../harness/payload.ts';

/** What a contestant is told. It travels to a child process as JSON. */
export interface Setting {
  readonly databaseUrl: string;
  readonly jobs: number;
  /** Where webhooks or mails go. */
  readonly receiverUrl?: string;
  /** Calls or connections at once, for the parts with a receiver. */
  readonly concurrency?: number;
  /** The batch to export. */
  readonly batchId?: string;
  /** Servers of the benchmark's own, for the parts with several processes. */
  readonly natsUrl?: string;
  readonly redisUrl?: string;
  /** Jobs that several processes do before they are measured: 0. They store these and the others themselves. */
  readonly warmUpJobs?: number;
}

/** A process that works beside others. It is connected, and waits for its start. */
export interface Worker {
  start(): void;
  /** Takes no jobs until it is started again, and stays connected. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

/** Where a contestant with several processes keeps its jobs, seen from the process that leads the measurement. */
export interface Desk {
  add(payload: BenchPayload): Promise<unknown>;
  /** Jobs that are not on record as done. */
  left(): Promise<number>;
  close(): Promise<void>;
}

/** A piece of work that the server did. What /proc does not tell is undefined. */
export interface ServerRun {
  readonly ms: number;
  /** Its CPU time. */
  readonly cpuMs: number | undefined;
  /** The memory of its processes before the work, and its peak. */
  readonly beforeMb: number | undefined;
  readonly peakMb: number | undefined;
}

/** One way to do the work. Each method runs in a fresh child process and measures itself, in milliseconds. */
export interface Contestant {
  /** Makes its tables, empty. Not timed. */
  prepare(setting: Setting): Promise<void>;
  /** Stores the jobs. Answers the time that it took. */
  enqueue?(setting: Setting): Promise<number>;
  /** Does the jobs that are stored. Answers the time from its start to the last job done. */
  drain?(setting: Setting): Promise<number>;
  /** The jobs that the database knows as stored or as done. */
  stored?(setting: Setting): Promise<number>;
  completed?(setting: Setting): Promise<number>;
  /** Stores the jobs through the server. */
  upload?(setting: Setting): Promise<ServerRun>;
  /** Reads the results of a batch from the server. */
  export?(setting: Setting): Promise<ServerRun>;
  /** Times from adding one job to the start of its handler, one after the other. */
  latency?(setting: Setting): Promise<number[]>;
  /** Times of small tenants beside one with the jobs of the setting, from submitting to the end of their batches. */
  tenants?(setting: Setting): Promise<number[]>;
  /** Removes what is not in the benchmark's database. */
  clean?(setting: Setting): Promise<void>;
}

/** A contestant whose worker processes are started for it. */
export interface Peer {
  /** A worker at the settings that drain fastest, and one at those that start a single job soonest. */
  drainer(setting: Setting, onCall: () => void): Promise<Worker>;
  listener(setting: Setting, onCall: () => void): Promise<Worker>;
  open(setting: Setting): Promise<Desk>;
}

/** The names of a contestant's methods. */
export type Task = keyof Contestant;

/** CPU time of this process in the last `timed` work, in milliseconds; undefined before one. */
export let lastCpuMs: number | undefined;

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Answers the time of the work. `cpuMs`: the CPU time so far of the processes that do it. */
export async function timed(
  work: () => Promise<unknown>,
  cpuMs: () => number | undefined = ownCpuMs,
): Promise<number> {
  const cpuBefore = cpuMs();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const cpuAfter = cpuMs();
  lastCpuMs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return ms;
}

/** Runs `work` for 0 to count - 1, so many at once. */
export async function inParallel(
  lanes: number,
  count: number,
  work: (index: number, lane: number) => Promise<unknown>,
) {
  let next = 0;
  const lane = async (number: number) => {
    while (next < count) await work(next++, number);
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
}
