import { isPluginMistake } from '../engine/runner/lost.ts';
import type { Guarantee, JobResult } from '../plugin/index.ts';
import { describe } from './check-result.ts';

/** How a call ended for one job: with a result, or with an error for all of its jobs. */
export type CallEnd =
  | { readonly kind: 'result'; readonly result: JobResult | undefined }
  | { readonly kind: 'error'; readonly error: unknown; readonly notSent: boolean; readonly code: string };

export interface LostCallRules {
  readonly guarantee: Guarantee;
  /** The session can be asked, so that `pending` is an answer. */
  readonly canResolve: boolean;
  /** The engine ended the call: then it knows the reason, and an error needs no code. */
  readonly aborted?: boolean;
  /** The vendor answered, but nobody can read it: another call may end in the same way. */
  readonly answered?: boolean;
}

const REMEDY =
  'throw callError(error), answer networkResult(…), or answer retry with possibleDuplicate: true: then the guarantee decides';

/** Why the end of a call that may have reached the vendor is wrong; undefined if it is right. */
export function lostProblem(end: CallEnd, rules: LostCallRules): string | undefined {
  if (end.kind === 'error') return errorProblem(end, rules);
  const { result } = end;
  if (result === undefined) return `there is no valid result: ${REMEDY}`;
  switch (result.status) {
    case 'retry':
      return result.possibleDuplicate === true
        ? undefined
        : `${describe(result)} says that the vendor did not take the job, which nobody knows: ${REMEDY}`;
    case 'unknown':
      return unknownProblem(rules);
    case 'pending':
      return rules.canResolve ? undefined : '`pending` needs a resolve() in the session';
    case 'succeeded':
      return `\`succeeded\`, but there was no answer that says so: ${REMEDY}`;
    case 'failed':
      return `${describe(result)}, but the vendor may have taken the job: ${REMEDY}`;
    case 'throttled':
    case 'blocked':
      return `${describe(result)} means that the job was not taken, which nobody knows: ${REMEDY}`;
  }
}

function errorProblem(end: CallEnd & { kind: 'error' }, rules: LostCallRules): string | undefined {
  if (end.notSent) {
    return 'it threw an error with notSent, but the vendor had got the request: throw callError(error), which looks at the error';
  }
  if (rules.aborted !== true && isPluginMistake(end.error)) {
    return `it threw an error without a code (${String(end.error)}), which counts as a bug of the plugin: throw callError(error)`;
  }
  return undefined;
}

function unknownProblem({ guarantee, answered }: LostCallRules): string | undefined {
  if (guarantee.kind === 'at-most-once' || answered === true) return undefined;
  return `\`unknown\` leaves the job to a person, but the guarantee ${guarantee.kind} promises more: ${REMEDY}`;
}

/** Why the end of a call that cannot have reached the vendor is wrong; undefined if it is right. */
export function notSentProblem(end: CallEnd): string | undefined {
  const remedy = 'throw callError(error) or notSent(error), or answer retry without possibleDuplicate';
  if (end.kind === 'error') {
    return end.notSent
      ? undefined
      : `it threw an error that does not say notSent (${String(end.error)}), so the engine must take the job for sent: ${remedy}`;
  }
  const { result } = end;
  if (result === undefined) return `there is no valid result: ${remedy}`;
  if (result.status === 'retry' && result.possibleDuplicate !== true) return undefined;
  return `${describe(result)}, although no byte was sent: ${remedy}`;
}
