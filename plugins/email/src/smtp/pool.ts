import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { step } from './connection.ts';

/** A connection that is lent for one message. */
export interface Lease {
  readonly connection: SMTPConnection;
  /** Messages that went over it before; a server may have hung up since. */
  readonly messages: number;
}

/** What a message left behind: nothing, a refusal, or a connection out of step. */
export type LeaseState = 'ready' | 'unused' | 'refused' | 'broken';

export interface PoolOptions {
  readonly maxConnections: number;
  readonly maxMessagesPerConnection: number;
  /** How long a connection is kept without work, in milliseconds. */
  readonly idleMs: number;
  /** Time for a server to reset a transaction, in milliseconds. */
  readonly resetTimeoutMs: number;
  open(signal: AbortSignal): Promise<SMTPConnection>;
}

interface Idle extends Lease {
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  readonly serve: () => void;
}

/**
 * Connections of one session. nodemailer has a pool too, but that one puts a message back into
 * its queue when a connection closes, and reports one text for all that went wrong: here a
 * message is never sent twice, and each call learns how far it came.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #idle: Idle[] = [];
  readonly #waiting: Waiter[] = [];
  #open = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Lends a connection: the one that was used last, or a new one, or the next that comes free.
   * @param fresh A new one only, in place of one that turned out to be closed.
   * @throws what `open` throws, or the signal's reason.
   */
  async acquire(signal: AbortSignal, fresh = false): Promise<Lease> {
    for (;;) {
      if (signal.aborted) {
        // It may have been this call's turn.
        this.#waiting.shift()?.serve();
        throw signal.reason;
      }
      const idle = fresh ? undefined : this.#takeIdle();
      if (idle !== undefined) return idle;
      if (fresh) this.#dropIdle();
      if (this.#open < this.#options.maxConnections) return this.#openNew(signal);
      await this.#turn(signal);
    }
  }

  /** Takes a connection back. */
  async release({ connection, messages }: Lease, state: LeaseState): Promise<void> {
    const count = state === 'unused' ? messages : messages + 1;
    const usable = state !== 'broken' && !connection.destroyed && !this.#closed;
    if (usable && count < this.#options.maxMessagesPerConnection && (await this.#reset(connection, state))) {
      this.#keep({ connection, messages: count });
    } else {
      if (usable) connection.quit();
      else connection.close();
      this.#forget(connection);
    }
    this.#waiting.shift()?.serve();
  }

  /** Says goodbye on all connections that are not in use. */
  close(): void {
    this.#closed = true;
    this.#dropIdle();
  }

  #takeIdle(): Lease | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (!idle.connection.destroyed) return idle;
      this.#open--;
    }
    return undefined;
  }

  #dropIdle(): void {
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      if (!connection.destroyed) connection.quit();
      this.#forget(connection);
    }
  }

  async #openNew(signal: AbortSignal): Promise<Lease> {
    this.#open++;
    try {
      return { connection: await this.#options.open(signal), messages: 0 };
    } catch (error) {
      this.#open--;
      this.#waiting.shift()?.serve();
      throw error;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const waiter: Waiter = { serve: end };
      const abort = () => {
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** After a refusal the server may hold half a transaction (RFC 5321, section 4.1.1.5). */
  async #reset(connection: SMTPConnection, state: LeaseState): Promise<boolean> {
    if (state !== 'refused') return true;
    try {
      await step(connection, AbortSignal.timeout(this.#options.resetTimeoutMs), (done) =>
        connection.reset(done),
      );
      return true;
    } catch {
      return false;
    }
  }

  #keep(lease: Lease): void {
    if (this.#closed) {
      lease.connection.quit();
      this.#forget(lease.connection);
      return;
    }
    const timer = setTimeout(() => {
      const index = this.#idle.findIndex(({ connection }) => connection === lease.connection);
      if (index < 0) return;
      this.#idle.splice(index, 1);
      if (!lease.connection.destroyed) lease.connection.quit();
      this.#forget(lease.connection);
    }, this.#options.idleMs);
    timer.unref();
    this.#idle.push({ ...lease, timer });
  }

  /** A connection that says goodbye no longer counts, but does not wait for an answer for ever. */
  #forget(connection: SMTPConnection): void {
    this.#open--;
    if (connection.destroyed) return;
    setTimeout(() => connection.close(), 1_000).unref();
  }
}
