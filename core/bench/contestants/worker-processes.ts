import { setTimeout as sleep } from 'node:timers/promises';
import { treeCpuMs } from '../harness/machine.ts';
import { benchPayload } from '../harness/payload.ts';
import { startWorkers } from '../harness/workers.ts';
import { settleTables } from './client.ts';
import { type Contestant, type Setting, timed } from './contestant.ts';
import { peer } from './peers.ts';
import { PAUSE_MS, SETTLE_MS, WARM_UP } from './reach-pace.ts';

/** A peer, and the schema that holds its tables. */
interface PeerTables {
  readonly name: string;
  readonly schema: string;
}

/** The jobs of `base`, worked off by so many processes of the peer, or by one that waits for single jobs. */
export function workerProcesses({ name, schema }: PeerTables, base: Contestant, count: number): Contestant {
  return {
    ...base,
    drain: (setting) => drain({ name, schema }, base, count, setting),
    latency: (setting) => latency(name, setting),
  };
}

async function drain(
  { name, schema }: PeerTables,
  base: Contestant,
  count: number,
  setting: Setting,
): Promise<number> {
  const desk = await (await peer(name)).open(setting);
  const workers = await startWorkers({ peer: name, kind: 'drainer', count }, setting);
  await sleep(SETTLE_MS);
  const { warmUpJobs = 0, jobs } = setting;
  const work = async (calls: number) => {
    workers.start();
    // The store is asked only at the end: to count what is left would cost the contestant time.
    while (workers.calls() < calls) await sleep(2);
    while ((await desk.left()) > 0) await sleep(2);
  };
  await base.enqueue?.({ ...setting, jobs: warmUpJobs });
  await work(warmUpJobs);
  await workers.rest();
  await base.enqueue?.(setting);
  await settleTables(setting, schema);
  const ms = await timed(
    () => work(warmUpJobs + jobs),
    () => treeCpuMs(workers.pids),
  );
  await workers.stop();
  await desk.close();
  return ms;
}

async function latency(name: string, setting: Setting): Promise<number[]> {
  const desk = await (await peer(name)).open(setting);
  let started: (at: bigint) => void = () => undefined;
  const onCall = (at: bigint) => started(at);
  const workers = await startWorkers({ peer: name, kind: 'listener', count: 1, onCall }, setting);
  workers.start();
  await sleep(SETTLE_MS);
  const times: number[] = [];
  for (let index = 0; index < WARM_UP + setting.jobs; index++) {
    await sleep(PAUSE_MS);
    const call = Promise.withResolvers<bigint>();
    started = call.resolve;
    const before = process.hrtime.bigint();
    const added = desk.add(benchPayload(index));
    const at = await call.promise;
    await added;
    if (index >= WARM_UP) times.push(Number(at - before) / 1e6);
  }
  await workers.stop();
  await desk.close();
  return times;
}
