import { Agent, request } from 'undici';
import { benchPayload } from '../harness/payload.ts';
import { type Contestant, inParallel, timed } from './contestant.ts';

/** The same calls in a loop: no database, no retries, no deadline, no signature. */
export const bareUndici: Contestant = {
  prepare: async () => undefined,
  drain: async ({ receiverUrl = '', concurrency = 1, jobs }) => {
    const dispatcher = new Agent({ connections: concurrency, pipelining: 1, allowH2: false });
    const headers = { 'content-type': 'application/json', 'user-agent': 'bench' };
    const ms = await timed(() =>
      inParallel(concurrency, jobs, async (index) => {
        const body = JSON.stringify(benchPayload(index));
        const response = await request(receiverUrl, { method: 'POST', headers, body, dispatcher });
        if (response.statusCode !== 200) throw new Error(`The receiver answered ${response.statusCode}`);
        await response.body.dump();
      }),
    );
    await dispatcher.close();
    return ms;
  },
};
