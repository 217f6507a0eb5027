import { Kysely, PostgresDialect } from 'kysely';
import type { Store } from '../engine/store.ts';
import { createPools, openAll, refusePooler } from './connect.ts';
import { idempotencyStore } from './idempotency-store.ts';
import { channelOf, listen, notifyText } from './listen.ts';
import { migrate, quote } from './migrate.ts';
import { readBatches } from './read-batches.ts';
import { readJobs } from './read-jobs.ts';
import { readResults } from './read-results.ts';
import { settingsStore } from './small-stores.ts';
import { auditStatements } from './sql/audit.ts';
import { backlogStatement } from './sql/backlog.ts';
import { connectionStoreStatements } from './sql/connections.ts';
import { dispatchStatements } from './sql/dispatch.ts';
import { endpointStatements, listEndpoints } from './sql/endpoints.ts';
import { fenceStatement } from './sql/fence.ts';
import { fleetStatement } from './sql/fleet.ts';
import { flushStatement } from './sql/flush.ts';
import { intakeStatements } from './sql/intake.ts';
import { leaderStatements } from './sql/lead.ts';
import { leaseStatement, takeOverStatement } from './sql/lease.ts';
import { loadStatement } from './sql/load.ts';
import { loadAttemptStatement } from './sql/load-attempt.ts';
import { maintenanceStatements } from './sql/maintain.ts';
import { receiptStatements } from './sql/receipts.ts';
import { resolveStatement } from './sql/resolve.ts';
import { connectionStatements, recordLateStatement, runnableBatchStatement } from './sql/run-misc.ts';
import { runnerStatements } from './sql/runner-rows.ts';
import { steerStatements } from './sql/steer.ts';
import { suppressionLookup, suppressionStatements } from './sql/suppressions.ts';
import { takeTokensStatement } from './sql/tokens.ts';
import type { Database } from './tables.ts';

export interface StoreOptions {
  readonly connectionString: string;
  readonly schema: string;
  readonly pools: { readonly engine: number; readonly api: number };
  readonly onError: (error: Error) => void;
}

/** The engine's store on Postgres. */
export function createPostgresStore(options: StoreOptions): Store {
  const pools = createPools(options.connectionString, options.pools, options.onError);
  const { engine, api } = pools;
  const s = quote(options.schema);
  const channel = channelOf(options.schema);
  const notify = notifyText(channel);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: api }) }).withSchema(options.schema);
  return {
    run: {
      lease: leaseStatement(engine, s),
      takeOver: takeOverStatement(engine, s),
      runnableBatch: runnableBatchStatement(engine, s),
      ...loadStatement(engine, s),
      loadAttempt: loadAttemptStatement(engine, s),
      fence: fenceStatement(engine, s),
      flush: flushStatement(engine, s),
      recordLate: recordLateStatement(engine, s),
      takeTokens: takeTokensStatement(pools.limits, s),
      suppressed: suppressionLookup(engine, s),
      ...connectionStatements(engine, s),
      ...endpointStatements(engine, s),
    },
    runner: runnerStatements(pools.heartbeat, s, channel),
    dispatch: {
      ...dispatchStatements(pools.heartbeat, s),
      ...leaderStatements(pools.heartbeat, s),
      fleet: fleetStatement(pools.heartbeat, s),
      listen: (onNotice) => listen(options.connectionString, quote(channel), onNotice, options.onError),
    },
    intake: intakeStatements(api, s, channel.replaceAll("'", "''")),
    steer: { ...steerStatements(api, s, channel), resolve: resolveStatement(api, s) },
    read: {
      ...readBatches(db),
      ...readJobs(db, options.schema),
      ...readResults(db, api, options.schema),
      endpoints: listEndpoints(api, s),
      backlog: backlogStatement(api, s),
    },
    maintenance: maintenanceStatements(pools.maintenance, s, notify),
    connections: connectionStoreStatements(api, s, channel),
    receipts: receiptStatements(api, s),
    suppressions: suppressionStatements(api, s),
    audit: auditStatements(api, s),
    idempotency: idempotencyStore(db),
    settings: settingsStore(db),
    migrate: async () => {
      await refusePooler(api);
      await migrate(api, options.schema);
    },
    openConnections: () => openAll(engine),
    ping: async () => {
      await api.query('SELECT 1');
    },
    wake: async () => {
      await api.query(notify);
    },
    close: () => pools.end(),
  };
}
