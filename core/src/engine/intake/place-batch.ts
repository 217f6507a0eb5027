import type { BatchInput } from '../api.ts';
import { defaultConnectionId } from '../connections/ids.ts';
import type { ConnectionStore, NamedConnection } from '../connections/store.ts';
import { BatchSenderError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { type CheckedBatch, checkBatch } from './batch-check.ts';

/** A checked batch with what its jobs are sent through. */
export interface PlacedBatch extends CheckedBatch {
  readonly connectionId: string;
  /** The connection is known to be blocked: its chunks wait. */
  readonly isBlocked: boolean;
}

/** The provider that a dry run uses. */
const SANDBOX = 'sandbox';

/** Names that an error lists. */
const MOST_NAMES = 20;

/**
 * Checks a batch, and finds its connection.
 * @throws as {@link checkBatch}, and BatchSenderError `unknown_connection`, `connection_mismatch`, `no_sandbox`.
 */
export async function placeBatch(
  registry: Registry,
  connections: Pick<ConnectionStore, 'named'>,
  batch: BatchInput,
  tenantId: string,
): Promise<PlacedBatch> {
  const checked = checkBatch(registry, batch);
  const named = batch.connection === undefined ? undefined : await find(connections, batch, tenantId);
  if (named !== undefined && registry.provider(batch.type, named.provider) === undefined) {
    throw new BatchSenderError(
      'unknown_provider',
      `Connection '${batch.connection}' is for the provider '${named.provider}', which the installed plugin for ` +
        `'${batch.type}' does not have any more: use another connection`,
    );
  }
  if (batch.dryRun === true) return { ...checked, ...sandboxOf(checked), isBlocked: false };
  const provider = named?.provider ?? checked.provider;
  const connectionId = named?.id ?? defaultConnectionId(batch.type, provider);
  return { ...checked, provider, connectionId, isBlocked: (named?.blocked ?? null) !== null };
}

async function find(
  connections: Pick<ConnectionStore, 'named'>,
  { type, provider, connection }: BatchInput,
  tenantId: string,
): Promise<NamedConnection> {
  const known = await connections.named(tenantId, type);
  const found = known.find(({ name }) => name === connection);
  if (found === undefined) {
    const names = known.slice(0, MOST_NAMES).map(({ name }) => name);
    const more = known.length > MOST_NAMES ? ' and others' : '';
    const list = names.length === 0 ? 'There are none yet' : `There are ${names.join(', ')}${more}`;
    throw new BatchSenderError(
      'unknown_connection',
      `There is no connection '${String(connection).slice(0, 100)}' for type '${type}'. ${list}`,
    );
  }
  if (provider !== undefined && provider !== found.provider) {
    throw new BatchSenderError(
      'connection_mismatch',
      `The batch names the provider '${provider}', but connection '${connection}' is for '${found.provider}': ` +
        'leave the provider out, or choose another connection',
    );
  }
  return found;
}

function sandboxOf({ registered: { module } }: CheckedBatch): Pick<PlacedBatch, 'provider' | 'connectionId'> {
  if (!Object.hasOwn(module.providers, SANDBOX)) {
    throw new BatchSenderError(
      'no_sandbox',
      `Type '${module.type}' has no provider '${SANDBOX}', which a dry run needs: send it without dryRun`,
    );
  }
  return { provider: SANDBOX, connectionId: defaultConnectionId(module.type, SANDBOX) };
}
