import { type LostCallRules, lostProblem } from '../check-lost.ts';
import { ConformanceError, violated } from '../conformance-error.ts';
import type { FakeCall } from '../fake-call.ts';
import type { MadeCall } from '../made-call.ts';
import type { ConformanceCase } from '../options.ts';
import type { Opened, Rig } from '../rig.ts';
import { sleep, until, within } from '../within.ts';
import { conformanceCase, firstOf, lacking } from './needs.ts';

/** A call must end within this time after its signal, in milliseconds. */
const ABORT_LIMIT_MS = 2_000;
/** How long the suite waits for the request, in milliseconds; without `calls` it cannot see it arrive. */
const ARRIVAL_MS = 5_000;
const BLIND_ARRIVAL_MS = 500;

/** Cases about calls that end without an answer. */
export function lostCases(rig: Rig): ConformanceCase[] {
  const either = firstOf(rig, ['dropAfterAccept', 'hang'] as const);
  return [
    conformanceCase(
      'a call that was cut after it arrived is left to the guarantee',
      lacking(rig, 'dropAfterAccept'),
      () =>
        rig.use(async (opened) => {
          await rig.set('dropAfterAccept');
          expectLost(rig, opened, await rig.call(opened, rig.few), 'respond.dropAfterAccept');
        }),
    ),
    conformanceCase('the signal ends a call within 2 s', lacking(rig, 'hang'), async () => {
      await rig.use((opened) => abortedCall(rig, opened));
    }),
    conformanceCase(
      'a timeout after the request arrived is left to the guarantee',
      lacking(rig, 'hang'),
      () =>
        rig.use(async (opened) =>
          expectLost(rig, opened, await abortedCall(rig, opened), 'respond.hang', true),
        ),
    ),
    conformanceCase(
      'no rejection is left that nobody awaits',
      either === undefined ? lacking(rig, 'dropAfterAccept') : undefined,
      () => nothingIsLeftBehind(rig),
    ),
  ];
}

/** A call that the vendor never answers, aborted once its request has arrived. */
async function abortedCall(rig: Rig, opened: Opened): Promise<MadeCall> {
  await rig.set('hang');
  const before = rig.arrived;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const during = (call: FakeCall) => void abortOnArrival(rig, before, call).then(resolve);
  const made = rig.call(opened, rig.few, { during });
  await Promise.race([aborted, made]);
  return within(
    ABORT_LIMIT_MS,
    made,
    'The call did not end within 2 s after call.signal was aborted: pass the signal on to every request and every wait',
  );
}

async function abortOnArrival(rig: Rig, before: number | undefined, call: FakeCall): Promise<void> {
  if (before === undefined) await sleep(BLIND_ARRIVAL_MS);
  else await until(ARRIVAL_MS, () => (rig.arrived ?? 0) > before);
  call.abort();
}

function expectLost(rig: Rig, { session }: Opened, { ends }: MadeCall, when: string, aborted = false): void {
  const rules: LostCallRules = {
    guarantee: rig.guarantee(),
    canResolve: session.resolve !== undefined,
    aborted,
  };
  for (const end of ends) {
    const problem = lostProblem(end, rules);
    if (problem !== undefined) violated(`${when}: ${problem}`, end.kind === 'error' ? end.error : undefined);
  }
}

/** Runs calls that go wrong, and looks for what an author forgot to await. */
async function nothingIsLeftBehind(rig: Rig): Promise<void> {
  const left: unknown[] = [];
  const listen = (reason: unknown) => void left.push(reason);
  process.on('unhandledRejection', listen);
  try {
    if (rig.options.respond?.dropAfterAccept !== undefined) await rig.one('dropAfterAccept');
    if (rig.options.respond?.hang !== undefined) await rig.use((opened) => abortedCall(rig, opened));
    await sleep(50);
  } catch (error) {
    // A call that does not end is the matter of another case.
    if (!(error instanceof ConformanceError)) throw error;
  } finally {
    process.off('unhandledRejection', listen);
  }
  if (left.length > 0) {
    violated(
      `A promise was rejected with ${String(left[0])}, and nobody awaited it: await every promise, or end it with catch`,
      left[0],
    );
  }
}
