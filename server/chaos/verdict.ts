import { entriesOf } from '../../core/chaos/ledger.ts';
import { conservationProblems } from '../../core/test/helpers/model-conservation.ts';
import { ledgerProblems } from '../../core/test/helpers/model-ledger.ts';
import { groupBy } from '../../core/test/helpers/model-snapshot.ts';
import type { LedgerEntry } from '../../core/test/helpers/model-vendor.ts';
import { type Cause, type Causes, causesOf } from './causes.ts';
import type { Evidence } from './evidence.ts';
import { type Figure, figure } from './figure.ts';
import { type LedgerLine, PROVIDERS } from './ledger.ts';
import { outcomesOf } from './outcomes.ts';

export interface Verdict {
  readonly figures: readonly Figure[];
  /** Each broken promise, in words. */
  readonly problems: readonly string[];
}

/** A job that was called again although an earlier call may have arrived. */
interface Repeat {
  readonly jobId: string;
  readonly kind: string;
  readonly cause: Cause;
}

const REFUSALS = new Set(['busy', 'throttled', 'rejected']);

/** Compares ledger, event log and counters. */
export function verdictOf(evidence: Evidence): Verdict {
  const { snapshot } = evidence;
  const causes = causesOf(evidence);
  const entries = modelEntries(evidence.ledger);
  const counters = conservationProblems(snapshot);
  const broken = ledgerProblems(entries, snapshot);
  const repeats = repeatsOf(evidence.ledger, causes);
  const outcomes = outcomesOf(evidence, causes);
  const once = repeats.filter(({ kind }) => kind === 'at-most-once');
  const others = repeats.filter(({ kind }) => kind !== 'at-most-once');
  const doubts = others.length + outcomes.unknown.length;
  const bound = causes.inFlight + causes.unanswered;
  const unexplained = [...others, ...outcomes.unknown].filter(({ cause }) => cause === 'none');
  const unmarked = broken.filter((problem) => /flag|twice/.test(problem));
  const by = (cause: Cause) =>
    [...others, ...outcomes.unknown].filter((doubt) => doubt.cause === cause).length;
  const figures: Figure[] = [
    figure('jobs', evidence.jobs),
    ...outcomes.figures,
    figure('counters equal to the log', counters.length === 0 ? 'yes' : 'no', counters.length, 0),
    figure('at-most-once jobs called again', once.length, once.length, 0),
    figure('duplicates of the others', others.length),
    figure('  unmarked', unmarked.length, unmarked.length, 0),
    figure('unknown', outcomes.unknown.length),
    figure('calls in flight at the faults', causes.inFlight),
    figure('calls that the provider left in doubt', causes.unanswered),
    figure('duplicates and unknowns beyond these', Math.max(0, doubts - bound), doubts - bound, 0),
    figure('  after a kill or stop / by the provider', `${by('kill')} / ${by('provider')}`),
    figure('  after a broken connection alone', by('wire')),
    figure('  without a reason', unexplained.length, unexplained.length, 0),
    figure('other contradictions', broken.length - unmarked.length, broken.length - unmarked.length, 0),
  ];
  return {
    figures,
    problems: [
      ...outcomes.problems,
      ...counters,
      ...broken,
      ...once.map(({ jobId }) => `${jobId}: at-most-once, and called again`),
      ...unexplained.map(({ jobId, kind }) => `${jobId} (${kind}): a repeat or unknown without a reason`),
    ],
  };
}

/** The ledger in the words of the engine's model. */
const modelEntries = (lines: readonly LedgerLine[]): LedgerEntry[] =>
  lines.flatMap((line) => entriesOf(line, PROVIDERS[line.provider].guarantee, line.took, line.atMs));

/** A call after one that was not refused: a repeat of something that may have arrived. */
function repeatsOf(lines: readonly LedgerLine[], causes: Causes): Repeat[] {
  const calls = lines.flatMap((line) => line.jobs.map(({ id }) => ({ id, line })));
  return [...groupBy(calls, ({ id }) => id)].flatMap(([jobId, list]) =>
    list.slice(1).flatMap(({ line }, index): Repeat[] => {
      const before = list[index]?.line;
      if (before === undefined || REFUSALS.has(before.fate)) return [];
      const kind = PROVIDERS[line.provider].guarantee.kind;
      return [{ jobId, kind, cause: causes.ofCall(before, line.atMs) }];
    }),
  );
}
