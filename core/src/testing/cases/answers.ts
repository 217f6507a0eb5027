import { isDeepStrictEqual } from 'node:util';
import type { JobResult } from '../../plugin/index.ts';
import { type CallEnd, lostProblem, notSentProblem } from '../check-lost.ts';
import { codeProblem, describe, resultProblem } from '../check-result.ts';
import { refuseIf, violated } from '../conformance-error.ts';
import type { MadeCall } from '../made-call.ts';
import type { Behaviour, ConformanceCase } from '../options.ts';
import type { Rig } from '../rig.ts';
import { conformanceCase, firstOf, lacking } from './needs.ts';

/** Cases about what the vendor's answers are turned into. */
export function answerCases(rig: Rig): ConformanceCase[] {
  return [
    conformanceCase('every sample is delivered', lacking(rig, 'accept'), () => samplesAreDelivered(rig)),
    conformanceCase('a payload is not changed', lacking(rig, 'accept'), () => payloadIsKept(rig)),
    conformanceCase('a refused job fails', lacking(rig, 'refuse'), () =>
      expectStatus(rig, 'refuse', 'failed', 'the vendor refused the job for good: answer failed(code)'),
    ),
    conformanceCase('a throttled call is answered by throttled', lacking(rig, 'throttle'), () =>
      expectStatus(
        rig,
        'throttle',
        'throttled',
        'the vendor asked for patience: answer throttled(afterMs), which spends no attempt',
      ),
    ),
    conformanceCase('wrong credentials block the connection', lacking(rig, 'authFailure'), () =>
      expectStatus(
        rig,
        'authFailure',
        'blocked',
        'the vendor refused the credentials: answer blocked(code), so that no job fails for it',
      ),
    ),
    conformanceCase('an answer that makes no sense is taken for no answer', lacking(rig, 'garbage'), () =>
      garbageIsLost(rig),
    ),
    conformanceCase(
      'a refused connection counts as not sent',
      rig.options.unreachable === undefined ? 'give the suite unreachable' : undefined,
      () => refusedConnection(rig),
    ),
    conformanceCase(
      'codes are snake_case and the same each time',
      firstOf(rig, FAILING) === undefined
        ? `give the suite one of ${FAILING.map((hook) => `respond.${hook}`).join(', ')}`
        : undefined,
      () => codesAreStable(rig),
    ),
  ];
}

/** Behaviours that lead to a result with a code. */
const FAILING = ['refuse', 'throttle', 'authFailure', 'garbage', 'dropAfterAccept'] as const;

async function samplesAreDelivered(rig: Rig): Promise<void> {
  await rig.use(async (opened) => {
    for (const [index, payload] of rig.options.payloads.entries()) {
      const made = await rig.call(opened, [payload]);
      const result = wellFormed(made, `payloads[${index}]`);
      if (result.status !== 'succeeded' && result.status !== 'pending') {
        violated(
          `payloads[${index}] ended as ${describe(result)} although the vendor takes every job: is the sample right?`,
        );
      }
    }
  });
}

async function payloadIsKept(rig: Rig): Promise<void> {
  await rig.use(async (opened) => {
    for (const [index, payload] of rig.options.payloads.entries()) {
      const { jobs } = await rig.call(opened, [payload]);
      if (isDeepStrictEqual(jobs[0]?.payload, payload)) continue;
      violated(
        `payloads[${index}] was changed by the call. Parts of it are shared by other jobs of the batch: work on a copy`,
      );
    }
  });
}

async function expectStatus(
  rig: Rig,
  behaviour: Behaviour,
  status: JobResult['status'],
  remedy: string,
): Promise<void> {
  const result = wellFormed(await rig.one(behaviour), `respond.${behaviour}`);
  if (result.status !== status)
    violated(`respond.${behaviour}: the job ended as ${describe(result)}, but ${remedy}`);
  if (result.status === 'throttled' && !(result.afterMs > 0)) {
    violated('respond.throttle: afterMs must be above 0, or the engine would call again without a pause');
  }
}

async function garbageIsLost(rig: Rig): Promise<void> {
  const { ends } = await rig.one('garbage');
  await rig.use(async ({ session }) => {
    const rules = { guarantee: rig.guarantee(), canResolve: session.resolve !== undefined, answered: true };
    const problem = lostProblem(ends[0] as CallEnd, rules);
    if (problem !== undefined)
      violated(`respond.garbage: ${problem}. Check that an answer is one of the vendor before believing it`);
  });
}

async function refusedConnection(rig: Rig): Promise<void> {
  const { credentials, payload = rig.payload } = rig.options.unreachable ?? {};
  // A provider that connects in open() may fail there: its jobs wait, and nothing was sent.
  const opened = await rig.open(credentials).catch(() => undefined);
  if (opened === undefined) return;
  try {
    const { ends } = await rig.call(opened, [payload]);
    const problem = notSentProblem(ends[0] as CallEnd);
    if (problem !== undefined) violated(`The connection was refused, but ${problem}`, errorOf(ends[0]));
  } finally {
    await rig.leave(opened);
  }
}

async function codesAreStable(rig: Rig): Promise<void> {
  for (const behaviour of FAILING) {
    if (rig.options.respond?.[behaviour] === undefined) continue;
    const [first, second] = [codeOf(await rig.one(behaviour)), codeOf(await rig.one(behaviour))];
    // A throttled result needs no code.
    if (first === undefined && second === undefined) continue;
    const problem = codeProblem(first);
    if (problem !== undefined) violated(`respond.${behaviour}: ${problem}`);
    if (first !== second) {
      violated(
        `respond.${behaviour}: the code was '${first}', then '${second}'. People count and filter by codes: put what changes into data`,
      );
    }
  }
}

/** The result of a call for one job. @throws ConformanceError if it threw or answered something else. */
function wellFormed({ ends, answer, violation }: MadeCall, when: string): JobResult {
  const [end] = ends;
  if (end?.kind === 'error')
    return violated(`${when}: the provider threw ${String(end.error)}: answer a JobResult`, end.error);
  if (violation !== undefined) violated(`${when}: ${violation}. Answer a JobResult for each job of the call`);
  refuseIf(resultProblem(end?.result ?? answer));
  return end?.result as JobResult;
}

/** The code that the event log would keep. */
function codeOf({ ends }: MadeCall): string | undefined {
  const [end] = ends;
  return end?.kind === 'error' ? end.code : (end?.result as { code?: string } | undefined)?.code;
}

const errorOf = (end: CallEnd | undefined): unknown => (end?.kind === 'error' ? end.error : undefined);
