import type { OpenContext, Receipt } from '@batchsender/core/plugin';

/** What a session reports by itself. */
export type Report = Parameters<OpenContext['report']>[0];

/** Reports that come within this time are made together, in milliseconds. */
const WINDOW_MS = 100;

/** What the sandbox says later about a message that it took. */
export function receiptOf(jobId: string, ref: string, to: string, at: Date): Report {
  const event = (kind: string, data?: Receipt['data']): Receipt => ({
    jobId,
    kind,
    eventId: `${ref}:${kind}`,
    at,
    ...(data === undefined ? {} : { data }),
  });
  switch (to) {
    case '+15005550020':
      return { events: [event('bounced', { code: 'unreachable' })] };
    case '+15005550021':
      return {
        events: [event('bounced', { code: 'unknown_number' })],
        suppress: [{ recipient: to, reason: 'bounced' }],
      };
    case '+15005550022':
      return {
        events: [event('delivered'), event('replied')],
        suppress: [{ recipient: to, reason: 'unsubscribed' }],
      };
    default:
      return { events: [event('delivered')] };
  }
}

/** Reports that are made later. */
export interface Later {
  add(report: Report): void;
  /** Drops what is still to come. */
  close(): void;
}

/** Makes each report `delayMs` after it was added, and some together: a host writes them down in one go. */
export function later(report: (together: Report) => void, delayMs: number): Later {
  const timers = new Set<NodeJS.Timeout>();
  let open: Report[] = [];
  const after = (ms: number, work: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    timers.add(timer);
  };
  return {
    add(one) {
      open.push(one);
      if (open.length > 1) return;
      after(WINDOW_MS, () => {
        const reports = open;
        open = [];
        after(delayMs, () => report(merged(reports)));
      });
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

function merged(reports: readonly Report[]): Report {
  const suppress = reports.flatMap((one) => one.suppress ?? []);
  const events = reports.flatMap((one) => one.events);
  return { events, ...(suppress.length === 0 ? {} : { suppress }) };
}
