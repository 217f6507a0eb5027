import type { Guarantee } from '@batchsender/core/plugin';
import type { CrmPayload } from './payload.ts';

/**
 * An upsert, an update or a delete names its record, so a second call ends in the same state: the
 * record's id is the key. Seven days, longer than the engine tries and as long as Salesforce keeps
 * the results of a bulk job.
 */
const REPEATABLE: Guarantee = { kind: 'keyed', scope: 'job', ttlMs: 604_800_000 };

/** What a provider promises, where a create is promised `create`. */
export const guaranteeBy =
  (create: Guarantee) =>
  (_credentials: unknown, { operation }: CrmPayload): Guarantee =>
    operation === 'create' ? create : REPEATABLE;

/** A second create makes a second record, and nobody can be asked. */
export const AT_MOST_ONCE: Guarantee = { kind: 'at-most-once' };

/** Jobs share a call if they do the same to the same kind of record, found in the same way. */
export const groupKey = ({ object, operation, externalIdField = '' }: CrmPayload): string =>
  `${operation} ${object} ${externalIdField}`;
