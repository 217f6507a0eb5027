import { isResolution, matchResults } from '../../engine/runner/results.ts';
import type { JobResult, Resolution, UnresolvedJob } from '../../plugin/index.ts';
import { resultProblem, show } from '../check-result.ts';
import { refuseIf, violated } from '../conformance-error.ts';
import { fakeCall } from '../fake-call.ts';
import type { MadeCall } from '../made-call.ts';
import type { ConformanceCase } from '../options.ts';
import type { Opened, Rig } from '../rig.ts';
import { sleep, within } from '../within.ts';
import { conformanceCase, lacking } from './needs.ts';

/** How often a pending job is asked about, and how long the suite waits in between at most. */
const QUESTIONS = 20;
const PAUSE_MS = 200;

/** Cases about `resolve`. */
export function resolveCases(rig: Rig): ConformanceCase[] {
  const guarantee = rig.guarantee();
  const other = guarantee.kind === 'reconcilable' ? undefined : `the guarantee is ${guarantee.kind}`;
  return [
    conformanceCase(
      'resolve() finds a job whose call was cut',
      other ?? lacking(rig, 'accept', 'dropAfterAccept'),
      () => rig.use((opened) => lostCallIsFound(rig, opened)),
    ),
    conformanceCase('a pending job is settled by resolve()', lacking(rig, 'accept'), () =>
      rig.use((opened) => pendingIsSettled(rig, opened)),
    ),
  ];
}

async function lostCallIsFound(rig: Rig, opened: Opened): Promise<void> {
  await rig.set('dropAfterAccept');
  const made = await rig.call(opened, [rig.payload]);
  await rig.set('accept');
  const guarantee = rig.guarantee();
  const ageMs = guarantee.kind === 'reconcilable' ? guarantee.settleMs + 1 : 0;
  const answer = await ask(rig, opened, made, ageMs);
  if (answer.status === 'absent') {
    violated(
      'resolve() answered `absent` about a job that the vendor had taken, so that it would be sent twice: look it up by what the call had sent or noted',
    );
  }
  if (answer.status === 'failed' || answer.status === 'retry') {
    violated(
      `resolve() answered \`${answer.status}\` about a job that the vendor had taken: answer succeeded, pending or undecided`,
    );
  }
}

async function pendingIsSettled(rig: Rig, opened: Opened): Promise<void> {
  const made = await rig.call(opened, [rig.payload]);
  let result: Resolution | undefined = resultOf(made);
  if (result?.status !== 'pending') return;
  if (opened.session.resolve === undefined)
    violated('The provider answered `pending`, but its session has no resolve() to ask later');
  for (let question = 0; question < QUESTIONS && result.status === 'pending'; question++) {
    await sleep(Math.min(result.checkAfterMs, PAUSE_MS));
    result = await ask(rig, opened, made, 0, result.ref);
  }
  if (result.status !== 'succeeded') {
    violated(
      `A job that the vendor took was still \`${result.status}\` after ${QUESTIONS} questions: let respond.accept end what it takes within some seconds`,
    );
  }
}

const resultOf = ({ ends }: MadeCall): JobResult | undefined =>
  ends[0]?.kind === 'result' ? ends[0].result : undefined;

async function ask(
  rig: Rig,
  { session }: Opened,
  made: MadeCall,
  ageMs: number,
  ref?: string,
): Promise<Resolution> {
  const note = made.call.notes.at(-1);
  const jobs = made.jobs.map(
    (job): UnresolvedJob => ({
      ...job,
      ageMs,
      ...(ref === undefined ? {} : { ref }),
      ...(note === undefined ? {} : { note }),
    }),
  );
  const call = fakeCall({ idempotencyKey: made.call.idempotencyKey, timeoutMs: rig.timeoutMs });
  const answer = Promise.resolve(session.resolve?.(jobs, call));
  const value = await within(rig.timeoutMs, answer, `resolve() did not end within ${rig.timeoutMs} ms`);
  const ids = jobs.map((job) => job.id);
  const { results, violation } = matchResults<Resolution>(ids, value, isResolution);
  if (violation !== undefined)
    violated(
      `resolve(): ${violation}, it answered ${show(value)}. Answer one resolution a job, in the order of the jobs or with its jobId`,
    );
  const [resolution] = results as [Resolution];
  if (resolution.status !== 'absent' && resolution.status !== 'undecided')
    refuseIf(resultProblem(resolution));
  return resolution;
}
