import type { Module } from '../../plugin/index.ts';
import { BatchSenderError, InvalidInputError } from '../errors.ts';
import { newestPage } from '../pages.ts';
import type { Registry } from '../registry.ts';
import type { SuppressionStore } from '../suppression-store.ts';
import type { SuppressionReason, Suppressions } from '../suppressions.ts';
import { tenantOf } from '../tenant.ts';
import type { HashRecipient } from './recipient-hash.ts';

/** Most recipients of one call. */
const MAX_RECIPIENTS = 1_000;

export interface SuppressionListOptions {
  readonly store: SuppressionStore;
  readonly registry: Registry;
  readonly hasher: () => Promise<HashRecipient>;
  readonly migrate: () => Promise<void>;
  /** This process changed the list. */
  readonly onChange: () => void;
}

/** The suppression lists of all tenants, as a host sees them. */
export function suppressionList(options: SuppressionListOptions): Suppressions {
  const { store, registry, hasher, migrate, onChange } = options;

  async function hashesOf(
    tenantId: string,
    type: string,
    recipients: readonly string[],
  ): Promise<readonly string[]> {
    const normal = normalized(registry, type, recipients);
    await migrate();
    const hash = await hasher();
    return normal.map((recipient) => hash(tenantId, type, recipient));
  }

  return {
    async add({ type, recipients, reason = 'manual' }, tenant) {
      const tenantId = tenantOf(tenant);
      const hashes = await hashesOf(tenantId, type, recipients);
      const added = await store.add(hashes.map((hash) => ({ tenantId, type, hash, reason, source: 'api' })));
      onChange();
      return { added };
    },
    async remove({ type, recipients, reason }, tenant) {
      const tenantId = tenantOf(tenant);
      const hashes = await hashesOf(tenantId, type, recipients);
      const removed = await store.remove(tenantId, type, hashes, reason ?? null);
      onChange();
      return { removed };
    },
    async check({ type, recipients }, tenant) {
      const tenantId = tenantOf(tenant);
      const hashes = await hashesOf(tenantId, type, recipients);
      const found = Map.groupBy(await store.find(tenantId, type, hashes), (row) => row.hash);
      return recipients.map((recipient, index) => {
        const recipientId = hashes[index] as string;
        const reasons = (found.get(recipientId) ?? []).map((row): SuppressionReason => row.reason).sort();
        return { recipient, recipientId, suppressed: reasons.length > 0, reasons };
      });
    },
    async list({ type, reason, ...filter } = {}) {
      await migrate();
      const only = { ...(type === undefined ? {} : { type }), ...(reason === undefined ? {} : { reason }) };
      const page = await newestPage(filter, (query) => store.list(tenantOf(filter), { ...query, ...only }));
      const items = page.items.map(({ id: _id, hash, ...entry }) => ({ recipientId: hash, ...entry }));
      return { ...page, items };
    },
    async counts(tenant) {
      await migrate();
      return store.counts(tenantOf(tenant));
    },
  };
}

/** The form in which the module's `recipients` gives an address; undefined if it is none. */
export function normalizeRecipient(module: Module, text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return module.normalizeRecipient === undefined ? trimmed : module.normalizeRecipient(trimmed);
}

function normalized(registry: Registry, type: string, recipients: readonly string[]): readonly string[] {
  const module = registry.get(type)?.module;
  if (module === undefined)
    throw new BatchSenderError('unknown_type', `No installed plugin handles jobs of type '${type}'`);
  if (module.recipients === undefined) {
    throw invalid(`Jobs of type '${type}' name no recipients, so none can be suppressed`, '/type');
  }
  if (recipients.length > MAX_RECIPIENTS) {
    throw invalid(`At most ${MAX_RECIPIENTS} recipients at once: send them in several calls`, '/recipients');
  }
  return recipients.map((text, index) => {
    const normal = normalizeRecipient(module, text);
    if (normal !== undefined) return normal;
    throw invalid(`This is no recipient of a job of type '${type}'`, `/recipients/${index}`);
  });
}

const invalid = (message: string, path: string): InvalidInputError =>
  new InvalidInputError('invalid_recipient', `${message}. Nothing was changed`, [
    { path, code: 'invalid_recipient', message },
  ]);
