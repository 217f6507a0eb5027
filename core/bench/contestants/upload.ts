import { createBatch, ndjson, uploadLines } from '../harness/api.ts';
import { startServer } from '../harness/server-process.ts';
import { batchsender } from './batchsender.ts';
import type { Contestant } from './contestant.ts';

/** One NDJSON upload through the real server, from the first byte to its answer. */
export const upload: Contestant = {
  ...batchsender('noop'),
  enqueue: async (setting) => {
    // Made before, so that the sender takes as little of the machine as it can.
    const pieces = [...ndjson(setting.jobs)];
    const server = await startServer(setting.databaseUrl);
    try {
      const batchId = await createBatch(server);
      // Not `timed`: the CPU time of this process, which only sends, is not what matters.
      const start = performance.now();
      await uploadLines(server, batchId, pieces, setting.jobs);
      return performance.now() - start;
    } finally {
      await server.stop();
    }
  },
};
