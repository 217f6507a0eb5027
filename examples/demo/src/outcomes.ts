import type { Result } from './api.ts';

/** Jobs of one type that ended alike. */
export interface OutcomeRow {
  readonly type: string;
  readonly state: string;
  readonly code: string;
  readonly jobs: number;
  readonly meaning: string;
}

/** The codes that the demo's receivers bring about, in plain words. */
const MEANINGS: Readonly<Record<string, string>> = {
  'email.mailbox_unknown': 'the mail server knows no such mailbox (550 5.1.1)',
  'email.mailbox_full': 'the mailbox is full (552 5.2.2)',
  'email.policy_refused': 'the mail server refused the message (554 5.7.1)',
  'email.connection_closed': 'the line broke after the message, before the answer',
  'email.timeout': 'the mail server got the message and never answered',
  'webhook.http_404': 'the shop has gone (404)',
};

const ORDER = ['succeeded', 'failed', 'unknown', 'cancelled'];

/** Counts the jobs of one type by how they ended. */
export function outcomesOf(type: string, results: readonly Result[]): readonly OutcomeRow[] {
  const rows = new Map<string, OutcomeRow>();
  for (const result of results) {
    const row = rowOf(type, result);
    const key = `${row.state} ${row.code} ${row.meaning}`;
    rows.set(key, { ...row, jobs: (rows.get(key)?.jobs ?? 0) + 1 });
  }
  return [...rows.values()].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.jobs - a.jobs,
  );
}

function rowOf(type: string, result: Result): OutcomeRow {
  const { state, attempts, possibleDuplicate } = result;
  const code = result.code ?? '';
  if (state !== 'succeeded') {
    return { type, state, code, jobs: 0, meaning: MEANINGS[`${type}.${code}`] ?? result.message ?? '' };
  }
  const late = possibleDuplicate
    ? 'after a call without an answer: it may have arrived twice'
    : 'at a later attempt';
  return { type, state, code, jobs: 0, meaning: attempts > 1 ? late : 'at the first attempt' };
}
