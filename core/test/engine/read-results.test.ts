import { describe, expect, it } from 'vitest';
import type { ResultBlock, ResultQuery } from '../../src/engine/host-store.ts';
import { nextLimit, readResults } from '../../src/engine/read-results.ts';
import type { ResultRow } from '../../src/engine/results.ts';

const query = { batchId: 'b', total: 9, states: undefined, receipts: new Map() };
const rows = (...seqs: number[]) => seqs.map((seq) => ({ seq })) as unknown as ResultRow[];

/** Answers blocks in turn, and keeps what it was asked for. */
function reader(...blocks: (Partial<ResultBlock> | Error)[]) {
  const asked: ResultQuery[] = [];
  const read = async (what: ResultQuery): Promise<ResultBlock> => {
    const block = blocks[asked.push(what) - 1];
    if (block instanceof Error) throw block;
    return { rows: [], next: null, cutAt: undefined, ...block };
  };
  return { asked, read };
}

describe('reading results', () => {
  it('hands on the blocks in order, and leaves out those where all is filtered', async () => {
    const { read } = reader({ rows: rows(0, 1), next: 1 }, { next: 5 }, { rows: rows(8), next: null });
    const seen: number[][] = [];
    for await (const block of readResults(read, query)) seen.push(block.map(({ seq }) => seq));
    expect(seen).toEqual([[0, 1], [8]]);
  });

  it('asks for one block ahead and no more', async () => {
    const { asked, read } = reader({ rows: rows(0), next: 0 }, { rows: rows(1), next: 1 }, { rows: rows(2) });
    const blocks = readResults(read, query);
    await blocks.next();
    expect(asked.map(({ after }) => after)).toEqual([-1, 0]);
    await blocks.next();
    expect(asked.map(({ after }) => after)).toEqual([-1, 0, 1]);
    await blocks.return(undefined);
  });

  it('throws the failure of a block when its turn has come', async () => {
    const { read } = reader({ rows: rows(0), next: 0 }, new Error('the database is gone'));
    const blocks = readResults(read, query);
    expect((await blocks.next()).done).toBe(false);
    await expect(blocks.next()).rejects.toThrow('the database is gone');
  });

  it('leaves a failure behind that nobody waits for any more', async () => {
    const { asked, read } = reader({ rows: rows(0), next: 0 }, new Error('the database is gone'));
    const blocks = readResults(read, query);
    await blocks.next();
    // An unhandled rejection would fail the run.
    await blocks.return(undefined);
    expect(asked).toHaveLength(2);
  });

  it('makes blocks larger while they fit, and follows large payloads', () => {
    expect(nextLimit(250, undefined)).toBe(500);
    expect(nextLimit(1_000, undefined)).toBe(1_000);
    expect(nextLimit(1_000, 4)).toBe(8);
    expect(nextLimit(8, 0)).toBe(2);
  });
});
