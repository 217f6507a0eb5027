import type { CallEnd } from '../check-lost.ts';
import { describe } from '../check-result.ts';
import { violated } from '../conformance-error.ts';
import { wrongSecrets } from '../leaks.ts';
import type { MadeCall } from '../made-call.ts';
import type { ConformanceCase } from '../options.ts';
import type { Opened, Rig } from '../rig.ts';
import { within } from '../within.ts';
import { conformanceCase, lacking } from './needs.ts';

/** Cases about the session that `open` gives. */
export function sessionCases(rig: Rig): ConformanceCase[] {
  return [
    conformanceCase('open() gives a session that fits the declaration', undefined, () =>
      rig.use(async ({ session }) => sessionFits(rig, session)),
    ),
    conformanceCase('close() ends, also without a call before', undefined, () => closeEnds(rig)),
    conformanceCase('two sessions share no state', lacking(rig, 'accept'), () => nothingIsShared(rig)),
    conformanceCase(
      'health(), if there is one, tells working credentials from wrong ones',
      lacking(rig, 'accept', 'authFailure'),
      () => healthTells(rig),
    ),
  ];
}

function sessionFits(rig: Rig, session: Partial<Opened['session']> | undefined): void {
  const single = typeof session?.process === 'function';
  const batch = typeof session?.processBatch === 'function';
  if (single === batch) {
    violated(
      `open() gave a session with ${single ? 'both' : 'neither'} process and processBatch: it must have exactly one of them`,
    );
  }
  if (single && rig.batchSize > 1) {
    violated(
      `batchSize is ${rig.batchSize}, but the session has process, which takes one job: give it processBatch, or take batchSize away`,
    );
  }
  const asked = rig.options.payloads.some((payload) => rig.guarantee(payload).kind === 'reconcilable');
  if (asked && typeof session?.resolve !== 'function') {
    violated(
      'The guarantee is reconcilable, but the session has no resolve(): the engine could not ask what became of a lost call',
    );
  }
}

async function closeEnds(rig: Rig): Promise<void> {
  await rig.close(await rig.open());
  if (rig.options.respond?.accept === undefined) return;
  const opened = await rig.open();
  await rig.call(opened, [rig.payload]);
  await rig.close(opened);
}

/** A second session with other credentials comes and goes; the first one must not notice. */
async function nothingIsShared(rig: Rig): Promise<void> {
  await rig.use(async (first) => {
    // What goes wrong without a second session is the matter of other cases.
    if (!isDelivery((await rig.call(first, [rig.payload])).ends[0])) return;
    const wrong = wrongSecrets(rig.options.credentials, rig.provider.credentials);
    // A provider may refuse wrong credentials as early as in open(); then its twin has the right ones.
    const second = await rig.open(wrong).catch(() => rig.open());
    expectDelivery(
      await rig.call(first, [rig.payload]),
      'while a second session with other credentials was open',
    );
    await rig.leave(second);
    expectDelivery(await rig.call(first, [rig.payload]), 'after a second session had been closed');
  });
}

function expectDelivery({ ends }: MadeCall, when: string): void {
  const [end] = ends;
  if (isDelivery(end)) return;
  const what = end?.kind === 'result' && end.result !== undefined ? describe(end.result) : 'an error';
  violated(
    `The first session ended in ${what} ${when}. Keep clients, pools and credentials inside open(), not in variables of the file`,
    end?.kind === 'error' ? end.error : undefined,
  );
}

function isDelivery(end: CallEnd | undefined): boolean {
  const status = end?.kind === 'result' ? end.result?.status : undefined;
  return status === 'succeeded' || status === 'pending';
}

async function healthTells(rig: Rig): Promise<void> {
  await rig.use(async ({ session }) => {
    if (session.health === undefined) return;
    const ask = async () => {
      const { signal } = new AbortController();
      const answer = Promise.resolve(session.health?.(signal));
      return within(rig.timeoutMs, answer, `health() did not end within ${rig.timeoutMs} ms`);
    };
    await rig.set('accept');
    const reason = await ask();
    if (reason !== undefined)
      violated(`health() answered ${reason.code} for credentials that work: it must answer undefined`);
    await rig.set('authFailure');
    const refused = await ask().catch((error: unknown) => ({ code: String(error) }));
    if (refused === undefined)
      violated(
        'health() answered undefined although the vendor refused the credentials: answer a reason, or throw',
      );
  });
}
