import { describe, expect, it } from 'vitest';
import type { LedgerProvider } from '../../../core/chaos/ledger.ts';
import type { SnapshotEvent } from '../../../core/test/helpers/model-snapshot.ts';
import type { Evidence } from '../../chaos/evidence.ts';
import type { Blow } from '../../chaos/faults.ts';
import type { CallFate, LedgerLine } from '../../chaos/ledger.ts';
import { type Verdict, verdictOf } from '../../chaos/verdict.ts';

const ID = '01920000-0000-7000-8000-000000000000';

let lastEvent = 0;
const event = (attempt: number, kind: string, data: SnapshotEvent['data'] = null): SnapshotEvent => ({
  id: ++lastEvent,
  batch_id: ID,
  seq: 0,
  attempt,
  kind,
  data,
});

const call = (
  provider: LedgerProvider,
  attempt: number,
  fate: CallFate,
  more: Partial<LedgerLine> = {},
): LedgerLine => ({
  engine: 7,
  startedMs: attempt * 1_000,
  provider,
  attempt,
  key: `${ID}.0`,
  jobs: [{ id: `${ID}.0`, batchId: ID, n: 0, possibleDuplicate: attempt > 1 }],
  fate,
  atMs: attempt * 1_000,
  took: [fate === 'ok' || fate === 'dropped'],
  ...more,
});

const kill = (atMs: number): Blow => ({
  fault: { kind: 'kill machine', server: 'runner-1', afterMs: 0, downMs: 0, early: false },
  atMs,
  untilMs: atMs,
  pids: [7],
  runnerIds: [],
  wire: false,
});

interface Story {
  readonly provider: LedgerProvider;
  readonly ledger: readonly LedgerLine[];
  readonly events: readonly SnapshotEvent[];
  readonly outcome?: 'succeeded' | 'unknown';
  readonly blows?: readonly Blow[];
  readonly more?: Partial<Evidence>;
}

/** The verdict on a batch with one job. */
function judge({ provider, ledger, events, outcome = 'succeeded', blows = [], more = {} }: Story): Verdict {
  const none = { succeeded: 0, failed: 0, unknown: 0, cancelled: 0 };
  const batch = { id: ID, state: 'completed', provider, total: 1, open_chunks: 0, completed_at: new Date() };
  const attempts = [...new Set(events.map(({ attempt }) => attempt))];
  return verdictOf({
    jobs: 1,
    snapshot: { batches: [{ ...batch, ...none, [outcome]: 1 }], chunks: [], events, retrySweeps: [] },
    times: attempts.map((attempt) => ({
      batch_id: ID,
      seq: 0,
      attempt,
      fenced_ms: attempt * 1_000 - 10,
      closed_ms: attempt * 1_000 + 500,
    })),
    stored: [0],
    ledger,
    blows,
    recovery: { all: [], able: [], unmeasured: 0, waiting: 0 },
    acknowledged: [{ batchId: ID, jobs: 1, provider }],
    problems: [],
    alarms: [],
    ...more,
  });
}

const broken = ({ figures }: Verdict) => figures.filter((each) => each.broken).map(({ name }) => name.trim());
const value = ({ figures }: Verdict, name: string) =>
  figures.find((each) => each.name.trim() === name)?.value;

const once = { provider: 'once', events: [event(1, 'attempted'), event(1, 'succeeded')] } as const;

describe('the verdict of a chaos run', () => {
  it('finds nothing where each job was called once and is in the log', () => {
    const verdict = judge({ ...once, ledger: [call('once', 1, 'ok')] });
    expect([broken(verdict), verdict.problems]).toEqual([[], []]);
  });

  it('breaks at an at-most-once job that was called again', () => {
    const ledger = [call('once', 1, 'dropped'), call('once', 1, 'ok', { took: [false] })];
    const verdict = judge({ ...once, ledger, blows: [kill(1_000)] });
    expect(broken(verdict)).toContain('at-most-once jobs called again');
  });

  it('takes a call after a clear refusal for no repeat', () => {
    const events = [event(1, 'attempted'), event(1, 'retried'), event(2, 'attempted'), event(2, 'succeeded')];
    const ledger = [call('once', 1, 'busy'), call('once', 2, 'ok')];
    expect(broken(judge({ provider: 'once', ledger, events }))).toEqual([]);
  });

  it('breaks at a repeat that the log does not mark', () => {
    const events = [event(1, 'retried'), event(2, 'succeeded')];
    const ledger = [call('least', 1, 'dropped'), call('least', 2, 'ok')];
    expect(broken(judge({ provider: 'least', ledger, events }))).toContain('unmarked');
    const marked = [
      event(1, 'retried', { uncertain: true }),
      event(2, 'succeeded', { possibleDuplicate: true }),
    ];
    expect(broken(judge({ provider: 'least', ledger, events: marked }))).toEqual([]);
  });

  it('breaks at a repeat for which there was no reason', () => {
    const events = [
      event(1, 'retried', { uncertain: true }),
      event(2, 'succeeded', { possibleDuplicate: true }),
    ];
    const ledger = [call('least', 1, 'ok'), call('least', 2, 'ok')];
    const without = judge({ provider: 'least', ledger, events });
    expect(broken(without)).toEqual(['duplicates and unknowns beyond these', 'without a reason']);
    const killed = judge({ provider: 'least', ledger, events, blows: [kill(1_200)] });
    expect(broken(killed)).toEqual([]);
    expect(value(killed, 'calls in flight at the faults')).toBe('1');
  });

  it('breaks at an unknown outcome for which there was no reason', () => {
    const story = {
      provider: 'once',
      events: [event(1, 'attempted'), event(1, 'unknown')],
      ledger: [call('once', 1, 'ok')],
      outcome: 'unknown',
    } as const;
    expect(broken(judge(story))).toContain('without a reason');
    expect(broken(judge({ ...story, blows: [kill(1_100)] }))).toEqual([]);
    expect(broken(judge({ ...story, ledger: [call('once', 1, 'dropped')] }))).toEqual([]);
  });

  it('breaks at counters that differ from the log', () => {
    const events = [event(1, 'attempted'), event(1, 'failed')];
    expect(broken(judge({ provider: 'once', ledger: [call('once', 1, 'rejected')], events }))).toContain(
      'counters equal to the log',
    );
  });

  it('breaks at jobs and batches that are lost, or there twice', () => {
    const ledger = [call('once', 1, 'ok')];
    const acknowledged = [
      { batchId: ID, jobs: 1, provider: 'once' },
      { batchId: 'gone', jobs: 3, provider: 'once' },
    ];
    expect(broken(judge({ ...once, ledger, more: { acknowledged } }))).toEqual(['missing', 'lost']);
    expect(broken(judge({ ...once, ledger, more: { acknowledged: [] } }))).toEqual(['made twice']);
    expect(broken(judge({ ...once, ledger, more: { stored: [0, 0] } }))).toEqual(['jobs stored twice']);
  });

  it('breaks at a job without an outcome', () => {
    const events = [event(1, 'attempted')];
    expect(broken(judge({ provider: 'once', ledger: [], events }))).toContain('lost');
  });

  it('breaks at a success that the ledger denies', () => {
    expect(broken(judge({ ...once, ledger: [call('once', 1, 'lost')] }))).toContain('other contradictions');
  });
});
