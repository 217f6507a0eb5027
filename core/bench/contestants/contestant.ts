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
}

/** A piece of work that the server did. What /proc does not tell is undefined. */
export interface ServerRun {
  readonly ms: number;
  /** Its CPU time. */
  readonly cpuMs: number | undefined;
  /** Its peak resident memory before the work and after it. */
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
}

/** The names of a contestant's methods. */
export type Task = keyof Contestant;

/** CPU time of this process in the last `timed` work, in milliseconds; undefined before one. */
export let lastCpuMs: number | undefined;

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  lastCpuMs = (user + system) / 1_000;
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
