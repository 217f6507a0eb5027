import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { benchPayloads } from '../harness/payload.ts';
import { FLUSH, INSERT_BATCH, INSERT_SLICE, LEASE, LIST_CHUNKS, LOAD } from './bare-statements.ts';
import { closeClients, openClients, query } from './client.ts';
import { type Contestant, inParallel, timed } from './contestant.ts';
import { succeededJobs } from './engine-drain.ts';
import { prepareEngineTables } from './engine-tables.ts';

const CONNECTIONS = 4;
const SLICE = 1_000;

/** The statements of the engine's hot path in a loop, without an engine: the most that its shape can give. */
export const bareLoop: Contestant = {
  prepare: (setting) => prepareEngineTables(setting.databaseUrl),
  enqueue: async (setting) => {
    const jobs = benchPayloads(setting.jobs);
    const clients = await openClients(setting, CONNECTIONS);
    const batchId = uuidV7();
    const ms = await timed(async () => {
      await clients[0]?.query(INSERT_BATCH, [batchId]);
      await inParallel(CONNECTIONS, Math.ceil(jobs.length / SLICE), async (index, lane) => {
        const slice = jobs.slice(index * SLICE, (index + 1) * SLICE);
        const lines = slice.map((job) => JSON.stringify(job)).join('\n');
        const values = [batchId, index * SLICE, slice.length, lines];
        await clients[lane]?.query({ name: 'insert', text: INSERT_SLICE, values });
      });
    });
    await closeClients(clients);
    return ms;
  },
  drain: async (setting) => {
    const clients = await openClients(setting, CONNECTIONS);
    const runnerId = randomUUID();
    const ms = await timed(async () => {
      const chunks = await clients[0]?.query<{ id: number }>(LIST_CHUNKS, ['ready']);
      const ids = chunks?.rows.map((row) => row.id) ?? [];
      await inParallel(CONNECTIONS, ids.length, async (index, lane) => {
        await drainChunk(clients[lane] as Client, ids[index] as number, runnerId);
      });
    });
    await closeClients(clients);
    return ms;
  },
  stored: (setting) => query(setting, 'SELECT count(*)::int AS n FROM batchsender.jobs'),
  completed: succeededJobs,
};

interface Lease {
  batch_id: string;
  epoch: number;
  flush_no: number;
  first_seq: number;
  end_seq: number;
}

async function drainChunk(client: Client, chunkId: number, runnerId: string): Promise<void> {
  const { rows } = await client.query<Lease>({ name: 'lease', text: LEASE, values: [chunkId, runnerId] });
  const lease = rows[0];
  if (lease === undefined) throw new Error(`Chunk ${chunkId} could not be leased`);
  const loaded = await client.query<[string]>({
    name: 'load',
    text: LOAD,
    values: [lease.batch_id, lease.first_seq, lease.end_seq],
    rowMode: 'array',
  });
  const payloads = loaded.rows.map(([text]) => JSON.parse(text) as unknown);
  const seqs = payloads.map((_, index) => lease.first_seq + index);
  const kinds = payloads.map(() => 'succeeded');
  const data = payloads.map(() => 'NULL');
  const values = [chunkId, lease.epoch, lease.flush_no, list(seqs), list(kinds), list(data), payloads.length];
  const flushed = await client.query({ name: 'flush', text: FLUSH, values });
  if (flushed.rowCount !== 1) throw new Error(`Chunk ${chunkId} could not be flushed`);
}

const list = (values: readonly (string | number)[]) => `{${values.join(',')}}`;

/** Keys that rise with time, as the engine's do: random ones would be slower to insert. */
function uuidV7(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
