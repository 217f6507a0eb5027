import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../src/create-engine.ts';
import { type ChaosProxy, chaosProxy } from '../test/helpers/chaos-proxy.ts';
import { type Random, seededRandom } from '../test/helpers/model-random.ts';
import type { LoopOptions, LoopReport } from './command.ts';
import { ledgerPlugin } from './ledger-plugin.ts';
import { type LedgerReceiver, ledgerReceiver } from './ledger-receiver.ts';
import { ledgerBatch, oneBatchEach, submitted, untilQuiet } from './load.ts';
import { loopVerdict } from './verdict.ts';

/** Statements that commit, by the words in their messages: those with a name are sent by it. */
const COMMITS = ['bs_lease', 'bs_batch', 'bs_fence', 'bs_flush', 'bs_slice', 'COMMIT'] as const;
/** A statement that does not come within this time makes room for another one. */
const NEXT_WORD_MS = 100;
/** So many batches are under way at once. */
const UNDER_WAY = 12;
const JOBS = 20;
/** More than an engine stores in one transaction: such a batch is written in slices. */
const LARGE = 2_100;
/** A batch in so many is large. */
const LARGE_EVERY = 10;
const DROPS = 0.3;

/**
 * `count` statements are committed whose reply never comes, and `count` calls are taken by the
 * provider and not answered. Nothing may be lost, and no repeat may be unmarked.
 */
export async function lostReplies({ database, count, seed, say }: LoopOptions): Promise<LoopReport> {
  const random = seededRandom(seed);
  let dropped = 0;
  let droppedOnce = 0;
  const receiver = await ledgerReceiver({
    fate: ({ provider }) => {
      if (dropped >= count || !random.chance(DROPS)) return 'answer';
      dropped += 1;
      if (provider === 'once') droppedOnce += 1;
      return 'drop';
    },
  });
  const proxy = await chaosProxy(database.url);
  const engine = proxiedEngine(proxy, receiver);
  try {
    await engine.start();
    const acknowledged: string[] = [];
    const breaking = breakCommits(proxy, count, random, say);
    for (let round = 0; proxy.lost < count || dropped < count; round++) {
      const batches = oneBatchEach(JOBS);
      if (round % LARGE_EVERY === 0) batches.push(ledgerBatch('keyedcall', LARGE));
      const ids = await Promise.all(batches.map((batch) => submitted(engine, batch)));
      acknowledged.push(...ids.filter((id) => id !== undefined));
      await untilQuiet(database.pool, UNDER_WAY);
    }
    await breaking;
    await untilQuiet(database.pool);
    const { figures, problems } = await loopVerdict(database.pool, receiver.ledger, acknowledged);
    const surplus = figures.unknown - droppedOnce;
    return {
      figures: { 'COMMIT replies lost': proxy.lost, 'provider replies dropped': dropped, ...figures },
      problems: [
        ...problems,
        // Whoever cannot be asked, and takes no repeat, leaves one unknown for each answer that it keeps.
        ...(surplus > 0 ? [`${surplus} jobs are unknown although their call was answered`] : []),
      ],
    };
  } finally {
    await engine.stop({ graceMs: 1_000 });
    await proxy.close();
    await receiver.close();
  }
}

/** Loses one reply after the other, of statements by turns. */
async function breakCommits(
  proxy: ChaosProxy,
  count: number,
  random: Random,
  say: (line: string) => void,
): Promise<void> {
  let said = 0;
  while (proxy.lost < count) {
    const before = proxy.lost;
    // Some connections break when the reply comes, some while the statement runs.
    proxy.loseReplies([random.pick(COMMITS)], 1, random.chance(0.3));
    const until = performance.now() + NEXT_WORD_MS;
    while (proxy.lost === before && performance.now() < until) await sleep(1);
    if (proxy.lost - said < 100) continue;
    said = proxy.lost;
    say(`${said} replies lost`);
  }
  proxy.loseReplies([], 0);
}

function proxiedEngine(proxy: ChaosProxy, receiver: LedgerReceiver) {
  return createEngine({
    database: proxy.url,
    plugins: [ledgerPlugin()],
    credentials: () => ({ url: receiver.url }),
    allowNetworks: ['127.0.0.0/8'],
    tuning: { heartbeatMs: 200, chunkSize: 10, pollMs: 100 },
  });
}
