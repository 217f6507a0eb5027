import { setTimeout as sleep } from 'node:timers/promises';
import { LEDGER_TYPE } from '../../core/chaos/ledger.ts';
import type { Client } from './client.ts';
import { type PlannedBatch, parts, payloads } from './workload.ts';

/** A batch, or the jobs of single requests, that a client was told of. */
export interface Acknowledged {
  readonly batchId: string;
  readonly jobs: number;
  readonly provider: string;
}

export interface SubmitOptions {
  readonly client: Client;
  /** Names the run in the keys. */
  readonly seed: number;
  onAcknowledged(batch: Acknowledged): void;
}

/** Tried again soon, and often enough for a bad network. */
const RETRY = { baseMs: 200, capMs: 2_000, maxAttempts: 20 };

/** Submits a batch until it is answered for, and steers it as its client has planned. */
async function submitBatch(options: SubmitOptions, batch: PlannedBatch): Promise<void> {
  if (batch.form === 'single') return submitSingles(options, batch);
  const batchId = await (batch.form === 'json' ? submitWhole : submitPieces)(options, batch);
  options.onAcknowledged({ batchId, jobs: batch.size, provider: batch.provider });
  await steer(options.client, batch, batchId);
}

const common = ({ provider, number }: PlannedBatch) => ({
  type: LEDGER_TYPE,
  provider,
  name: `chaos ${number}`,
  retry: RETRY,
});

async function submitWhole({ client, seed }: SubmitOptions, batch: PlannedBatch): Promise<string> {
  const { body } = await client({
    path: '/v1/batches',
    body: { ...common(batch), jobs: payloads(batch.first, batch.size) },
    idempotencyKey: `chaos-${seed}-${batch.number}`,
  });
  return (body as { id: string }).id;
}

async function submitPieces({ client, seed }: SubmitOptions, batch: PlannedBatch): Promise<string> {
  const key = `chaos-${seed}-${batch.number}`;
  const { body } = await client({
    path: '/v1/batches',
    body: { ...common(batch), sealed: false },
    idempotencyKey: key,
  });
  const { id } = body as { id: string };
  for (const [first, size] of parts(batch)) {
    const lines = payloads(first, size).map((payload) => `${JSON.stringify(payload)}\n`);
    await client({ path: `/v1/batches/${id}/jobs`, body: lines.join(''), idempotencyKey: `${key}-${first}` });
  }
  // Whoever seals it a second time since the first answer was lost is told that it is not open.
  await client({ path: `/v1/batches/${id}/seal`, answers: [409] });
  return id;
}

async function submitSingles(
  { client, seed, onAcknowledged }: SubmitOptions,
  batch: PlannedBatch,
): Promise<void> {
  const asks = payloads(batch.first, batch.size).map(async (payload) => {
    const { body } = await client({
      path: '/v1/jobs',
      body: { type: LEDGER_TYPE, provider: batch.provider, retry: RETRY, payload },
      idempotencyKey: `chaos-${seed}-job-${payload.n}`,
    });
    onAcknowledged({
      batchId: (body as { batchId: string }).batchId,
      jobs: 1,
      provider: batch.provider,
    });
  });
  await Promise.all(asks);
}

/** A batch may have ended meanwhile: 409 is an answer too. */
const ENDED = [409];

async function steer(client: Client, batch: PlannedBatch, batchId: string): Promise<void> {
  const act = (action: string, body?: object) =>
    client({
      path: `/v1/batches/${batchId}/${action}`,
      answers: ENDED,
      ...(body === undefined ? {} : { body }),
    });
  if (batch.steering === 'none') return;
  await sleep(batch.steerAfterMs);
  if (batch.steering === 'cancel') await act('cancel');
  if (batch.steering === 'retry') await act('retry', { states: ['failed'] });
  if (batch.steering !== 'pause') return;
  await act('pause');
  await sleep(batch.pauseMs);
  await act('resume');
}

/** Lets so many clients be at work at once; a batch is submitted when its time in the run has come. */
export async function submitAll(
  options: SubmitOptions,
  batches: readonly PlannedBatch[],
  mayStart: (part: number) => Promise<void>,
): Promise<void> {
  const queue = batches.entries();
  const work = async (): Promise<void> => {
    for (const [index, batch] of queue) {
      await mayStart(index / batches.length);
      // The client has said what went wrong: the verdict names it.
      await submitBatch(options, batch).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
}

const CLIENTS = 8;
