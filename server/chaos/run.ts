/** `npm run chaos -- --jobs N --kills K --seed S`. */
import { NATS_MISSING, natsBinaries } from '../test/helpers/nats-process.ts';
import { chaosRun } from './chaos-run.ts';
import { figure } from './figure.ts';
import { type ChaosOptions, readOptions, USAGE } from './options.ts';
import { faultFigures, printVerdict, recoveryFigures } from './report.ts';
import { verdictOf } from './verdict.ts';

const binary = natsBinaries().at(-1);

async function main(options: ChaosOptions): Promise<void> {
  if (binary === undefined) throw new Error(NATS_MISSING);
  const startedAt = performance.now();
  const second = () => Math.round((performance.now() - startedAt) / 1_000);
  const say = (line: string) => console.error(`${String(second()).padStart(4)} s  ${line}`);
  say(`seed ${options.seed}, nats-server ${binary.version}`);
  const { evidence, folder, close } = await chaosRun(options, binary, say);
  const { problems, alarms } = evidence;
  const { figures, problems: broken } = verdictOf(evidence);
  const verdict = {
    figures: [
      ...figures,
      ...recoveryFigures(evidence.recovery),
      figure('requests and faults that went nowhere', problems.length, problems.length, 0),
      figure("repairs and other alarms in the servers' logs", alarms.length, alarms.length, 0),
    ],
    problems: [...problems, ...alarms, ...broken],
  };
  const kept = printVerdict(options, faultFigures(evidence), verdict, performance.now() - startedAt);
  const keep = options.keep || !kept;
  await close(keep);
  if (keep) console.log(`logs, ledger and data are in ${folder}`);
  if (!kept) process.exitCode = 1;
}

const asked = readOptions(process.argv.slice(2));
if (asked === undefined) console.log(USAGE);
else await main(asked);
