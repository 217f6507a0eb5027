import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/create-engine.ts';
import { type ChaosProxy, chaosProxy } from '../helpers/chaos-proxy.ts';
import { type TestDatabase, testDatabase, testServers } from '../helpers/postgres.ts';

/** Tells clients of a backend that is not theirs, as a pooler does: message `K`, 12 bytes, PID, key. */
function forgePid(data: Buffer): Buffer {
  const at = data.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
  if (at >= 0) data.writeInt32BE(data.readInt32BE(at + 5) + 1, at + 5);
  return data;
}

describe.each(testServers())('a connection to $name', (server) => {
  let database: TestDatabase;
  const proxies: ChaosProxy[] = [];

  beforeAll(async () => {
    database = await testDatabase(server);
  });
  afterAll(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await database.drop();
  });

  async function engineBehind(rewrite?: (data: Buffer) => Buffer) {
    const proxy = await chaosProxy(database.url, rewrite === undefined ? {} : { rewrite });
    proxies.push(proxy);
    return { proxy, engine: createEngine({ database: proxy.url, plugins: [] }) };
  }

  it('is refused with the remedy if a pooler is in between', async () => {
    const { engine } = await engineBehind(forgePid);
    await expect(engine.start()).rejects.toMatchObject({
      code: 'pooler_detected',
      message: expect.stringContaining('Give the address of Postgres itself'),
    });
    await engine.stop();
  });

  it('is taken through a proxy that only passes bytes on', async () => {
    const { engine } = await engineBehind();
    await engine.start();
    expect(await engine.ready()).toEqual({ database: true, runner: true, transport: true });
    await engine.stop();
  });

  it('may break at any moment, also in a transaction and in a read, without ending the process', async () => {
    const { engine, proxy } = await engineBehind();
    await engine.migrate();
    const outcomes: PromiseSettledResult<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      const work = [
        engine.migrate(),
        engine.listBatches(),
        engine.connections.list(),
        engine.settings.get('none'),
      ];
      setTimeout(() => proxy.cut(), round);
      outcomes.push(
        ...(await Promise.allSettled([
          ...work,
          engine.retry('01a00000-0000-7000-8000-000000000000', ['failed']),
        ])),
      );
    }
    expect(outcomes).toHaveLength(100);
    // Idle connections that broke are found out with their next use.
    await expect
      .poll(() => engine.listBatches().catch(() => undefined))
      .toEqual({ items: [], nextCursor: null });
    await engine.stop();
  });
});
