import { type FoldedJob, foldBatch, type Outcome, timeline } from './model-fold.ts';
import { groupBy, type Snapshot, type SnapshotBatch, type SnapshotChunk } from './model-snapshot.ts';

const OUTCOMES: readonly Outcome[] = ['succeeded', 'failed', 'unknown', 'cancelled'];
const TALLIES = [...OUTCOMES, 'retried', 'postponed'] as const;

/** E1, E2 and E10 at one moment: what is wrong, in words; nothing if all is well. */
export function conservationProblems(snapshot: Snapshot): string[] {
  const events = groupBy(snapshot.events, (event) => event.batch_id);
  const chunks = groupBy(snapshot.chunks, (chunk) => chunk.batch_id);
  return snapshot.batches.flatMap((batch) => {
    const { jobs, wrong } = foldBatch(events.get(batch.id) ?? []);
    const open = chunks.get(batch.id) ?? [];
    const sweeps = snapshot.retrySweeps.filter((id) => id === batch.id).length;
    const problems = [
      ...wrong,
      ...counterProblems(batch, open, jobs),
      ...chunkProblems(batch, open, jobs),
      ...stateProblems(batch, open.length + sweeps),
    ];
    return problems.map((problem) => `${batch.id} (${batch.provider}, ${batch.state}): ${problem}`);
  });
}

/** The counts shown are the batch's and its open chunks', and must be those of the log. */
function counterProblems(
  batch: SnapshotBatch,
  open: readonly SnapshotChunk[],
  jobs: ReadonlyMap<number, FoldedJob>,
): string[] {
  return OUTCOMES.flatMap((outcome) => {
    const shown = batch[outcome] + open.reduce((sum, chunk) => sum + chunk[outcome], 0);
    const logged = [...jobs.values()].filter((job) => job.outcome === outcome).length;
    return shown === logged ? [] : [`E10: shows ${shown} ${outcome}, the log has ${logged}`];
  });
}

function chunkProblems(
  batch: SnapshotBatch,
  open: readonly SnapshotChunk[],
  jobs: ReadonlyMap<number, FoldedJob>,
): string[] {
  if (batch.state === 'open')
    return open.length > 0 || jobs.size > 0 ? ['an open batch has chunks or events'] : [];
  const held = new Map<number, number[]>();
  for (const chunk of open) {
    for (const seq of chunk.seqs) {
      const closing = jobs.get(seq)?.closedBy.get(chunk.attempt)?.kind;
      if (closing === undefined || closing === 'retried' || closing === 'postponed') {
        held.set(seq, [...(held.get(seq) ?? []), chunk.id]);
      }
    }
  }
  const problems = open.flatMap((chunk) => tallyProblems(chunk, jobs));
  for (let seq = 0; seq < batch.total; seq++) {
    const job = jobs.get(seq);
    const wanted = job?.outcome === undefined ? 1 : 0;
    const found = held.get(seq) ?? [];
    if (found.length !== wanted) {
      const log = timeline(job?.events ?? []);
      problems.push(
        `E2: job ${seq} (${job?.outcome ?? 'open'}) is in the open chunks [${found.join()}]: ${log}`,
      );
    }
  }
  const beyond = [...jobs.keys(), ...held.keys()].filter((seq) => seq >= batch.total);
  return beyond.length === 0 ? problems : [...problems, `jobs beyond the total: ${beyond.join()}`];
}

function tallyProblems(chunk: SnapshotChunk, jobs: ReadonlyMap<number, FoldedJob>): string[] {
  const closings = chunk.seqs.map((seq) => jobs.get(seq)?.closedBy.get(chunk.attempt)?.kind);
  const problems = TALLIES.flatMap((kind) => {
    const logged = closings.filter((closing) => closing === kind).length;
    return logged === chunk[kind]
      ? []
      : [`E10: chunk ${chunk.id} tells ${chunk[kind]} ${kind}, the log has ${logged}`];
  });
  return chunk.size === chunk.seqs.length ? problems : [...problems, `chunk ${chunk.id} has a wrong size`];
}

function stateProblems(batch: SnapshotBatch, open: number): string[] {
  const ended = batch.state === 'completed' || batch.state === 'cancelled';
  const problems: string[] = [];
  if (batch.open_chunks !== open) problems.push(`E10: says ${batch.open_chunks} open chunks, has ${open}`);
  if (ended !== (open === 0) && batch.state !== 'open') problems.push(`${open} open chunks`);
  if (ended !== (batch.completed_at !== null)) problems.push(`completed at ${String(batch.completed_at)}`);
  return problems;
}
