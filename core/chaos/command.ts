import { parseArgs } from 'node:util';
import { type ChaosDatabase, chaosDatabase } from './chaos-database.ts';

/** What a run of one of the loops is given. */
export interface LoopOptions {
  readonly database: Pick<ChaosDatabase, 'url' | 'pool'>;
  /** How often the thing happens. */
  readonly count: number;
  readonly seed: number;
  say(line: string): void;
}

/** How a run ended: its figures, and each broken promise; none if all were kept. */
export interface LoopReport {
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const SHOWN = 20;

/** Runs a loop as a command: `--count N --seed S`. The exit code is 1 if a promise was broken. */
export async function runLoop(
  name: string,
  defaultCount: number,
  loop: (options: LoopOptions) => Promise<LoopReport>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: String(defaultCount) },
      seed: { type: 'string', default: '1' },
    },
  });
  const [count, seed] = [Number(values.count), Number(values.seed)];
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(seed)))
    throw new Error('--count takes a whole number from 1, --seed a whole number');
  const database = await chaosDatabase();
  const startedAt = performance.now();
  try {
    const say = (line: string) => console.error(line);
    const { figures, problems } = await loop({ database, count, seed, say });
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    console.log(`${name}: --count ${count} --seed ${seed}, ${seconds} s`);
    for (const [figure, value] of Object.entries(figures)) console.log(`  ${figure}: ${value}`);
    for (const problem of problems.slice(0, SHOWN)) console.log(`  BROKEN: ${problem}`);
    if (problems.length > SHOWN) console.log(`  and ${problems.length - SHOWN} more`);
    console.log(problems.length === 0 ? 'verdict: every promise was kept' : 'verdict: PROMISES WERE BROKEN');
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
}
