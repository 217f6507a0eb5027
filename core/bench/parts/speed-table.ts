import { decimal, markdownTable, whole } from '../harness/table.ts';
import { ratio } from '../harness/target.ts';
import { medianOf, type Sample, speed } from './measure.ts';

/** A row a contestant: its median, its rounds, and its ratio to two others. */
export function speedTable(
  results: ReadonlyMap<string, readonly Sample[]>,
  peer: string,
  bare: string,
  jobs: number,
): string {
  const rows = [...results].map(([name, samples]) => {
    const own = speed(samples);
    const wal = medianOf(samples, 'walMb');
    return [
      name,
      whole(own ?? Number.NaN),
      samples.map((each) => whole(each.jobsPerSecond / 1_000)).join(' '),
      decimal(ratio(own, speed(results.get(peer)))),
      decimal(ratio(own, speed(results.get(bare)))),
      decimal(medianOf(samples, 'nodeUs'), 1),
      decimal(wal, 1),
      whole(((wal ?? Number.NaN) * 1_000_000) / jobs),
    ];
  });
  const head = [
    '',
    'jobs/s',
    'rounds, 1,000/s',
    `x ${peer}`,
    `x ${bare}`,
    'node us/job',
    'WAL MB',
    'WAL bytes/job',
  ];
  return markdownTable(head, rows);
}
