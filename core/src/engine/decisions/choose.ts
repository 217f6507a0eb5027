import type { Candidate } from '../store.ts';

/** Room that a connection keeps for tenants without a chunk at work there (E16). */
export interface Newcomers {
  /** Chunks of the connection that could be taken now if all were of newcomers; `candidate` is one of them. */
  most(connectionId: string, candidate: Candidate): number;
  /** True if a chunk of the tenant is at work on the connection. */
  holds(connectionId: string, tenantId: string): boolean;
}

/** What those who are hinted would take now. */
export interface Room {
  /** How many more chunks of the connection; `candidate` is one of them. */
  room(connectionId: string, candidate: Candidate): number;
  readonly newcomers: Newcomers;
}

interface Places {
  readonly at: Room;
  /** What `at` said, by connection and version: it is asked for each candidate, and nothing changes meanwhile. */
  readonly known: Map<string, { readonly room: number; readonly most: number }>;
  /** Chunks that were chosen, by connection. */
  readonly taken: Map<string, number>;
  /** Tenants that were chosen, with their connection. */
  readonly served: Set<string>;
}

/**
 * Picks chunks to hint: round robin over tenants, then over a tenant's batches (higher
 * priority first), never more than the room that a connection has left. `lastTenant` is who
 * was served last; the tenants behind it come first. Where the room is taken by others, a tenant
 * with nothing at work gets one chunk of what is kept for newcomers.
 */
export function chooseFairly(
  candidates: readonly Candidate[],
  at: Room,
  limit: number,
  lastTenant?: string,
): Candidate[] {
  const queues = tenantQueues(candidates);
  const tenants = rotate([...queues.keys()].sort(), lastTenant);
  const places: Places = { at, known: new Map(), taken: new Map(), served: new Set() };
  const chosen: Candidate[] = [];
  let active = tenants;
  while (active.length > 0 && chosen.length < limit) {
    active = active.filter((tenant) => {
      if (chosen.length >= limit) return false;
      const next = takeNext(queues.get(tenant) ?? [], places);
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

function takeNext(queue: Candidate[], places: Places): Candidate | undefined {
  const { taken, served } = places;
  while (queue.length > 0) {
    const next = queue.shift() as Candidate;
    if (!fits(next, places)) continue;
    taken.set(next.connectionId, (taken.get(next.connectionId) ?? 0) + 1);
    served.add(placeOf(next));
    return next;
  }
  return undefined;
}

function fits(candidate: Candidate, places: Places): boolean {
  const { at, taken, served } = places;
  const { connectionId, tenantId } = candidate;
  const before = taken.get(connectionId) ?? 0;
  const { room, most } = knownRoom(candidate, places);
  if (before < room) return true;
  if (before >= most || served.has(placeOf(candidate))) return false;
  return !at.newcomers.holds(connectionId, tenantId);
}

function knownRoom(candidate: Candidate, { at, known }: Places): { room: number; most: number } {
  const { connectionId, moduleVersion } = candidate;
  const key = `${moduleVersion} ${connectionId}`;
  let room = known.get(key);
  if (room === undefined) {
    room = { room: at.room(connectionId, candidate), most: at.newcomers.most(connectionId, candidate) };
    known.set(key, room);
  }
  return room;
}

const placeOf = ({ connectionId, tenantId }: Candidate): string => JSON.stringify([connectionId, tenantId]);
