import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../plugin/index.ts';
import type { ReceiptCounts } from '../callbacks.ts';
import { BatchSenderError } from '../errors.ts';
import type { ReceiptFate, ReceiptRow, ReceiptStore, RecordedReceipt } from '../receipt-store.ts';
import type { HashRecipient } from '../suppression/recipient-hash.ts';
import { isTransient, RETRY_MS } from '../transient.ts';
import type { ConnectionFacts, FindConnection } from './connection-facts.ts';
import { type ReadReport, type Report, readReport } from './read-report.ts';
import type { Refusals } from './refusals.ts';
import { changesSuppressions, type OneReport, suppressionChanges } from './suppression-changes.ts';

export interface ReceiverOptions {
  readonly store: ReceiptStore;
  readonly find: FindConnection;
  readonly hasher: () => Promise<HashRecipient>;
  readonly refusals: Refusals;
  readonly logger: Logger;
  /** A suppression list changed. */
  readonly onSuppressed: () => void;
}

interface Waiting extends OneReport {
  readonly resolve: (counts: ReceiptCounts) => void;
  readonly reject: (error: unknown) => void;
}

/** Receipts that share a transaction, unless one report alone has more. */
const MAX_TOGETHER = 250;
/** Reports of sessions that wait for the database; later ones are dropped. */
const MAX_REPORTS = 10_000;
const NO_CHANGES = { add: [], lift: [] };
/** Classes of SQLSTATE that blame the data: they fail alone, not with their company. */
const BAD_DATA = /^2[23]/;

/** Takes receipts in. Those that come while others are being written share the next transaction. */
export class Receiver {
  readonly #options: ReceiverOptions;
  #waiting: Waiting[] = [];
  #writing = false;
  readonly #reports = new Set<Promise<void>>();
  readonly #warned = new Set<string>();
  #stopped = false;
  #dropped = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Resolves when the receipts are committed. @throws BatchSenderError `connection_not_found` */
  async receive(connectionId: string, report: Report): Promise<ReceiptCounts> {
    const connection = await this.#options.find(connectionId);
    if (connection === undefined)
      throw new BatchSenderError('connection_not_found', `There is no connection ${connectionId}`);
    return this.take(connection, report);
  }

  /** The same for a connection that is known. */
  async take(connection: ConnectionFacts, report: Report): Promise<ReceiptCounts> {
    const read = readReport(connection, report);
    for (const problem of read.problems) this.#warn(connection, problem);
    if (sizeOf(read) === 0) return this.#counted(connection, read, []);
    const { promise, resolve, reject } = Promise.withResolvers<ReceiptCounts>();
    this.#waiting.push({ connection, read, resolve, reject });
    if (!this.#writing) void this.#write();
    return promise;
  }

  /** Takes what a session reports by itself; tried again for as long as the process lives. */
  report(connectionId: string, report: Report): void {
    if (this.#reports.size >= MAX_REPORTS) {
      this.#drop(connectionId);
      return;
    }
    this.#dropped = 0;
    const work = this.#persist(connectionId, report).finally(() => this.#reports.delete(work));
    this.#reports.add(work);
  }

  /** Waits for what was reported; what the database does not take now is lost, and logged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#reports);
    await this.#options.refusals.flush();
  }

  /** Told of the first of them, and then of every thousandth. */
  #drop(connectionId: string): void {
    if (this.#dropped++ % 1_000 !== 0) return;
    const fields = { connectionId, dropped: this.#dropped };
    this.#options.logger.error(fields, 'too many receipts of sessions wait for the database: some are lost');
  }

  async #persist(connectionId: string, report: Report): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.receive(connectionId, report);
        return;
      } catch (error) {
        if (this.#stopped || !isTransient(error) || error instanceof BatchSenderError) {
          this.#options.logger.error({ err: error, connectionId }, 'receipts of a session could not be kept');
          return;
        }
        await sleep(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
      }
    }
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = nextGroup(this.#waiting);
      this.#waiting = this.#waiting.slice(group.length);
      await this.#writeGroup(group);
    }
    this.#writing = false;
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const changing = group.filter(changesSuppressions);
      const hash = changing.length === 0 ? undefined : await this.#options.hasher();
      // Two reports may bring the same event: it is written for both.
      const rows = [
        ...new Map(group.flatMap(({ read }) => read.rows.map((row) => [row.hash, row]))).values(),
      ];
      const fates = new Map<string, RecordedReceipt>();
      await this.#options.store.record(rows, (recorded) => {
        for (const [index, one] of recorded.entries()) fates.set((rows[index] as ReceiptRow).hash, one);
        return hash === undefined ? NO_CHANGES : suppressionChanges(changing, fates, hash);
      });
      if (changing.length > 0) this.#options.onSuppressed();
      for (const waiting of group) {
        const own = waiting.read.rows.map((row) => fates.get(row.hash)?.fate ?? 'foreign');
        waiting.resolve(this.#counted(waiting.connection, waiting.read, own));
      }
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (group.length > 1 && typeof code === 'string' && BAD_DATA.test(code)) {
        for (const waiting of group) await this.#writeGroup([waiting]);
      } else for (const waiting of group) waiting.reject(error);
    }
  }

  #counted(connection: ConnectionFacts, read: ReadReport, fates: readonly ReceiptFate[]): ReceiptCounts {
    const count = (...wanted: ReceiptFate[]): number => fates.filter((fate) => wanted.includes(fate)).length;
    const foreign = read.foreign + count('foreign');
    if (foreign > 0)
      this.#options.refusals.add(connection, 'receipt.foreign', 'foreign_job', { times: foreign });
    return { recorded: count('recorded'), duplicates: count('duplicate', 'full'), foreign };
  }

  /** Once a process and problem: a plugin's mistake repeats with every receipt. */
  #warn({ pluginName, type, providerName, connectionId }: ConnectionFacts, problem: string): void {
    const key = `${type}.${providerName} ${problem}`;
    if (this.#warned.has(key) || this.#warned.size > 1_000) return;
    this.#warned.add(key);
    this.#options.logger.warn(
      { plugin: pluginName, provider: `${type}.${providerName}`, connectionId },
      `a report was not kept as it is: ${problem}`,
    );
  }
}

const sizeOf = ({ rows, suppress, lift }: ReadReport): number => rows.length + suppress.length + lift.length;

function nextGroup(waiting: readonly Waiting[]): readonly Waiting[] {
  let rows = 0;
  let end = 0;
  for (const { read } of waiting) {
    rows += sizeOf(read);
    if (end > 0 && rows > MAX_TOGETHER) break;
    end += 1;
  }
  return waiting.slice(0, end);
}
