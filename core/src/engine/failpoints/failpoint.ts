/**
 * What the engine does that may go wrong half-way. Each has a point `before`, one `during` (the
 * work is under way) and one `after` it (the work is done, and nobody knows it yet).
 */
export const OPERATIONS = [
  'lease',
  'attempted',
  'released',
  'call',
  'resolve',
  'flush',
  'follow-up',
  'give-back',
  'heartbeat',
  'submit',
  'slice',
  'commit',
  'seal',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export const PHASES = ['before', 'during', 'after'] as const;

export type Phase = (typeof PHASES)[number];

/** What happens at a failpoint. */
export type Fault =
  /** The operation fails with an error of its own. */
  | { readonly kind: 'throw' }
  /** The operation goes on, or is done, but its caller is told that the connection broke. */
  | { readonly kind: 'drop' }
  /** The operation waits; the rest of the process goes on. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The whole process stands still. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** The process stops itself with SIGSTOP; another one wakes it. */
  | { readonly kind: 'stop' }
  /** The process kills itself with SIGKILL. */
  | { readonly kind: 'kill' };

/** A place where something goes wrong, and when. */
export interface Failpoint {
  readonly operation: Operation;
  readonly phase: Phase;
  /** The first hit that fires, from 1. */
  readonly hit: number;
  /** How many hits fire, one after the other. */
  readonly times: number;
  readonly fault: Fault;
}

const SHAPE = /^(before|during|after)-([a-z-]+):(\d{1,9})(?:x(\d{1,9}))?:([a-z]+)(?:=(\d{1,9}))?$/;

const HOW = `A failpoint is written <phase>-<operation>:<hit>[x<times>]:<fault>[=<ms>], such as
'after-attempted:3:kill' or 'during-flush:1x5:drop,before-call:1:delay=200'. Phases: ${PHASES.join(', ')}.
Operations: ${OPERATIONS.join(', ')}. Faults: throw, drop (not before), delay=<ms>, stall=<ms>, stop, kill.`;

/** Reads failpoints, separated by commas. @throws Error that names the one which cannot be read. */
export function parseFailpoints(text: string): readonly Failpoint[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseOne);
}

function parseOne(text: string): Failpoint {
  const [, phase, operation, hit, times = '1', fault = '', ms] = SHAPE.exec(text) ?? [];
  if (phase === undefined) throw unreadable(text, 'it does not have this form');
  if (!OPERATIONS.includes(operation as Operation)) throw unreadable(text, `there is no '${operation}'`);
  if (Number(hit) < 1 || Number(times) < 1) throw unreadable(text, 'hits count from 1');
  if (fault === 'drop' && phase === 'before')
    throw unreadable(text, 'nothing can be dropped before it is done');
  return {
    operation: operation as Operation,
    phase: phase as Phase,
    hit: Number(hit),
    times: Number(times),
    fault: parseFault(text, fault, ms),
  };
}

function parseFault(text: string, kind: string, ms: string | undefined): Fault {
  const timed = kind === 'delay' || kind === 'stall';
  if (timed !== (ms !== undefined))
    throw unreadable(text, timed ? `'${kind}' needs a time` : `'${kind}' takes no time`);
  switch (kind) {
    case 'delay':
    case 'stall':
      return { kind, ms: Number(ms) };
    case 'throw':
    case 'drop':
    case 'stop':
    case 'kill':
      return { kind };
    default:
      throw unreadable(text, `there is no fault '${kind}'`);
  }
}

const unreadable = (text: string, why: string) =>
  new Error(`The failpoint '${text}' cannot be read: ${why}. ${HOW}`);
