import { Agent, request } from 'undici';
import { benchPayload } from '../harness/payload.ts';
import { type Contestant, inParallel, timed } from './contestant.ts';

/** The same calls in a loop: no database, no retries, no deadline, no signature. */
export const bareUndici: Contestant = {
  prepare: async () => undefined,
  drain: async ({ receiverUrl = '', concurrency = 1, jobs, warmUpJobs = 0 }) => {
    const dispatcher = new Agent({ connections: concurrency, pipelining: 1, allowH2: false });
    const headers = { 'content-type': 'application/json', 'user-agent': 'bench' };
    const send = (count: number) =>
      inParallel(concurrency, count, async (index) => {
        const body = JSON.stringify(benchPayload(index));
        const response = await request(receiverUrl, { method: 'POST', headers, body, dispatcher });
        if (response.statusCode !== 200) throw new Error(`The receiver answered ${response.statusCode}`);
        await response.body.dump();
      });
    await send(warmUpJobs);
    const ms = await timed(() => send(jobs));
    await dispatcher.close();
    return ms;
  },
};
