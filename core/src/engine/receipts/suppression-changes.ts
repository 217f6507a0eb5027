import { DEFAULT_TENANT } from '../api.ts';
import type { RecordedReceipt } from '../receipt-store.ts';
import type { HashRecipient } from '../suppression/recipient-hash.ts';
import type { SuppressionChanges } from '../suppression-store.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import type { ReadReport } from './read-report.ts';

/** A report with the connection that it came through. */
export interface OneReport {
  readonly connection: ConnectionFacts;
  readonly read: ReadReport;
}

/** True if the report says something about addresses. */
export const changesSuppressions = ({ read }: OneReport): boolean =>
  read.suppress.length + read.lift.length > 0;

/**
 * What reports change in the suppression lists: in that of the connection's owner. A connection that tenants
 * share tells by its receipts whose jobs they are about; without one it is the default tenant's.
 */
export function suppressionChanges(
  group: readonly OneReport[],
  fates: ReadonlyMap<string, RecordedReceipt>,
  hash: HashRecipient,
): SuppressionChanges {
  const add: SuppressionChanges['add'][number][] = [];
  const lift: SuppressionChanges['lift'][number][] = [];
  for (const { connection, read } of group) {
    const { type, connectionId: source } = connection;
    for (const tenantId of tenantsOf(connection, read, fates)) {
      const idOf = (recipient: string) => ({ tenantId, type, hash: hash(tenantId, type, recipient) });
      for (const { recipient, reason } of read.suppress) add.push({ ...idOf(recipient), reason, source });
      for (const recipient of read.lift) lift.push({ ...idOf(recipient), reason: 'unsubscribed' });
    }
  }
  return { add, lift };
}

function tenantsOf(
  { tenantId }: ConnectionFacts,
  read: ReadReport,
  fates: ReadonlyMap<string, RecordedReceipt>,
): readonly string[] {
  if (tenantId !== undefined) return [tenantId];
  const found = new Set(read.rows.flatMap((row) => fates.get(row.hash)?.tenantId ?? []));
  return found.size === 0 ? [DEFAULT_TENANT] : [...found];
}
