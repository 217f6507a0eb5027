import { writeFile } from 'node:fs/promises';
import { type BenchDatabase, openDatabase } from './harness/database.ts';
import { describeMachine, installedVersion, type Machine, PEERS } from './harness/machine.ts';
import { type BenchOptions, PARTS, parseOptions, USAGE } from './harness/options.ts';
import { type Target, targetTable, verdict } from './harness/target.ts';
import type { Bench } from './parts/bench.ts';
import type { PartReport } from './parts/report.ts';

const LOADERS: Record<
  (typeof PARTS)[number] | 'large',
  () => Promise<(bench: Bench) => Promise<PartReport>>
> = {
  enqueue: async () => (await import('./parts/enqueue.ts')).enqueuePart,
  drain: async () => (await import('./parts/drain.ts')).drainPart,
  webhooks: async () => (await import('./parts/webhooks.ts')).webhooksPart,
  smtp: async () => (await import('./parts/smtp.ts')).smtpPart,
  twilio: async () => (await import('./parts/vendors.ts')).twilioPart,
  resend: async () => (await import('./parts/vendors.ts')).resendPart,
  hubspot: async () => (await import('./parts/vendors.ts')).hubspotPart,
  csv: async () => (await import('./parts/csv.ts')).csvPart,
  export: async () => (await import('./parts/export.ts')).exportPart,
  latency: async () => (await import('./parts/latency.ts')).latencyPart,
  fairness: async () => (await import('./parts/fairness.ts')).fairnessPart,
  filled: async () => (await import('./parts/filled.ts')).filledPart,
  processes: async () => (await import('./parts/processes.ts')).processesPart,
  reach: async () => (await import('./parts/reach.ts')).reachPart,
  receipts: async () => (await import('./parts/receipts.ts')).receiptsPart,
  large: async () => (await import('./parts/large.ts')).largePart,
};

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') console.log(USAGE);
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause);
  process.exitCode = 1;
}

async function main(given: BenchOptions): Promise<void> {
  remindOfPeers();
  const database = await openDatabase();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void database.close().finally(() => process.exit(130)));
  }
  try {
    await runParts(given, database);
  } finally {
    await database.close();
  }
}

async function runParts(given: BenchOptions, database: BenchDatabase): Promise<void> {
  const bench: Bench = { options: given, database, say: (line) => console.error(line) };
  const machine = await describeMachine(database.client, database.where);
  const reports: PartReport[] = [];
  for (const part of [...PARTS, 'large'] as const) {
    if (!given.parts.has(part)) continue;
    bench.say(`${part} ...`);
    const run = await LOADERS[part]();
    const report = await run(bench);
    console.log(`\n### ${report.title}\n\n${report.how}\n\n${report.table}`);
    reports.push(report);
  }
  summarise(
    machine,
    reports.flatMap((report) => report.targets),
    given,
  );
  if (given.json !== undefined) {
    await writeFile(
      given.json,
      `${JSON.stringify({ machine, options: { ...given, parts: [...given.parts], contestants: given.contestants && [...given.contestants] }, reports }, undefined, 2)}\n`,
    );
  }
}

function summarise(machine: Machine, targets: readonly Target[], given: BenchOptions): void {
  console.log(`\n### Targets\n\n${targetTable(targets)}\n`);
  for (const [fact, value] of Object.entries(machine)) console.log(`${fact}: ${value}`);
  console.log(`rounds: ${given.runs}, interleaved, medians`);
  const missed = targets.filter((target) => verdict(target) === 'missed').length;
  if (missed > 0) console.log(`\n${missed} of ${targets.length} targets were missed.`);
}

function remindOfPeers(): void {
  const missing = PEERS.filter((peer) => installedVersion(peer) === undefined);
  if (missing.length === 0) return;
  console.error(`Not installed: ${missing.join(', ')}. To compare with them: npm ci --prefix core/bench`);
}
