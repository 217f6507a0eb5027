import { isDeepStrictEqual } from 'node:util';
import type { JobPayload } from '../../plugin/index.ts';
import type { CallEnd } from '../check-lost.ts';
import { describe, resultProblem } from '../check-result.ts';
import { refuseIf, violated } from '../conformance-error.ts';
import type { MadeCall } from '../made-call.ts';
import type { ConformanceCase } from '../options.ts';
import type { Opened, Rig } from '../rig.ts';
import { conformanceCase, firstOf, lacking } from './needs.ts';

const TROUBLE = ['throttle', 'dropAfterAccept', 'garbage'] as const;

/** Cases about which result belongs to which job, and how often a job is sent. */
export function batchCases(rig: Rig): ConformanceCase[] {
  const single = rig.batchSize === 1 ? 'the provider takes one job a call' : undefined;
  const trouble = firstOf(rig, TROUBLE);
  return [
    conformanceCase('a call for many jobs answers one result a job', single ?? lacking(rig, 'accept'), () =>
      oneResultEach(rig),
    ),
    conformanceCase(
      'a refused job leaves the others alone',
      distinct(rig) === undefined ? 'give the suite two different payloads' : lacking(rig, 'refuseOnly'),
      () => onlyTheRefusedFails(rig),
    ),
    conformanceCase(
      'a call is one try: nothing is repeated inside',
      lacking(rig, 'accept', 'calls') ?? (trouble === undefined ? lacking(rig, 'throttle') : undefined),
      () => nothingIsRepeated(rig),
    ),
  ];
}

function distinct({ options }: Rig): readonly [JobPayload, JobPayload] | undefined {
  const [first] = options.payloads as [JobPayload];
  const other = options.payloads.find((payload) => !isDeepStrictEqual(payload, first));
  return other === undefined ? undefined : [first, other];
}

async function oneResultEach(rig: Rig): Promise<void> {
  await rig.use(async (opened) => {
    for (const size of new Set([1, 2, Math.min(rig.batchSize, 20)])) {
      const payloads = Array.from({ length: size }, () => rig.payload);
      const made = await rig.call(opened, payloads);
      checkResults(made, `a call for ${size} ${size === 1 ? 'job' : 'jobs'}`);
    }
  });
}

function checkResults({ ends, violation }: MadeCall, when: string): void {
  if (violation !== undefined) {
    violated(
      `${when}: ${violation}. Answer one result a job, in the order of the jobs, or each with its jobId`,
    );
  }
  for (const end of ends) {
    if (end.kind === 'error') violated(`${when}: the provider threw ${String(end.error)}`, end.error);
    refuseIf(resultProblem(end.result));
  }
}

/** The refused one stands in the first and in the last place, in one call or in two at the same time. */
async function onlyTheRefusedFails(rig: Rig): Promise<void> {
  const [good, bad] = distinct(rig) as readonly [JobPayload, JobPayload];
  await rig.use(async (opened) => {
    await rig.options.respond?.refuseOnly?.(bad);
    const [badFirst, goodSecond] = await send(rig, opened, [bad, good]);
    const [goodFirst, badSecond] = await send(rig, opened, [good, bad]);
    for (const end of [badFirst, badSecond]) expectStatus(end, ['failed'], 'The job that the vendor refused');
    for (const end of [goodFirst, goodSecond]) {
      expectStatus(end, ['succeeded', 'pending'], 'A job that the vendor took while it refused another one');
    }
  });
}

function expectStatus(end: CallEnd | undefined, wanted: readonly string[], who: string): void {
  const result = end?.kind === 'result' ? end.result : undefined;
  if (result !== undefined && wanted.includes(result.status)) return;
  const what = result === undefined ? 'without a result' : `as ${describe(result)}`;
  violated(
    `${who} ended ${what} instead of \`${wanted.join('` or `')}\`: match results to jobs by what the vendor says of each`,
    end?.kind === 'error' ? end.error : undefined,
  );
}

async function send(rig: Rig, opened: Opened, payloads: readonly JobPayload[]): Promise<readonly CallEnd[]> {
  if (rig.batchSize > 1) return (await rig.call(opened, payloads)).ends;
  const made = await Promise.all(payloads.map((payload) => rig.call(opened, [payload])));
  return made.flatMap(({ ends }) => ends);
}

async function nothingIsRepeated(rig: Rig): Promise<void> {
  await rig.use(async (opened) => {
    await rig.set('accept');
    // The first call may bring a login with it.
    await rig.call(opened, [rig.payload]);
    const usual = await requestsOf(rig, opened);
    for (const behaviour of TROUBLE) {
      if (rig.options.respond?.[behaviour] === undefined) continue;
      await rig.set(behaviour);
      const count = await requestsOf(rig, opened);
      if (count <= usual) continue;
      violated(
        `respond.${behaviour}: one call made ${count} requests, a good one makes ${usual}. Switch off the retries of ` +
          "the vendor's client: the engine repeats, with backoff, limits and the guarantee in mind",
      );
    }
  });
}

async function requestsOf(rig: Rig, opened: Opened): Promise<number> {
  const before = rig.arrived ?? 0;
  await rig.call(opened, [rig.payload]);
  return (rig.arrived ?? 0) - before;
}
