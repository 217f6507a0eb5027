import type { Notice } from '../engine/store.ts';

/**
 * What a notification's payload says. Empty, or not understood (a newer release wrote it): something is due,
 * and the dispatcher looks.
 */
export function readNotice(payload: string | undefined): Notice {
  if (payload === undefined || payload === '') return { kind: 'due' };
  try {
    const { chunk, batch, type, connection, tenant, version, size, steered, unblocked, changed, joined } =
      JSON.parse(payload);
    if (typeof chunk === 'number')
      return {
        kind: 'chunk',
        chunkId: chunk,
        batchId: batch,
        type,
        connectionId: connection,
        tenantId: tenant,
        moduleVersion: version,
        size,
      };
    if (typeof steered === 'string') return { kind: 'steered', batchId: steered };
    if (typeof unblocked === 'string') return { kind: 'unblocked', connectionId: unblocked };
    if (typeof joined === 'string') return { kind: 'joined' };
    if (typeof changed === 'string') return { kind: 'changed', connectionId: changed, version };
  } catch {
    // Not ours to judge: looking costs little.
  }
  return { kind: 'due' };
}
