import { isDeepStrictEqual } from 'node:util';
import { createRegistry } from '../../engine/create-registry.ts';
import { valueProblems } from '../../engine/intake/payload-check.ts';
import { concurrencyOf } from '../../engine/runner/concurrency.ts';
import { ratesOf } from '../../engine/runner/rates.ts';
import type { JobPayload, Rate } from '../../plugin/index.ts';
import { guaranteeProblem } from '../check-guarantee.ts';
import { show } from '../check-result.ts';
import { schemaFault, unmarkedSecret } from '../check-schemas.ts';
import { refuseIf, violated } from '../conformance-error.ts';
import type { ConformanceCase } from '../options.ts';
import type { Rig } from '../rig.ts';
import { conformanceCase } from './needs.ts';

const UNKNOWN_FIELD = 'fieldThatNobodyKnows';

/** Cases about what the plugin says of itself, without opening a session. */
export function definitionCases(rig: Rig): ConformanceCase[] {
  return [
    conformanceCase('the plugin can be registered', undefined, async () => {
      createRegistry([rig.options.plugin]);
    }),
    conformanceCase('the schemas are plain JSON and say all that is checked', undefined, async () => {
      refuseIf(schemaFault(rig.module.payload, 'payload'));
      refuseIf(schemaFault(rig.provider.credentials, 'credentials'));
    }),
    conformanceCase('fields of the credentials that hold secrets are marked', undefined, async () => {
      refuseIf(unmarkedSecret(rig.provider.credentials));
    }),
    conformanceCase('the samples are valid', undefined, async () => samplesAreValid(rig)),
    conformanceCase('an unknown field of a payload is refused', undefined, async () =>
      unknownFieldIsRefused(rig),
    ),
    conformanceCase('what is asked about a payload is answered, each time the same', undefined, async () => {
      for (const payload of rig.options.payloads) functionsAreTotal(rig, payload);
    }),
    conformanceCase('concurrency is a whole number from 1', undefined, async () => concurrencyIsCount(rig)),
  ];
}

function samplesAreValid(rig: Rig): void {
  const wrong = valueProblems(rig.provider.credentials, rig.options.credentials);
  const [first] = wrong;
  if (first !== undefined)
    violated(`The credentials of the suite are not valid: ${first.path || '/'} ${first.message}`);
  for (const [index, payload] of rig.options.payloads.entries()) {
    const problems = rig.problems(payload);
    if (problems.length > 0) violated(`payloads[${index}] of the suite is not valid: ${problems.join('; ')}`);
  }
}

function unknownFieldIsRefused(rig: Rig): void {
  const problems = rig.problems({ ...rig.payload, [UNKNOWN_FIELD]: 1 });
  if (problems.length > 0) return;
  violated(
    'A payload with a field that the schema does not name was taken, so that a typing error loses data without ' +
      'a word. Give the payload schema { additionalProperties: false }',
  );
}

/** The functions that the engine asks before a call: they must not throw, and not change their mind. */
function functionsAreTotal(rig: Rig, payload: JobPayload): void {
  const { provider, module } = rig;
  const { timeoutMs } = provider;
  const isText = (value: unknown) => typeof value === 'string';
  const isTime = (value: unknown) => Number.isFinite(value) && (value as number) > 0;
  const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
  const { endpointKey } = provider;
  if (typeof endpointKey === 'function') ask('endpointKey', endpointKey, payload, isText, 'a string');
  ask('groupKey', provider.groupKey, payload, isText, 'a string');
  for (const rate of ratesFor(rig)) ask("a rate's key", rate.key, payload, isText, 'a string');
  if (typeof timeoutMs === 'function') ask('timeoutMs', timeoutMs, payload, isTime, 'milliseconds above 0');
  ask('recipients', module.recipients?.bind(module), payload, isTexts, 'a list of strings');
  ask(
    'guarantee',
    () => rig.guarantee(payload),
    payload,
    (value) => guaranteeProblem(value) === undefined,
    'a guarantee',
  );
}

function ratesFor({ provider, credentials }: Rig): readonly Rate[] {
  try {
    return ratesOf(provider, structuredClone(credentials)) ?? [];
  } catch (error) {
    return violated(`rates gives none that can be kept: ${(error as Error).message}`);
  }
}

/** Of credentials the runner asks once, and makes calls one by one if the answer is of no use. */
function concurrencyIsCount({ provider, credentials, options }: Rig): void {
  if (concurrencyOf(provider, structuredClone(credentials)) !== undefined) return;
  violated(
    `concurrency gives no number for the credentials with the fields ${Object.keys(options.credentials).join(', ')}: ` +
      'it must answer a whole number from 1 for all credentials that the schema accepts',
  );
}

function ask(
  name: string,
  question: ((payload: JobPayload) => unknown) | undefined,
  payload: JobPayload,
  isValid: (value: unknown) => boolean,
  kind: string,
): void {
  if (question === undefined) return;
  const [first, second] = [answerTo(name, question, payload), answerTo(name, question, payload)];
  if (!isValid(first)) violated(`${name} answered ${show(first)} for a valid payload: it must be ${kind}`);
  if (!isDeepStrictEqual(first, second)) {
    violated(
      `${name} answered ${show(first)}, then ${show(second)} for the same payload: it must depend on the payload only`,
    );
  }
}

function answerTo(name: string, question: (payload: JobPayload) => unknown, payload: JobPayload): unknown {
  try {
    return question(structuredClone(payload));
  } catch (error) {
    return violated(
      `${name} threw ${String(error)} for a valid payload: it must answer for every payload that the schema accepts`,
      error,
    );
  }
}
