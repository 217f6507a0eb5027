import { transportConformance } from '@batchsender/core/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NatsTransport } from '../../src/nats/transport.ts';
import { eventually } from '../helpers/app.ts';
import { freshStream, openNats, recordingLog, refOf, takeAll } from '../helpers/nats-line.ts';
import { type NatsServer, startNats } from '../helpers/nats-process.ts';
import { describeNats } from '../helpers/nats-server.ts';

describeNats('the NATS transport', (binary) => {
  let server: NatsServer;
  let opened: NatsTransport[] = [];
  beforeAll(async () => {
    server = await startNats(binary);
  });
  afterEach(async () => {
    await Promise.all(opened.map((transport) => transport.close()));
    opened = [];
  });
  afterAll(() => server.stop());

  const open = async (stream: string, log = recordingLog()): Promise<NatsTransport> => {
    const transport = await openNats({ NATS_URL: server.url, BATCHSENDER_NATS_STREAM: stream }, log);
    opened.push(transport);
    return transport;
  };

  /** Publishes, as the dispatcher does, until the reference arrives. */
  const untilTaken = (from: NatsTransport, taken: readonly { chunkId: number }[], chunkId: number) =>
    eventually(async () => {
      await from.publish([refOf(chunkId)]).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return taken.some((ref) => ref.chunkId === chunkId);
    }, 40_000);

  /** What somebody with the right to do it does to JetStream. */
  const withManager = async (
    work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<unknown>,
  ) => {
    const nc = await connect({ servers: server.url });
    try {
      return await work(await jetstreamManager(nc));
    } finally {
      await nc.close();
    }
  };

  describe('conforms:', () => {
    const openBoth = async () => {
      const stream = freshStream();
      return [await open(stream), await open(stream)] as const;
    };
    for (const { name, run } of transportConformance({ open: openBoth })) it(name, run);
  });

  it('keeps no hint for ever, and makes room for new ones: the stream is bounded', async () => {
    const stream = freshStream();
    await open(stream);
    const { config } = (await withManager((manager) => manager.streams.info(stream))) as {
      config: Record<string, unknown>;
    };
    expect(config).toMatchObject({ retention: 'workqueue', discard: 'old', max_age: 15e9, storage: 'file' });
    expect(config['max_bytes']).toBeGreaterThan(0);
    expect(config['max_msgs']).toBeGreaterThan(0);
  });

  it('takes a hint away as soon as it is taken', async () => {
    const stream = freshStream();
    const transport = await open(stream);
    const { taken } = await takeAll(transport);
    await transport.publish([refOf(1), refOf(2)]);
    await eventually(async () => taken.length === 2);
    await eventually(async () => {
      const info = await withManager((manager) => manager.streams.info(stream));
      return (info as { state: { messages: number } }).state.messages === 0;
    });
  });

  it.each(['kill -9', 'a wiped store', 'an older store'])(
    'carries on after %s, with consumers that were at work',
    async (fault) => {
      const stream = freshStream();
      const log = recordingLog();
      const [near, far] = [await open(stream, log), await open(stream)];
      const { taken } = await takeAll(far);
      await near.publish([refOf(1)]);
      await eventually(async () => taken.length === 1);
      await server.kill();
      await eventually(async () => !near.shared.ready() && !far.shared.ready());
      await expect(near.publish([refOf(2)])).rejects.toThrow();
      if (fault === 'a wiped store') server.wipe();
      if (fault === 'an older store') {
        server.copy();
        await server.start();
        await untilTaken(near, taken, 3);
        await server.kill();
        server.restore();
      }
      await server.start();
      await eventually(async () => near.shared.ready() && far.shared.ready(), 30_000);
      await untilTaken(near, taken, 4);
      expect(log.lines).toContain(`NATS at 127.0.0.1:${server.port} is gone. Trying again until it works.`);
    },
  );

  it('makes a stream again that somebody deleted', async () => {
    const stream = freshStream();
    const transport = await open(stream);
    const { taken } = await takeAll(transport);
    await untilTaken(transport, taken, 1);
    await withManager((manager) => manager.streams.delete(stream));
    await untilTaken(transport, taken, 2);
    expect(transport.shared.ready()).toBe(true);
  });

  it('makes a stream again whose files were taken away under the server', async () => {
    const stream = freshStream();
    const transport = await open(stream);
    const { taken } = await takeAll(transport);
    await untilTaken(transport, taken, 1);
    server.wipe();
    await untilTaken(transport, taken, 2);
    await untilTaken(transport, taken, 3);
  });

  it('makes a consumer again that somebody deleted', async () => {
    const stream = freshStream();
    const transport = await open(stream);
    const { taken } = await takeAll(transport);
    await untilTaken(transport, taken, 1);
    await withManager((manager) => manager.consumers.delete(stream, 'sms-1'));
    await transport.publish([refOf(2)]);
    await eventually(async () => taken.some(({ chunkId }) => chunkId === 2));
  });

  it('brings a hint whose taker died before it said so to another one within seconds', async () => {
    const stream = freshStream();
    const [dying, living] = [await open(stream), await open(stream)];
    let isDead = false;
    await takeAll(dying, {
      room: () => (isDead ? 0 : 1),
      take: () => {
        isDead = true;
        throw new Error('the process dies here');
      },
    });
    await living.publish([refOf(1)]);
    await eventually(async () => isDead);
    const { taken } = await takeAll(living);
    await eventually(async () => taken.length === 1, 12_000);
  });

  it('leaves a stream alone that is not ours, and says so', async () => {
    const stream = freshStream();
    await withManager((manager) => manager.streams.add({ name: stream, subjects: [`${stream}.orders`] }));
    const log = recordingLog();
    const transport = await open(stream, log);
    expect(transport.shared.ready()).toBe(false);
    expect(log.lines.join()).toContain(
      `NATS has a stream '${stream}' that is not ours. Set BATCHSENDER_NATS_STREAM`,
    );
  });

  it('ignores what others write to its stream', async () => {
    const stream = freshStream();
    const transport = await open(stream);
    const { taken } = await takeAll(transport);
    const nc = await connect({ servers: server.url });
    for (const text of ['', 'no JSON', '{}', '[1]', '{"chunkId":"1; DROP TABLE","type":"sms"}'])
      nc.publish(`${stream}.chunk.sms.1`, text);
    nc.publish(`${stream}.wake`, 'never');
    await nc.close();
    await untilTaken(transport, taken, 1);
    expect(new Set(taken.map(({ chunkId }) => chunkId))).toEqual(new Set([1]));
  });
});
