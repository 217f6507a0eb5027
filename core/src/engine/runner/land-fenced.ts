import type { PlannedCall } from './call-queue.ts';
import type { Landed } from './call-results.ts';
import type { ConnectionGate } from './gate.ts';
import type { Recorder } from './recorder.ts';

/** What the chunk of a fenced call has for it. */
export interface FencedHost {
  readonly gate: ConnectionGate;
  readonly recorder: Recorder;
  /** The call that may follow to the same endpoint, taken from the queue; undefined if none waits or may start. */
  follower(endpoint: string | undefined, now: number): PlannedCall | undefined;
  begin(call: PlannedCall, now: number): void;
  onFree(): void;
}

/**
 * A fenced call is in flight until its outcome is in the log: after a crash it would be in doubt. So
 * its slot passes to the next call of the chunk, whose fence is written by the same statement, or
 * is free only after the flush.
 */
export function landFenced(host: FencedHost, call: PlannedCall, landed: Landed, now: number): void {
  const { gate, recorder } = host;
  const { endpoint } = call;
  gate.ended(endpoint, landed.working, now);
  const next = host.follower(endpoint, now);
  if (next !== undefined) {
    recorder.add(landed.events);
    host.begin(next, now);
    return;
  }
  recorder.add(landed.events, () => {
    gate.vacate(endpoint);
    host.onFree();
  });
}
