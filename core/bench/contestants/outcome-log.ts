import { openPool } from './client.ts';
import type { Setting } from './contestant.ts';

/** What became of a job. */
export interface LoggedOutcome {
  readonly seq: number;
  readonly data: object;
}

/** A table with a row for each job: the least that a sender keeps of which anybody can read what became of a list. */
export interface OutcomeLog {
  write(outcomes: readonly LoggedOutcome[]): Promise<void>;
  close(): Promise<void>;
}

const CONNECTIONS = 10;
const BATCH_ID = '00000000-0000-7000-8000-000000000000';

const TABLE = `
DROP SCHEMA IF EXISTS bench_log CASCADE;
CREATE SCHEMA bench_log;
CREATE TABLE bench_log.outcomes (id bigint GENERATED ALWAYS AS IDENTITY, batch_id uuid, seq int, kind text,
  at timestamptz DEFAULT now(), data json);
CREATE INDEX ON bench_log.outcomes (batch_id, seq)`;

const WRITE = `INSERT INTO bench_log.outcomes (batch_id, seq, kind, data)
SELECT '${BATCH_ID}', o.seq, 'succeeded', o.data FROM unnest($1::int[], $2::json[]) AS o (seq, data)`;

/** Makes the table anew. */
export async function openOutcomeLog(setting: Setting): Promise<OutcomeLog> {
  const pool = await openPool(setting, CONNECTIONS);
  await pool.query(TABLE);
  return {
    write: async (outcomes) => {
      const values = [outcomes.map(({ seq }) => seq), outcomes.map(({ data }) => JSON.stringify(data))];
      await pool.query({ name: 'write', text: WRITE, values });
    },
    close: () => pool.end(),
  };
}
