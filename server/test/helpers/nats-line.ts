import type { ChunkRef, Consumption, TransportConsumer } from '@batchsender/core';
import { NatsTransport } from '../../src/nats/transport.ts';
import type { NatsSettings } from '../../src/settings/nats.ts';
import { readSettings } from '../../src/settings.ts';

/** The settings of NATS that an environment gives. */
export function natsOf(env: Record<string, string>): NatsSettings {
  const { nats } = readSettings(env, '/app');
  if (nats === undefined) throw new Error('NATS_URL is missing');
  return nats;
}

/** What transports logged. */
export interface Log {
  readonly lines: string[];
  readonly logger: ConstructorParameters<typeof NatsTransport>[1];
}

export function recordingLog(): Log {
  const lines: string[] = [];
  const write = (_fields: object, message?: string) => {
    lines.push(message ?? '');
  };
  return { lines, logger: { debug: write, info: write, warn: write, error: write } };
}

let streams = 0;

/** The name of a stream that no other test uses. */
export const freshStream = (): string => `test-${process.pid}-${++streams}`;

/** A transport that has made its first try. */
export async function openNats(
  env: Record<string, string>,
  log: Log = recordingLog(),
): Promise<NatsTransport> {
  const transport = new NatsTransport(natsOf(env), log.logger);
  await transport.open();
  return transport;
}

/** Takes everything of the type `sms`. */
export async function takeAll(
  transport: NatsTransport,
  given: Partial<TransportConsumer> = {},
): Promise<{ readonly taken: ChunkRef[] } & Consumption> {
  const taken: ChunkRef[] = [];
  const consumption = await transport.consume({
    versions: { sms: 1 },
    room: () => 100,
    take: (ref) => {
      taken.push(ref);
      return true;
    },
    ...given,
  });
  return { taken, ...consumption };
}

export const refOf = (chunkId: number): ChunkRef => ({
  chunkId,
  type: 'sms',
  moduleVersion: 1,
  connectionId: 'sms.acme',
});
