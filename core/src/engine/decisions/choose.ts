import type { Candidate } from '../store.ts';

/**
 * Picks chunks to hint: round robin over tenants, then over a tenant's batches (higher
 * priority first), never more than the room that a connection has left. `lastTenant` is who
 * was served last; the tenants behind it come first.
 */
export function chooseFairly(
  candidates: readonly Candidate[],
  room: (connectionId: string, candidate: Candidate) => number,
  limit: number,
  lastTenant?: string,
): Candidate[] {
  const queues = tenantQueues(candidates);
  const tenants = rotate([...queues.keys()].sort(), lastTenant);
  const left = new Map<string, number>();
  const chosen: Candidate[] = [];
  let active = tenants;
  while (active.length > 0 && chosen.length < limit) {
    active = active.filter((tenant) => {
      if (chosen.length >= limit) return false;
      const next = takeNext(queues.get(tenant) ?? [], left, room);
      if (next === undefined) return false;
      chosen.push(next);
      return true;
    });
  }
  return chosen;
}

/** For each tenant its batches' chunks, highest priority first, batches of one priority taking turns. */
function tenantQueues(candidates: readonly Candidate[]): Map<string, Candidate[]> {
  const turns = new Map<string, number>();
  const ranked = candidates.map((candidate) => {
    const turn = turns.get(candidate.batchId) ?? 0;
    turns.set(candidate.batchId, turn + 1);
    return { candidate, turn };
  });
  ranked.sort((a, b) => b.candidate.priority - a.candidate.priority || a.turn - b.turn);
  const queues = new Map<string, Candidate[]>();
  for (const { candidate } of ranked) {
    const queue = queues.get(candidate.tenantId);
    if (queue === undefined) queues.set(candidate.tenantId, [candidate]);
    else queue.push(candidate);
  }
  return queues;
}

function rotate(tenants: string[], last: string | undefined): string[] {
  const start = last === undefined ? 0 : tenants.findIndex((tenant) => tenant > last);
  return start <= 0 ? tenants : [...tenants.slice(start), ...tenants.slice(0, start)];
}

function takeNext(
  queue: Candidate[],
  left: Map<string, number>,
  room: (connectionId: string, candidate: Candidate) => number,
): Candidate | undefined {
  while (queue.length > 0) {
    const next = queue.shift() as Candidate;
    const free = left.get(next.connectionId) ?? room(next.connectionId, next);
    if (free <= 0) continue;
    left.set(next.connectionId, free - 1);
    return next;
  }
  return undefined;
}
