import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LEDGER_PROVIDER_NAMES, LEDGER_TYPE } from '../../core/chaos/ledger.ts';
import { type ChaosProxy, chaosProxy } from '../../core/test/helpers/chaos-proxy.ts';
import { freePort, type NatsBinary, type NatsServer, startNats } from '../test/helpers/nats-process.ts';
import { API_KEY } from './client.ts';
import { type LedgerServer, startLedger } from './ledger-server.ts';
import type { ChaosOptions } from './options.ts';
import { type ChaosPostgres, startPostgres } from './postgres.ts';
import { SERVER_NAMES, type ServerName } from './schedule.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/** A server with wires of its own. */
export interface Actor {
  readonly server: ServerProcess;
  readonly toPostgres: ChaosProxy;
  readonly toNats: ChaosProxy;
}

/** Everything that runs. */
export interface Stage {
  readonly folder: string;
  readonly postgres: ChaosPostgres;
  readonly nats: NatsServer;
  readonly ledger: LedgerServer;
  readonly actors: Readonly<Record<ServerName, Actor>>;
  /** Ends all processes; the folder stays if it is to be looked at. */
  close(keepFolder: boolean): Promise<void>;
}

const START_MS = 180_000;

/** Starts all processes of a run and waits until they work. */
export async function openStage(options: ChaosOptions, binary: NatsBinary): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'batchsender-chaos-'));
  const rest = new AsyncDisposableStack();
  try {
    const postgres = await startPostgres(folder);
    rest.defer(() => postgres.close());
    const nats = await startNats(binary);
    rest.defer(() => nats.stop());
    // The oldest state that a rollback can find.
    await nats.kill();
    nats.copy();
    await nats.start();
    const ledger = await startLedger({
      file: join(folder, 'ledger.ndjson'),
      seed: options.seed,
      workMs: options.workMs,
    });
    rest.defer(() => ledger.close());
    const world = { folder, postgres, nats, ledger, rest };
    // One after the other: the first one makes the tables.
    const actors = {
      api: await openActor('api', world),
      'runner-1': await openActor('runner-1', world),
      'runner-2': await openActor('runner-2', world),
    };
    await allReady(actors, START_MS);
    const close = async (keepFolder: boolean): Promise<void> => {
      await rest.disposeAsync();
      if (!keepFolder) rmSync(folder, { recursive: true, force: true });
    };
    return { folder, postgres, nats, ledger, actors, close };
  } catch (error) {
    await rest.disposeAsync();
    throw error;
  }
}

/** @throws Error naming the server that is not ready in time. */
export async function allReady(actors: Stage['actors'], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (const name of SERVER_NAMES) {
    while (!actors[name].server.ready) {
      if (performance.now() > deadline)
        throw new Error(`${name} was not ready within ${withinMs / 1_000} s: its log is in the folder`);
      await sleep(100);
    }
  }
}

type World = Pick<Stage, 'folder' | 'postgres' | 'nats' | 'ledger'> & { readonly rest: AsyncDisposableStack };

async function openActor(name: ServerName, world: World): Promise<Actor> {
  const { folder, postgres, nats, ledger, rest } = world;
  const toPostgres = await chaosProxy(postgres.url);
  const toNats = await chaosProxy(nats.url);
  const ledgers = LEDGER_PROVIDER_NAMES.map((provider) => [
    `BATCHSENDER_${LEDGER_TYPE}_${provider}_URL`.toUpperCase(),
    ledger.url,
  ]);
  const server = startServer({
    name,
    port: await freePort(),
    folder,
    env: {
      DATABASE_URL: toPostgres.url,
      NATS_URL: toNats.url,
      BATCHSENDER_ROLE: name === 'api' ? 'api' : 'runner',
      BATCHSENDER_API_KEY: API_KEY,
      BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
      LOG_LEVEL: 'info',
      ...Object.fromEntries(ledgers),
    },
  });
  rest.defer(async () => {
    await server.close();
    await Promise.all([toPostgres.close(), toNats.close()]);
  });
  return { server, toPostgres, toNats };
}
