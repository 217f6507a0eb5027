import type { OpenContext, Receipt, Suppression } from '@batchsender/core/plugin';
import { lookup } from '../lookup.ts';
import type { Message } from '../message/compose.ts';
import { normalizeRecipient } from '../recipients.ts';
import { wordOf } from './rules.ts';

/** What a message's receipts are, by word, in the order in which they come. Any other message is delivered. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  bounced: ['bounced'],
  complained: ['delivered', 'complained'],
  opened: ['delivered', 'opened'],
  clicked: ['delivered', 'opened', 'clicked'],
  silent: [],
};

/** The receipts that are kept back at once; more than that are reported early. */
const MAX_WAITING = 10_000;

type Report = Parameters<OpenContext['report']>[0];

interface Waiting {
  readonly dueMs: number;
  readonly report: Report;
}

/** Plays the provider that reports later: one timer for all that waits, and nothing is lost at the end. */
export class LateReceipts {
  readonly #report: OpenContext['report'];
  readonly #afterMs: number;
  /** In the order in which they are due, since all wait for the same time. */
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(report: OpenContext['report'], afterMs: number) {
    this.#report = report;
    this.#afterMs = afterMs;
  }

  /** Plans the receipts of a message that the sandbox took. */
  plan(jobId: string, message: Message): void {
    const report = receiptsOf(jobId, message, new Date(Date.now() + this.#afterMs));
    if (report.events.length === 0) return;
    this.#waiting.push({ dueMs: performance.now() + this.#afterMs, report });
    if (this.#waiting.length >= MAX_WAITING) this.flush();
    else this.#timer ??= setTimeout(() => this.#due(), this.#afterMs).unref();
  }

  /** Reports all that waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#send(this.#waiting.splice(0));
  }

  #due(): void {
    const nowMs = performance.now();
    const late = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    this.#send(this.#waiting.splice(0, late < 0 ? this.#waiting.length : late));
    const [next] = this.#waiting;
    this.#timer =
      next === undefined ? undefined : setTimeout(() => this.#due(), Math.max(1, next.dueMs - nowMs)).unref();
  }

  #send(waiting: readonly Waiting[]): void {
    if (waiting.length === 0) return;
    this.#report({
      events: waiting.flatMap(({ report }) => report.events),
      suppress: waiting.flatMap(({ report }) => report.suppress ?? []),
    });
  }
}

/** The first recipient with a word decides; whoever bounced or complained is suppressed, as a real provider asks for. */
function receiptsOf(jobId: string, { recipients }: Message, at: Date): Report {
  const words = recipients.map(({ mailbox }) => wordOf(mailbox.address));
  const word = words.find((one) => Object.hasOwn(KINDS, one)) ?? '';
  const kinds = lookup(KINDS, word) ?? ['delivered'];
  const events = kinds.map((kind): Receipt => {
    const data = kind === 'bounced' ? { code: 'mailbox_unknown' } : {};
    return { jobId, kind, eventId: `sandbox-${jobId}-${kind}`, at, data };
  });
  const suppress = recipients.flatMap(({ mailbox: { address } }): Suppression[] => {
    const reason = wordOf(address);
    const recipient = normalizeRecipient(address);
    if ((reason !== 'bounced' && reason !== 'complained') || recipient === undefined) return [];
    return [{ recipient, reason }];
  });
  return { events, suppress };
}
