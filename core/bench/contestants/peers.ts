import type { Peer } from './contestant.ts';

const PEERS: Readonly<Record<string, () => Promise<Peer>>> = {
  'graphile-worker': async () => (await import('./graphile-worker.ts')).graphilePeer,
  'pg-boss': async () => (await import('./pg-boss.ts')).pgBossPeer,
  bullmq: async () => (await import('./bullmq.ts')).bullmqPeer,
};

/** What a peer's processes do. */
export async function peer(name: string): Promise<Peer> {
  const load = PEERS[name];
  if (load === undefined) throw new Error(`No peer is called '${name}'`);
  return load();
}
