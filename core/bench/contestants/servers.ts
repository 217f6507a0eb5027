import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine, type Engine } from '@batchsender/core';
import { treeCpuMs } from '../harness/machine.ts';
import { type BenchPayload, benchPayload, benchPayloads } from '../harness/payload.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import type { Contestant, Setting } from './contestant.ts';
import { timedAfterWarmUp } from './engine-calls.ts';
import { succeededJobs } from './engine-drain.ts';
import { prepareEngineTables } from './engine-tables.ts';
import { noopPlugin } from './noop-plugin.ts';
import { PAUSE_MS, SETTLE_MS, WARM_UP } from './reach-pace.ts';

/**
 * The real server with the role `runner`, so many times, each with its child process; with NATS
 * where the setting has one, else each dispatches for itself.
 */
export function servers(count: number): Contestant {
  return {
    prepare: ({ databaseUrl }) => prepareEngineTables(databaseUrl),
    drain: (setting) => drain(setting, count),
    completed: succeededJobs,
    latency: (setting) =>
      reach(setting, async () => {
        const engine = open(setting);
        await engine.migrate();
        return {
          add: async (payload) => (await engine.submitJob({ type: 'clock', payload })).jobId,
          close: () => engine.stop(),
        };
      }),
  };
}

/** As a client of a server with the role `api` sends single jobs. */
export const overApi: Contestant = {
  ...servers(1),
  latency: (setting) =>
    reach(setting, async () => {
      const server = await startServer(setting.databaseUrl, { BATCHSENDER_ROLE: 'api' });
      const agent = new Agent({ keepAlive: true });
      return {
        add: (payload) => postJob(server, agent, payload),
        close: async () => {
          agent.destroy();
          await server.stop();
        },
      };
    }),
};

const open = ({ databaseUrl }: Setting): Engine =>
  createEngine({ database: databaseUrl, plugins: [noopPlugin(() => undefined)] });

const startRunner = ({ databaseUrl, natsUrl = '' }: Setting): Promise<ServerProcess> =>
  startServer(databaseUrl, {
    BATCHSENDER_ROLE: 'runner',
    NATS_URL: natsUrl,
    BATCHSENDER_NATS_STREAM: `bench-${process.pid}`,
  });

async function drain(setting: Setting, count: number): Promise<number> {
  const engine = open(setting);
  const runners = await Promise.all(Array.from({ length: count }, () => startRunner(setting)));
  await sleep(SETTLE_MS);
  await engine.migrate();
  const ms = await timedAfterWarmUp(
    setting,
    engine,
    (jobs) => ({ type: 'noop', jobs: benchPayloads(jobs) }),
    2,
    () => treeCpuMs(runners.map(({ pid }) => pid)),
  );
  await Promise.all(runners.map((runner) => runner.stop()));
  await engine.stop();
  return ms;
}

/** Hands single jobs over. Answers the job's id. */
interface Sender {
  add(payload: BenchPayload): Promise<string>;
  close(): Promise<void>;
}

async function reach(setting: Setting, openSender: () => Promise<Sender>): Promise<number[]> {
  const engine = open(setting);
  const runner = await startRunner(setting);
  const sender = await openSender();
  await sleep(SETTLE_MS);
  const sent: [jobId: string, at: bigint][] = [];
  for (let index = 0; index < WARM_UP + setting.jobs; index++) {
    await sleep(PAUSE_MS);
    const at = process.hrtime.bigint();
    sent.push([await sender.add(benchPayload(index)), at]);
  }
  await sleep(SETTLE_MS);
  const times: number[] = [];
  for (const [jobId, at] of sent.slice(WARM_UP)) {
    const { ref } = await engine.getJob(jobId);
    if (ref === null) throw new Error(`Job ${jobId} was not called`);
    times.push(Number(BigInt(ref) - at) / 1e6);
  }
  await sender.close();
  await runner.stop();
  await engine.stop();
  return times;
}

function postJob(server: ServerProcess, agent: Agent, payload: BenchPayload): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(`${server.url}/v1/jobs`, {
    agent,
    method: 'POST',
    headers: { authorization: server.authorization, 'content-type': 'application/json' },
  });
  outgoing.on('error', reject);
  outgoing.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
    });
    response.on('end', () => {
      if (response.statusCode === 202) resolve((JSON.parse(text) as { id: string }).id);
      else reject(new Error(`POST /v1/jobs was answered with ${response.statusCode}: ${text.slice(0, 500)}`));
    });
  });
  outgoing.end(JSON.stringify({ type: 'clock', payload }));
  return promise;
}
