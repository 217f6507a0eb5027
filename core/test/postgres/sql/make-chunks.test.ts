import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EFFECTIVE_CHUNK_SIZE, isOneChunk } from '../../../src/postgres/sql/make-chunks.ts';
import { StoreWorld } from '../../helpers/store-world.ts';

describe('the size of chunks', () => {
  let world: StoreWorld;
  beforeAll(async () => {
    world = await StoreWorld.create();
  });
  afterAll(() => world.close());

  it.each([
    { what: 'is the usual one for a small batch', total: 19_999, chunkSize: 500, bytesEach: 300, size: 500 },
    { what: 'never shrinks for a tiny one', total: 3, chunkSize: 500, bytesEach: 300, size: 500 },
    {
      what: 'doubles where 40 chunks are reached',
      total: 20_000,
      chunkSize: 500,
      bytesEach: 300,
      size: 1_000,
    },
    { what: 'ends at twice', total: 1_000_000, chunkSize: 500, bytesEach: 300, size: 1_000 },
    { what: 'stays a multiple of a batch size', total: 90_000, chunkSize: 450, bytesEach: 300, size: 900 },
    { what: 'keeps to 8 MB of payloads', total: 100_000, chunkSize: 500, bytesEach: 100_000, size: 80 },
    { what: 'is at least one job', total: 10, chunkSize: 500, bytesEach: 50_000_000, size: 1 },
    { what: 'holds just 8 MB', total: 500, chunkSize: 500, bytesEach: 16_000, size: 500 },
    { what: 'and not a byte more', total: 500, chunkSize: 500, bytesEach: 16_001, size: 499 },
    { what: 'needs no count of bytes', total: 100_000, chunkSize: 500, bytesEach: 0, size: 1_000 },
  ])('$what', async ({ total, chunkSize, bytesEach, size }) => {
    const { rows } = await world.pool.query(
      `SELECT ${EFFECTIVE_CHUNK_SIZE} AS size
       FROM (SELECT $1::int AS total, $2::int AS chunk_size, $3::bigint AS bytes) AS b`,
      [total, chunkSize, total * bytesEach],
    );
    expect(rows[0].size).toBe(size);
    expect(isOneChunk(total, total * bytesEach, chunkSize)).toBe(size >= total);
  });
});
