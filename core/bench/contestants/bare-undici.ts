import { Agent, request } from 'undici';
import { benchPayload } from '../harness/payload.ts';
import { type Contestant, inParallel, type Setting, timed } from './contestant.ts';
import { type LoggedOutcome, openOutcomeLog } from './outcome-log.ts';

/** The same calls in a loop: no database, no retries, no deadline, no signature. */
export const bareUndici: Contestant = {
  prepare: async () => undefined,
  drain: (setting) =>
    drain(
      setting,
      () => undefined,
      async () => undefined,
    ),
};

/** Outcomes that are written together. */
const TOGETHER = 500;

/** The loop, and a row for each call's outcome. No call waits for it. */
export const loggedUndici: Contestant = {
  prepare: async () => undefined,
  drain: async (setting) => {
    const log = await openOutcomeLog(setting);
    let outcomes: LoggedOutcome[] = [];
    const writes = new Set<Promise<void>>();
    const flush = (): void => {
      const write = log.write(outcomes).finally(() => writes.delete(write));
      writes.add(write);
      outcomes = [];
    };
    const ended = (seq: number, durationMs: number): void => {
      outcomes.push({ seq, data: { httpStatus: 200, durationMs } });
      if (outcomes.length >= TOGETHER) flush();
    };
    const ms = await drain(setting, ended, async () => {
      flush();
      await Promise.all(writes);
    });
    await log.close();
    return ms;
  },
};

async function drain(
  { receiverUrl = '', concurrency = 1, jobs, warmUpJobs = 0 }: Setting,
  ended: (index: number, durationMs: number) => void,
  finish: () => Promise<unknown>,
): Promise<number> {
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1, allowH2: false });
  const headers = { 'content-type': 'application/json', 'user-agent': 'bench' };
  const send = async (count: number) => {
    await inParallel(concurrency, count, async (index) => {
      const body = JSON.stringify(benchPayload(index));
      const startedAt = performance.now();
      const response = await request(receiverUrl, { method: 'POST', headers, body, dispatcher });
      if (response.statusCode !== 200) throw new Error(`The receiver answered ${response.statusCode}`);
      await response.body.dump();
      ended(index, performance.now() - startedAt);
    });
    await finish();
  };
  await send(warmUpJobs);
  const ms = await timed(() => send(jobs));
  await dispatcher.close();
  return ms;
}
