import type { Transport } from '@batchsender/core';
import type { Logger } from '@batchsender/core/plugin';
import { StartError } from '../cli/start-error.ts';
import type { NatsSettings } from '../settings/nats.ts';
import { NatsTransport } from './transport.ts';

/**
 * The transport of an engine whose runners may be in other processes. It is there at once, also
 * while NATS is down: then it connects later.
 * @throws StartError for what only other settings can mend: a wrong password, a certificate that is not trusted.
 */
export async function openTransport(settings: NatsSettings, logger: Logger): Promise<Transport> {
  const transport = new NatsTransport(settings, logger);
  const problem = await transport.open();
  if (problem?.isForGood !== true) return transport;
  await transport.close();
  throw new StartError(problem.message);
}
