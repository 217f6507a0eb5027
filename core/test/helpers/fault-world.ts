import pg from 'pg';
import type { LedgerCall } from '../../chaos/ledger.ts';
import { ledgerPlugin } from '../../chaos/ledger-plugin.ts';
import {
  type CallFate,
  type LedgerReceiver,
  ledgerReceiver,
  type ReceiverOptions,
} from '../../chaos/ledger-receiver.ts';
import { untilQuiet } from '../../chaos/load.ts';
import { type RunnerProcess, type RunnerSetup, startRunner } from '../../chaos/runner-process.ts';
import { type Verdict, verdictOf } from '../../chaos/verdict.ts';
import { createEngine } from '../../src/create-engine.ts';
import type { Engine } from '../../src/engine/api.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';

/** Leases so short that a test need not wait for long, and small chunks. */
export const FAULT_TUNING: Partial<Tuning> = {
  chunkSize: 10,
  leaseMs: 2_000,
  heartbeatMs: 100,
  pollMs: 100,
  sliceMs: 1_000,
  rehintMs: 1_000,
};

/** A database, a receiver over HTTP, and engines that things happen to. */
export interface FaultWorld {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly receiver: LedgerReceiver;
  /** What the engines of this process logged. */
  readonly log: string[];
  /** Failpoints that fired in this process. */
  readonly fired: string[];
  engine(options?: { database?: string; tuning?: Partial<Tuning> }): Engine;
  runner(setup?: Partial<RunnerSetup>, failpoints?: string): RunnerProcess;
  /** Waits until no batch is under way, and compares ledger, log and counters. */
  verdict(): Promise<Verdict>;
  close(): Promise<void>;
}

/** The first attempt of a job gets no answer where its provider can take a repeat: so there are follow-ups. */
export const dropRepeatable = (call: LedgerCall): CallFate =>
  call.attempt === 1 && (call.provider === 'least' || call.provider === 'keyed') ? 'drop' : 'answer';

/** The first call with each key gets no answer. */
export function dropFirst(): (call: LedgerCall) => CallFate {
  const seen = new Set<string>();
  return ({ key }) => {
    if (seen.has(key)) return 'answer';
    seen.add(key);
    return 'drop';
  };
}

export async function faultWorld(
  receiverOptions: ReceiverOptions,
  make: () => Promise<TestDatabase> = testDatabase,
): Promise<FaultWorld> {
  const database = await make();
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  const receiver = await ledgerReceiver(receiverOptions);
  const engines: Engine[] = [];
  const runners: RunnerProcess[] = [];
  const log: string[] = [];
  const fired: string[] = [];
  const note = (fields: object, message?: string) => {
    const { err, failpoint } = fields as { err?: Error; failpoint?: string };
    if (failpoint === undefined) log.push(`${message}: ${err?.message}`);
    else fired.push(failpoint);
  };
  return {
    url: database.url,
    pool,
    receiver,
    log,
    fired,
    engine(options = {}) {
      const made = createEngine({
        database: options.database ?? database.url,
        plugins: [ledgerPlugin()],
        credentials: () => ({ url: receiver.url }),
        allowNetworks: ['127.0.0.0/8'],
        pools: { engine: 3, api: 3 },
        logger: { debug: () => undefined, info: () => undefined, warn: note, error: note },
        tuning: { ...FAULT_TUNING, ...options.tuning },
      });
      engines.push(made);
      return made;
    },
    runner(setup, failpoints) {
      const { url } = database;
      const runner = startRunner(
        { database: url, receiverUrl: receiver.url, tuning: FAULT_TUNING, ...setup },
        failpoints,
      );
      runners.push(runner);
      return runner;
    },
    async verdict() {
      await untilQuiet(pool);
      return verdictOf(pool, receiver.ledger);
    },
    async close() {
      // A stopped process does not even hear SIGKILL late: it ends at once.
      await Promise.all(
        runners.map((runner) =>
          (runner.child.exitCode ?? runner.child.signalCode) !== null ? undefined : runner.end('SIGKILL'),
        ),
      );
      await Promise.all(engines.map((engine) => engine.stop({ graceMs: 200 })));
      await receiver.close();
      await pool.end();
      await database.drop();
    },
  };
}
