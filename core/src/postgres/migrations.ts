/** The database schema, step by step. A step is never changed once it was released. */
export interface Migration {
  readonly version: number;
  /** SQL with `$S` for the quoted schema name, and `$L` for it inside a string literal. */
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE $S.batches (
  id uuid PRIMARY KEY,
  tenant_id text NOT NULL,
  type text NOT NULL,
  origin text NOT NULL DEFAULT 'batch',
  name text,
  state text NOT NULL,
  provider text NOT NULL,
  connection_id text NOT NULL,
  priority smallint NOT NULL DEFAULT 0,
  defaults json,
  retry json NOT NULL DEFAULT '{}',
  plugin_name text NOT NULL,
  plugin_version text NOT NULL,
  module_version int NOT NULL,
  chunk_size int NOT NULL,
  bytes bigint NOT NULL DEFAULT 0,
  total int NOT NULL DEFAULT 0,
  open_chunks int NOT NULL DEFAULT 0,
  succeeded int NOT NULL DEFAULT 0,
  failed int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0,
  cancelled int NOT NULL DEFAULT 0,
  scheduled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  sealed_at timestamptz,
  completed_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT now(),
  checked_at timestamptz
);
CREATE INDEX batches_list ON $S.batches (tenant_id, id DESC);
CREATE INDEX batches_running ON $S.batches (id) WHERE state = 'running';
CREATE INDEX batches_scheduled ON $S.batches (scheduled_at) WHERE state = 'scheduled';
CREATE INDEX batches_unchecked ON $S.batches (changed_at) WHERE checked_at IS NULL OR checked_at < changed_at;

CREATE TABLE $S.uploads (
  id uuid PRIMARY KEY,
  batch_id uuid NOT NULL,
  state text NOT NULL,
  first_seq int NOT NULL,
  rows int NOT NULL DEFAULT 0,
  body_hash text,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uploads_active ON $S.uploads (batch_id) WHERE state = 'active';

CREATE TABLE $S.jobs (
  batch_id uuid NOT NULL,
  seq int NOT NULL,
  payload json NOT NULL,
  PRIMARY KEY (batch_id, seq)
) PARTITION BY RANGE (batch_id);
CREATE TABLE $S.jobs_default PARTITION OF $S.jobs DEFAULT;

CREATE TABLE $S.chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id uuid NOT NULL,
  connection_id text NOT NULL,
  state text NOT NULL,
  due_at timestamptz NOT NULL,
  first_due_at timestamptz NOT NULL,
  first_leased_at timestamptz,
  attempt int NOT NULL,
  spent int NOT NULL DEFAULT 0,
  epoch int NOT NULL DEFAULT 0,
  flush_no int NOT NULL DEFAULT 0,
  runner_id uuid,
  dispatched_at timestamptz,
  deaths int NOT NULL DEFAULT 0,
  interrupted boolean NOT NULL DEFAULT false,
  uncertain boolean NOT NULL DEFAULT false,
  first_seq int,
  end_seq int,
  seqs int[],
  size int NOT NULL,
  succeeded int NOT NULL DEFAULT 0,
  failed int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0,
  cancelled int NOT NULL DEFAULT 0,
  retried int NOT NULL DEFAULT 0,
  postponed int NOT NULL DEFAULT 0,
  CHECK ((seqs IS NULL) = (first_seq IS NOT NULL AND end_seq IS NOT NULL))
);
CREATE INDEX chunks_ready ON $S.chunks (batch_id, due_at, id) WHERE state = 'ready';
CREATE INDEX chunks_open ON $S.chunks (batch_id) WHERE state <> 'closed';
CREATE INDEX chunks_leased ON $S.chunks (runner_id) WHERE state = 'leased';

CREATE SEQUENCE $S.job_event_ids;
CREATE TABLE $S.job_events (
  id bigint NOT NULL DEFAULT nextval('$L.job_event_ids'),
  batch_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  seq int NOT NULL,
  attempt int NOT NULL,
  kind text NOT NULL,
  data json
) PARTITION BY RANGE (batch_id);
CREATE TABLE $S.job_events_default PARTITION OF $S.job_events DEFAULT;
CREATE INDEX job_events_job ON $S.job_events (batch_id, seq);
CREATE INDEX job_events_rare ON $S.job_events (batch_id, kind, seq)
  WHERE kind IN ('failed', 'unknown', 'cancelled', 'resolved', 'reopened', 'late');

CREATE TABLE $S.runners (
  id uuid PRIMARY KEY,
  seen_at timestamptz NOT NULL,
  versions json NOT NULL
);

CREATE TABLE $S.leadership (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE $S.connections (
  id text PRIMARY KEY,
  tenant_id text,
  type text NOT NULL,
  provider text NOT NULL,
  blocked_code text,
  blocked_message text,
  blocked_at timestamptz,
  throttled_until timestamptz
);

CREATE TABLE $S.rate_usage (
  key text NOT NULL,
  bucket bigint NOT NULL,
  used int NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (key, bucket)
);

CREATE TABLE $S.sweeps (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id uuid NOT NULL,
  kind text NOT NULL,
  states text[] NOT NULL DEFAULT '{}',
  next_seq int NOT NULL DEFAULT 0,
  upto_event bigint,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sweeps_batch ON $S.sweeps (batch_id);

CREATE TABLE $S.idempotency_keys (
  tenant_id text NOT NULL,
  key text NOT NULL,
  body_hash text,
  status int,
  body json,
  ref text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, key)
);

CREATE TABLE $S.settings (
  name text PRIMARY KEY,
  value json NOT NULL
);
`,
  },
  {
    // Duplicates within a batch (E13). A key has 16 bytes, as a uuid has; `upload_id` tells what
    // goes away with an upload that is taken back.
    version: 2,
    sql: `
ALTER TABLE $S.batches
  ADD COLUMN dedupe_by json,
  ADD COLUMN duplicates int NOT NULL DEFAULT 0,
  ADD COLUMN rejected int NOT NULL DEFAULT 0;

CREATE TABLE $S.job_keys (
  batch_id uuid NOT NULL,
  hash uuid NOT NULL,
  upload_id uuid,
  PRIMARY KEY (batch_id, hash)
);
CREATE INDEX job_keys_upload ON $S.job_keys (upload_id) WHERE upload_id IS NOT NULL;
`,
  },
  {
    version: 3,
    sql: 'ALTER TABLE $S.batches ADD COLUMN columns json;',
  },
  {
    // The submitter's trace, and what monitoring counts without reading every batch there ever was.
    version: 4,
    sql: `
ALTER TABLE $S.batches ADD COLUMN trace_parent text;
CREATE INDEX batches_unknown ON $S.batches (type) INCLUDE (unknown) WHERE unknown > 0;
`,
  },
  {
    // Named connections with sealed credentials, their OAuth tokens' times, and the grants under way.
    // The tokens have a row of their own: whoever refreshes them holds its lock during a call over the
    // network, and nobody else waits for it. Default connections cost none of it.
    version: 5,
    sql: `
ALTER TABLE $S.connections
  ADD COLUMN name text,
  ADD COLUMN public_part json,
  ADD COLUMN sealed text,
  ADD COLUMN key_id text,
  ADD COLUMN version int NOT NULL DEFAULT 0,
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX connections_name ON $S.connections (tenant_id, type, name) WHERE name IS NOT NULL;

CREATE TABLE $S.connection_tokens (
  connection_id text PRIMARY KEY REFERENCES $S.connections ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  refresh_at timestamptz,
  failures int NOT NULL DEFAULT 0,
  rescued_version int
);
CREATE INDEX connection_tokens_due ON $S.connection_tokens (refresh_at) WHERE refresh_at IS NOT NULL;

CREATE TABLE $S.grant_requests (
  state_hash bytea PRIMARY KEY,
  connection_id text NOT NULL REFERENCES $S.connections ON DELETE CASCADE,
  verifier text NOT NULL,
  return_url text,
  expires_at timestamptz NOT NULL
);

ALTER TABLE $S.batches ADD COLUMN dry_run boolean NOT NULL DEFAULT false;
CREATE INDEX batches_connection ON $S.batches (connection_id)
  WHERE completed_at IS NULL AND left(connection_id, 4) = 'con_';
`,
  },
  {
    // Receipts are recorded once by their key. `early_…`: it proves that the job was sent, and came before
    // the outcome of its attempt. Suppressed recipients are kept as keyed hashes only.
    version: 6,
    sql: `
CREATE TABLE $S.receipt_keys (
  hash uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  early_batch uuid,
  early_seq int,
  early_attempt int
);
CREATE INDEX receipt_keys_at ON $S.receipt_keys (at);
CREATE INDEX receipt_keys_early ON $S.receipt_keys (hash) WHERE early_batch IS NOT NULL;

CREATE TABLE $S.suppressions (
  id bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id text NOT NULL,
  type text NOT NULL,
  hash uuid NOT NULL,
  reason text NOT NULL,
  source text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, type, hash, reason)
);
CREATE INDEX suppressions_list ON $S.suppressions (tenant_id, id DESC);

CREATE TABLE $S.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  action text NOT NULL,
  actor text NOT NULL,
  target text,
  count int NOT NULL DEFAULT 1,
  data json
);
CREATE INDEX audit_log_list ON $S.audit_log (tenant_id, id DESC);
CREATE INDEX audit_log_action ON $S.audit_log (tenant_id, action, id DESC);
`,
  },
  {
    // Since when endpoints fail, over all processes (E19).
    version: 7,
    sql: `
CREATE TABLE $S.endpoints (
  connection_id text NOT NULL,
  endpoint text NOT NULL,
  failing_since timestamptz NOT NULL DEFAULT now(),
  checked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, endpoint)
);
`,
  },
  {
    // Takes tokens of a rate limit in one statement: each statement of a function sees what was committed before the
    // lock was had, which a single statement with a lock in it does not.
    version: 8,
    sql: `
CREATE FUNCTION $S.take_tokens(p_key text, p_costs int[], p_max int, p_bucket_ms float8, p_buckets int, p_used boolean)
RETURNS TABLE (granted int, wait_ms float8) LANGUAGE plpgsql AS $f$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_key, 726610));
  RETURN QUERY
  WITH clock AS (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000 / p_bucket_ms)::bigint AS bucket),
  used AS (
    SELECT coalesce(sum(u.used), 0)::int AS total, min(u.bucket) AS oldest FROM clock
    LEFT JOIN $S.rate_usage AS u ON u.key = p_key AND u.bucket > clock.bucket - p_buckets - 2
  ),
  wish AS (SELECT sum(cost) OVER (ORDER BY n) AS upto FROM unnest(p_costs) WITH ORDINALITY AS c (cost, n)),
  given AS (
    SELECT coalesce((SELECT max(upto) FROM wish WHERE p_used OR upto <= p_max - used.total), 0)::int AS n, clock.bucket,
      used.oldest
    FROM used, clock
  ),
  taken AS (
    INSERT INTO $S.rate_usage AS r (key, bucket, used, expires_at)
    SELECT p_key, bucket, n, now() + p_bucket_ms * (p_buckets + 3) * interval '1 ms' FROM given WHERE n > 0
    ON CONFLICT (key, bucket) DO UPDATE SET used = r.used + excluded.used
  )
  SELECT n, greatest(0, (oldest + p_buckets + 2) * p_bucket_ms - extract(epoch FROM clock_timestamp()) * 1000)::float8
  FROM given;
END $f$;
`,
  },
  {
    // One number for all events of a statement, which count on from it (`EVENT_IDS`): a number for each was a tenth of
    // what writing them took.
    version: 9,
    sql: 'ALTER SEQUENCE $S.job_event_ids INCREMENT BY 65536;',
  },
  {
    // Fences of neighbours share a row. The log stays one set with a row an event, `job_events`: a view now, which
    // processes of the release before read and write as they did (E24).
    version: 10,
    sql: `
ALTER TABLE $S.job_events RENAME TO job_event_rows;
CREATE TABLE $S.job_fences (
  id bigint NOT NULL,
  batch_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  seq int NOT NULL,
  end_seq int NOT NULL,
  attempt int NOT NULL,
  data json
) PARTITION BY RANGE (batch_id);
CREATE TABLE $S.job_fences_default PARTITION OF $S.job_fences DEFAULT;
CREATE INDEX job_fences_job ON $S.job_fences (batch_id, seq);

CREATE VIEW $S.job_events AS
SELECT id, batch_id, at, seq, attempt, kind, data FROM $S.job_event_rows
UNION ALL
SELECT f.id, f.batch_id, f.at, m.seq, f.attempt, 'attempted', f.data
FROM $S.job_fences AS f, generate_series(f.seq, f.end_seq - 1) AS m (seq);
ALTER VIEW $S.job_events ALTER COLUMN id SET DEFAULT nextval('$L.job_event_ids');
ALTER VIEW $S.job_events ALTER COLUMN at SET DEFAULT now();
CREATE FUNCTION $S.insert_job_event() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  INSERT INTO $S.job_event_rows (id, batch_id, at, seq, attempt, kind, data)
  VALUES (NEW.id, NEW.batch_id, NEW.at, NEW.seq, NEW.attempt, NEW.kind, NEW.data);
  RETURN NEW;
END $f$;
CREATE TRIGGER insert_job_event INSTEAD OF INSERT ON $S.job_events
FOR EACH ROW EXECUTE FUNCTION $S.insert_job_event();
`,
  },
];
