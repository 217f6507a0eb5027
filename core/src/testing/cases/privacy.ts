import { violated } from '../conformance-error.ts';
import { type Canary, findLeak, MIN_LENGTH, personalData, secretsOf } from '../leaks.ts';
import type { Behaviour, ConformanceCase } from '../options.ts';
import type { Rig } from '../rig.ts';
import { conformanceCase, firstOf } from './needs.ts';

const BEHAVIOURS = ['accept', 'refuse', 'throttle', 'authFailure', 'garbage', 'dropAfterAccept'] as const;

/** What would be kept of a call, and what was going on. */
interface Trace {
  readonly behaviour: string;
  /** What goes into results, errors and notes. */
  readonly kept: readonly unknown[];
  readonly logged: readonly unknown[];
}

/** Cases about what must not be kept: the event log stays for ever, and logs are read by many. */
export function privacyCases(rig: Rig): ConformanceCase[] {
  const skip =
    firstOf(rig, BEHAVIOURS) === undefined ? 'give the suite respond.refuse, or another hook' : undefined;
  return [
    conformanceCase('no secret gets into results, errors, notes or logs', skip, async () => {
      const secrets = secretsIn(rig);
      checkAll(secrets, await traces(rig), 'Codes say enough: leave the rest out');
    }),
    conformanceCase('no data of a payload gets into results, errors, notes or logs', skip, async () => {
      const { payloads, harmless = [] } = rig.options;
      const personal = payloads.flatMap((payload) => personalData(rig.module, payload, harmless));
      checkAll(personal, await traces(rig), "Keep codes, ids and times only, not the vendor's own text");
    }),
  ];
}

function secretsIn({ options, module, provider }: Rig): Canary[] {
  const secrets = [
    ...secretsOf(options.credentials, provider.credentials, 'credentials'),
    ...options.payloads.flatMap((payload) => secretsOf(payload, module.payload, 'payload')),
  ];
  const short = secrets.find(({ text }) => text.length < MIN_LENGTH);
  if (short !== undefined) {
    violated(
      `${short.from} of the suite is too short to be looked for: give it ${MIN_LENGTH} or more characters that occur nowhere else`,
    );
  }
  return secrets;
}

/** Makes a call for each sample in each behaviour of the vendor. */
async function traces(rig: Rig): Promise<Trace[]> {
  const found: Trace[] = [];
  for (const behaviour of BEHAVIOURS) {
    if (rig.options.respond?.[behaviour] === undefined) continue;
    for (const payload of rig.options.payloads) found.push(await trace(rig, behaviour, payload));
  }
  return found;
}

function trace(rig: Rig, behaviour: Behaviour, payload: Rig['payload']): Promise<Trace> {
  return rig.use(async (opened) => {
    await rig.set(behaviour);
    const { kept } = await rig.call(opened, [payload]);
    return { behaviour, kept, logged: opened.context.lines };
  });
}

function checkAll(canaries: readonly Canary[], all: readonly Trace[], remedy: string): void {
  for (const { behaviour, kept, logged } of all) {
    const leak = findLeak(canaries, kept);
    if (leak !== undefined)
      violated(
        `respond.${behaviour}: ${leak.from} got into a result, an error or a note, which are kept for ever. ${remedy}`,
      );
    const line = findLeak(canaries, logged);
    if (line !== undefined) violated(`respond.${behaviour}: ${line.from} got into a log line. ${remedy}`);
  }
}
