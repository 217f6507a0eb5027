import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Batch, Counts } from './api.ts';
import type { Screen } from './screen.ts';
import { table } from './table.ts';
import { number } from './words.ts';

/** A batch that is watched. */
export interface Watched {
  /** Such as `emails`. */
  readonly title: string;
  readonly batchId: string;
}

const POLL_MS = 200;

/** Between two lines where nothing can be drawn again. */
const LINE_MS = 3_000;

/** Far longer than the demo takes: then something is wrong. */
const PATIENCE_MS = 600_000;

/** Cells of a bar. */
const BAR = 30;

/** Shows how the batches move until all are completed, and answers them. @throws if one cannot go on. */
export async function watch(
  api: Api,
  watched: readonly Watched[],
  screen: Screen,
  signal: AbortSignal,
): Promise<readonly Batch[]> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let lineAt = performance.now() + LINE_MS;
  for (;;) {
    const batches = await Promise.all(watched.map(({ batchId }) => api.batch(batchId)));
    const completed = batches.every(({ state }) => state === 'completed');
    const now = performance.now();
    const lines = progressLines(watched, batches);
    if (screen.live) {
      screen.redraw(lines);
    } else if (completed || now >= lineAt) {
      for (const text of lines) screen.line(text);
      lineAt = now + LINE_MS;
    }
    if (completed) return batches;
    refuseStuck(watched, batches);
    if (now > giveUpAt) throw new Error(`The batches are not completed after ${PATIENCE_MS / 1_000} s`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

function progressLines(watched: readonly Watched[], batches: readonly Batch[]): readonly string[] {
  const rows = batches.map(({ counts }, index) => [
    `  ${watched[index]?.title ?? ''}`,
    bar(doneOf(counts) / Math.max(1, counts.total)),
    // As wide as it will be at the end, so that nothing jumps.
    number(doneOf(counts)).padStart(number(counts.total).length),
    `of ${number(counts.total)}`,
    `${number(counts.succeeded)} succeeded, ${number(counts.failed)} failed, ${number(counts.unknown)} unknown`,
  ]);
  return table(rows, { right: [2, 3] });
}

const doneOf = ({ succeeded, failed, unknown, cancelled }: Counts): number =>
  succeeded + failed + unknown + cancelled;

/** A bar for a share of 0 to 1. It is full only if nothing is left. */
export function bar(share: number): string {
  const full = Math.floor(share * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

function refuseStuck(watched: readonly Watched[], batches: readonly Batch[]): void {
  for (const [index, { blocked }] of batches.entries()) {
    if (blocked === null) continue;
    const why = blocked.message ?? blocked.code;
    throw new Error(`The ${watched[index]?.title ?? 'jobs'} wait, since their connection is blocked: ${why}`);
  }
}
