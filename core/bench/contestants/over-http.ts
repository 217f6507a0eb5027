import { createBatch, exportRows, uploadRows } from '../harness/api.ts';
import { cpuTimeMs, watchMemory } from '../harness/machine.ts';
import { type RowFormat, rows } from '../harness/rows.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import { batchsender } from './batchsender.ts';
import type { Contestant, ServerRun, Setting } from './contestant.ts';

/** Uploads and exports of one format through the real server, from the first byte to the end of the answer. */
export function overHttp(format: RowFormat): Contestant {
  return {
    ...batchsender('noop'),
    enqueue: async (setting) => (await upload(format, setting)).ms,
    upload: (setting) => upload(format, setting),
    export: (setting) =>
      measured(setting, async (server) => async () => {
        const { batchId = '', jobs } = setting;
        const lines = await exportRows(server, batchId, format);
        if (lines !== jobs) throw new Error(`The ${format} export has ${lines} of ${jobs} rows`);
      }),
  };
}

function upload(format: RowFormat, setting: Setting): Promise<ServerRun> {
  const { jobs } = setting;
  // Made before, so that the sender takes as little of the machine as it can.
  const pieces = [...rows(format, jobs)];
  return measured(setting, async (server) => {
    const batchId = await createBatch(server);
    return () => uploadRows(server, batchId, { format, pieces, jobs });
  });
}

/** One piece of work by a fresh server. Not `timed`: the CPU time of the server is what matters. */
async function measured(
  { databaseUrl }: Setting,
  prepare: (server: ServerProcess) => Promise<() => Promise<void>>,
): Promise<ServerRun> {
  const server = await startServer(databaseUrl);
  try {
    const work = await prepare(server);
    const memory = watchMemory(server.pid);
    const cpuBefore = cpuTimeMs(server.pid);
    const start = performance.now();
    await work();
    const ms = performance.now() - start;
    const cpuAfter = cpuTimeMs(server.pid);
    const cpuMs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
    return { ms, cpuMs, beforeMb: memory.startMb, peakMb: memory.end() };
  } finally {
    await server.stop();
  }
}
