import type { JobPayload, Module } from '../../plugin/index.ts';
import type { SuppressionLookup } from '../suppression-store.ts';
import type { SuppressionReason } from '../suppressions.ts';
import type { HashRecipient } from './recipient-hash.ts';

/** How long it is believed that a tenant has no suppressions, or some, unless it is said, in milliseconds. */
const KEEP_MS = 2_000;
/** Tenants and types that are remembered. */
const MAX_KEPT = 10_000;

/** The reason that is told of a recipient with several. */
const STRONGEST: readonly SuppressionReason[] = ['complained', 'unsubscribed', 'bounced', 'manual'];

export interface SuppressionCheckOptions {
  readonly lookup: SuppressionLookup;
  readonly hasher: () => Promise<HashRecipient>;
  /** How long it is believed that a tenant has some, or none, in milliseconds. Default 2,000; 0: asked each time. */
  readonly keepMs?: number;
  /** The monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** A job whose recipients are asked for. */
export interface Addressed {
  readonly payload: JobPayload;
}

/**
 * Tells which jobs have a suppressed recipient. Where a tenant has none of a type, which may be remembered
 * for a while, nothing is hashed and nobody else is asked.
 */
export class SuppressionCheck {
  readonly #options: SuppressionCheckOptions;
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly at: number; readonly found: Promise<boolean> }>();

  constructor(options: SuppressionCheckOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** False without asking anybody if the module names no recipients. */
  applies(tenantId: string, module: Module): false | Promise<boolean> {
    if (module.recipients === undefined) return false;
    const { keepMs = KEEP_MS, lookup } = this.#options;
    if (keepMs === 0) return lookup.any(tenantId, module.type);
    const key = `${module.type} ${tenantId}`;
    const now = this.#now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && now - kept.at < keepMs) return kept.found;
    const found = lookup.any(tenantId, module.type);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, { at: now, found });
    found.catch(() => this.#kept.delete(key));
    return found;
  }

  /** This process knows that it changed. */
  forget(): void {
    this.#kept.clear();
  }

  /** The reason for each of the jobs that has a suppressed recipient. One question for all of them. */
  async find<T extends Addressed>(
    tenantId: string,
    module: Module,
    jobs: readonly T[],
  ): Promise<Map<T, SuppressionReason>> {
    const hash = await this.#options.hasher();
    const byHash = new Map<string, T[]>();
    for (const job of jobs) {
      for (const recipient of recipientsOf(module, job.payload)) {
        const key = hash(tenantId, module.type, recipient);
        const list = byHash.get(key);
        if (list === undefined) byHash.set(key, [job]);
        else list.push(job);
      }
    }
    const suppressed = new Map<T, SuppressionReason>();
    if (byHash.size === 0) return suppressed;
    for (const { hash: key, reason } of await this.#options.lookup.find(tenantId, module.type, [
      ...byHash.keys(),
    ])) {
      for (const job of byHash.get(key) ?? []) suppressed.set(job, stronger(suppressed.get(job), reason));
    }
    return suppressed;
  }
}

/** A module that throws here says nothing of a payload that is otherwise fine: its provider will judge it. */
function recipientsOf(module: Module, payload: JobPayload): readonly string[] {
  try {
    return module.recipients?.(payload) ?? [];
  } catch {
    return [];
  }
}

function stronger(known: SuppressionReason | undefined, reason: SuppressionReason): SuppressionReason {
  if (known === undefined) return reason;
  return STRONGEST.indexOf(reason) < STRONGEST.indexOf(known) ? reason : known;
}
