import { type FoldedJob, foldBatch, timeline } from './model-fold.ts';
import { groupBy, type Snapshot } from './model-snapshot.ts';
import type { LedgerEntry } from './model-vendor.ts';

/** What the vendor saw against what the log says: nothing if the guarantees were kept. */
export function ledgerProblems(ledger: readonly LedgerEntry[], snapshot: Snapshot): string[] {
  const logs = new Map(
    [...groupBy(snapshot.events, (event) => event.batch_id)].map(([id, events]) => [
      id,
      foldBatch(events).jobs,
    ]),
  );
  const byJob = groupBy(ledger, (entry) => entry.jobId);
  const problems = [...byJob].flatMap(([jobId, entries]) => {
    const seq = Number(jobId.split('.')[1]);
    const job = logs.get(entries[0]?.batchId ?? '')?.get(seq);
    if (job === undefined) return [`${jobId}: called, but the log knows nothing of it`];
    const found = [...jobProblems(job, entries), ...outcomeProblems(job, entries)];
    return found.map(
      (problem) =>
        `${jobId} (${entries[0]?.provider}): ${problem}: ${show(entries)} | ${timeline(job.events)}`,
    );
  });
  return [...problems, ...keyProblems(ledger)];
}

function jobProblems(job: FoldedJob, entries: readonly LedgerEntry[]): string[] {
  switch (entries[0]?.guarantee.kind) {
    case 'at-most-once':
      return [...oncePerAttempt(entries), ...deliveredOnce(job, entries), ...fencedFirst(job, entries)];
    case 'keyed':
      return entries[0].guarantee.scope === 'call'
        ? [...deliveredOnce(job, entries), ...fencedFirst(job, entries)]
        : deliveredOnce(job, entries);
    case 'reconcilable':
      return [...deliveredOnce(job, entries), ...fencedFirst(job, entries)];
    default:
      return flaggedRepeats(job, entries);
  }
}

function oncePerAttempt(entries: readonly LedgerEntry[]): string[] {
  const attempts = entries.map((entry) => entry.attempt);
  return new Set(attempts).size === attempts.length ? [] : ['called twice in one attempt'];
}

/** Between two reopenings the vendor delivers once at most. */
function deliveredOnce(job: FoldedJob, entries: readonly LedgerEntry[]): string[] {
  const taken = entries.filter((entry) => entry.took);
  const lives = taken.map((entry) => job.reopenedAt.filter((attempt) => attempt <= entry.attempt).length);
  return new Set(lives).size === lives.length ? [] : ['delivered twice without a reopening'];
}

/** E7: no call without its fence, and a fence that was taken back had no call. */
function fencedFirst(job: FoldedJob, entries: readonly LedgerEntry[]): string[] {
  return [...new Set(entries.map((entry) => entry.attempt))].flatMap((attempt) => {
    const { made, released } = job.fences.get(attempt) ?? { made: 0, released: 0 };
    if (made === 0) return [`E7: called without a fence in attempt ${attempt}`];
    return made > released ? [] : [`E7: the fence of attempt ${attempt} was taken back`];
  });
}

/** A repeat after a delivery is flagged, to the provider and in the log. */
function flaggedRepeats(job: FoldedJob, entries: readonly LedgerEntry[]): string[] {
  const first = entries.findIndex((entry) => entry.took);
  if (first < 0) return [];
  const bySettled = job.events.some(
    (event) => event.kind === 'resolved' && event.data?.['outcome'] === 'failed',
  );
  // Somebody said that it was not delivered: what comes after is no duplicate to the engine.
  if (bySettled) return [];
  return entries.slice(first + 1).flatMap((entry) => {
    const problems: string[] = [];
    // A runner that has lost its lease and does not know it yet cannot flag; the one that took over did.
    const told = entries.some((other) => other.attempt === entry.attempt && other.possibleDuplicate);
    if (!told) problems.push(`an unflagged repeat in attempt ${entry.attempt}`);
    const closing = job.closedBy.get(entry.attempt)?.data ?? {};
    const marked = closing['possibleDuplicate'] === true || closing['uncertain'] === true;
    if (!marked) problems.push(`the log does not flag the repeat of attempt ${entry.attempt}`);
    return problems;
  });
}

/** A key of a call stands for exactly the same jobs, always; a key of a job is its id. */
function keyProblems(ledger: readonly LedgerEntry[]): string[] {
  const members = new Map<string, string>();
  const problems: string[] = [];
  for (const { guarantee, key, members: jobs, jobId } of ledger) {
    if (guarantee.kind !== 'keyed') continue;
    if (guarantee.scope === 'job' && key !== jobId) problems.push(`${jobId}: called with the key ${key}`);
    const text = [...jobs].sort().join(' ');
    const known = members.get(key);
    if (known === undefined) members.set(key, text);
    else if (known !== text) problems.push(`key ${key}: first for ${known}, then for ${text}`);
  }
  return problems;
}

/** An outcome that the log gives without a doubt is what happened, unless a person said so. */
function outcomeProblems(job: FoldedJob, entries: readonly LedgerEntry[]): string[] {
  if (job.events.some((event) => event.data?.['by'] === 'api')) return [];
  const since = job.reopenedAt.at(-1) ?? 0;
  const taken = entries.filter((entry) => entry.took);
  const takenNow = taken.some((entry) => entry.attempt >= since);
  const closing = job.closedBy.get(Math.max(0, ...job.closedBy.keys()))?.data ?? {};
  const doubt = closing['uncertain'] === true || closing['possibleDuplicate'] === true;
  switch (job.outcome) {
    case 'succeeded':
      return taken.length === 0 ? ['succeeded, but nobody delivered it'] : [];
    case 'failed':
    case 'cancelled':
      return takenNow && !doubt ? [`${job.outcome}, but it was delivered`] : [];
    default:
      return [];
  }
}

const show = (entries: readonly LedgerEntry[]): string =>
  entries
    .map(
      (entry) =>
        `${entry.attempt}@${entry.engine} by ${entry.key.slice(37)} of ${entry.members.length}${entry.took ? ' took' : ''}${entry.possibleDuplicate ? ' flagged' : ''}`,
    )
    .join(', ');
