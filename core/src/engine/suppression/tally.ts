import type { JobPayload, Module } from '../../plugin/index.ts';
import type { Addressed, SuppressionCheck } from './check.ts';

/** Counts the jobs of a submission that would not be sent as the suppression list stands now. */
export class SuppressionTally {
  readonly #check: SuppressionCheck;
  readonly #tenantId: string;
  readonly #module: Module;
  #pending: Addressed[] = [];
  #count = 0;

  constructor(check: SuppressionCheck, tenantId: string, module: Module) {
    this.#check = check;
    this.#tenantId = tenantId;
    this.#module = module;
  }

  /** Takes a payload as it will be sent. */
  note(payload: JobPayload): void {
    this.#pending.push({ payload });
  }

  /** Asks about what was noted since the last time; answers the count of all. */
  async count(): Promise<number> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) {
      this.#count += (await this.#check.find(this.#tenantId, this.#module, pending)).size;
    }
    return this.#count;
  }
}

/** Undefined, and then nothing is noted, if the tenant has no suppressions of this type. */
export async function suppressionTally(
  check: SuppressionCheck,
  tenantId: string,
  module: Module,
): Promise<SuppressionTally | undefined> {
  return (await check.applies(tenantId, module)) ? new SuppressionTally(check, tenantId, module) : undefined;
}
