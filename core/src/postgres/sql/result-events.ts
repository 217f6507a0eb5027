import pg, { type Pool } from 'pg';
import type { TimelineEvent } from '../../engine/decisions/timeline.ts';
import { intArray } from './array-literal.ts';
import { listLog, rangeLog } from './job-log.ts';
import { isRange, type Seqs } from './result-payloads.ts';

/** Events of a block. A job that was tried a thousand times has as many. */
const MAX_EVENTS = 40_000;

/** Times that are remembered; the events of a flush share one. */
const MAX_TIMES = 1_000;

type Row = [seq: number, kind: string, attempt: number, at: Date, data: Record<string, unknown> | null];

/** What a block's jobs went through. */
export interface BlockEvents {
  readonly bySeq: ReadonlyMap<number, TimelineEvent[]>;
  /** The first jobs, all of whose events are here: all jobs, unless there were too many events. */
  readonly seqs: Seqs;
}

/** The events of jobs in the order of their ids, at most so many that memory stays flat. */
export function resultEventsStatement(pool: Pool, s: string, maxEvents: number = MAX_EVENTS) {
  const select = (log: string) =>
    `SELECT seq, kind, attempt, at, data FROM ${log} AS e ORDER BY seq, id LIMIT $2`;
  const byRange = select(rangeLog(s, '$1', '$3::int', '$4::int'));
  const byList = select(listLog(s, '$1', '$3::int[]'));
  const types = { getTypeParser: parserWithTimes() };

  async function read(batchId: string, seqs: Seqs, limit: number | null): Promise<Row[]> {
    const first = seqs[0] ?? 0;
    const query = isRange(seqs)
      ? { name: 'bs_result_events', text: byRange, values: [batchId, limit, first, first + seqs.length] }
      : { name: 'bs_result_event_list', text: byList, values: [batchId, limit, intArray(seqs)] };
    const { rows } = await pool.query<Row>({ ...query, rowMode: 'array', types });
    return rows;
  }

  return async (batchId: string, seqs: Seqs): Promise<BlockEvents> => {
    const rows = await read(batchId, seqs, maxEvents);
    const cutSeq = rows.length < maxEvents ? undefined : rows.at(-1)?.[0];
    if (cutSeq === undefined) return { bySeq: group(rows), seqs };
    const whole = seqs.filter((seq) => seq < cutSeq);
    if (whole.length > 0) return { bySeq: group(rows), seqs: whole };
    const one = seqs.slice(0, 1);
    return { bySeq: group(await read(batchId, one, null)), seqs: one };
  };
}

function group(rows: readonly Row[]): Map<number, TimelineEvent[]> {
  const bySeq = new Map<number, TimelineEvent[]>();
  let lastSeq = -1;
  let list: TimelineEvent[] = [];
  for (const [seq, kind, attempt, at, data] of rows) {
    if (seq !== lastSeq) {
      list = [];
      bySeq.set(seq, list);
      lastSeq = seq;
    }
    list.push({ kind, attempt, at, data });
  }
  return bySeq;
}

const TIMESTAMPTZ = 1184;

/** Parses each time once: reading dates was a fifth of the work, and events share theirs. */
function parserWithTimes(): typeof pg.types.getTypeParser {
  const parse = pg.types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;
  const times = new Map<string, Date>();
  const remembered = (text: string): Date => {
    const known = times.get(text);
    if (known !== undefined) return known;
    if (times.size >= MAX_TIMES) times.clear();
    const parsed = parse(text);
    times.set(text, parsed);
    return parsed;
  };
  return ((oid: number, format?: 'text') =>
    oid === TIMESTAMPTZ ? remembered : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;
}
