import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from './stage.ts';

/** How long chunks of runners that were killed waited for their next lease. */
export interface Recovery {
  /** Milliseconds from the kill to the next lease. */
  readonly all: readonly number[];
  /** The same without the time in which no other runner or no database was there. */
  readonly able: readonly number[];
  /** Chunks that ended, were paused or cancelled before anybody leased them. */
  readonly unmeasured: number;
  /** Chunks that still wait. */
  readonly waiting: number;
}

export interface RecoveryWatch {
  /** Notes what runners hold that are killed or stopped as soon as this resolves. */
  beforeKill(runnerIds: readonly string[]): Promise<void>;
  stop(): Promise<Recovery>;
}

interface Chunk {
  readonly id: number;
  readonly epoch: number;
  readonly killedAt: number;
  unableMs: number;
}

const LOOK_MS = 100;
const HELD = `SELECT id::int, epoch FROM batchsender.chunks WHERE runner_id = ANY($1::uuid[]) AND state = 'leased'`;
const STATE = `SELECT c.id::int, c.epoch, c.state, b.state AS batch FROM batchsender.chunks AS c
JOIN batchsender.batches AS b ON b.id = c.batch_id WHERE c.id = ANY($1::bigint[])`;

/** Watches the chunks of killed runners until they are leased again. */
export function watchRecovery({ postgres, actors }: Pick<Stage, 'postgres' | 'actors'>): RecoveryWatch {
  const waiting = new Map<number, Chunk>();
  const all: number[] = [];
  const able: number[] = [];
  let unmeasured = 0;
  let stopped = false;
  const asking = new Set<Promise<void>>();

  const note = (rows: readonly Pick<Chunk, 'id' | 'epoch'>[], killedAt: number): void => {
    for (const { id, epoch } of rows)
      if (!waiting.has(id)) waiting.set(id, { id, epoch, killedAt, unableMs: 0 });
  };
  const settle = (row: { id: number; epoch: number; state: string; batch: string }): void => {
    const chunk = waiting.get(row.id);
    if (chunk === undefined) return;
    if (row.epoch > chunk.epoch) {
      const tookMs = performance.now() - chunk.killedAt;
      all.push(tookMs);
      able.push(Math.max(0, tookMs - chunk.unableMs));
    } else if (row.state !== 'closed' && row.batch === 'running') return;
    else unmeasured += 1;
    waiting.delete(row.id);
  };
  const look = async (): Promise<void> => {
    if (waiting.size === 0) return;
    const rows = await postgres.tryQuery<Parameters<typeof settle>[0]>(STATE, [[...waiting.keys()]]);
    for (const row of rows) settle(row);
  };
  const isAble = () => postgres.up && (actors['runner-1'].server.ready || actors['runner-2'].server.ready);
  const watch = async (): Promise<void> => {
    for (let before = performance.now(); !stopped; ) {
      await sleep(LOOK_MS);
      const now = performance.now();
      if (!isAble()) for (const chunk of waiting.values()) chunk.unableMs += now - before;
      before = now;
      await look().catch(() => undefined);
    }
  };
  const looking = watch();
  return {
    beforeKill: async (runnerIds) => {
      if (runnerIds.length === 0) return;
      const rows = await postgres.tryQuery<Chunk>(HELD, [runnerIds]).catch(() => undefined);
      const killedAt = performance.now();
      if (rows !== undefined) return note(rows, killedAt);
      // Without a database nobody takes the chunks over before it is back.
      const asked = postgres
        .query<Chunk>(HELD, [runnerIds])
        .then((late) => note(late, killedAt))
        .finally(() => asking.delete(asked));
      asking.add(asked);
    },
    stop: async () => {
      await Promise.allSettled(asking);
      stopped = true;
      await looking;
      return { all, able, unmeasured, waiting: waiting.size };
    },
  };
}

/** The value below which the part `p` of the values lies; 0 without values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? 0;
}
