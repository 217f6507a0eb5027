import { installedVersion } from './machine.ts';
import { listens, startNatsServer } from './nats-server.ts';

const DEFAULT_REDIS = 'redis://127.0.0.1:6379';

/** Servers beside Postgres. What is missing here is not measured. */
export interface Services {
  readonly natsUrl?: string;
  readonly redisUrl?: string;
  stop(): Promise<void>;
}

export async function startServices(say: (line: string) => void): Promise<Services> {
  const nats = await startNatsServer();
  if (nats === undefined) say('  without NATS: apt-get install nats-server');
  const redisUrl = process.env['BENCH_REDIS_URL'] ?? DEFAULT_REDIS;
  const { hostname, port } = new URL(redisUrl);
  const redis = await listens(Number(port || 6379), hostname);
  if (!redis && installedVersion('bullmq') !== undefined) {
    say(
      `  without bullmq: no Redis at ${hostname}:${port || 6379} (apt-get install redis-server, or BENCH_REDIS_URL)`,
    );
  }
  return {
    ...(nats === undefined ? {} : { natsUrl: nats.url }),
    ...(redis ? { redisUrl } : {}),
    stop: async () => nats?.stop(),
  };
}
