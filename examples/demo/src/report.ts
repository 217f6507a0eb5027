import type { Job, Result } from './api.ts';
import { outcomesOf } from './outcomes.ts';
import type { Screen } from './screen.ts';
import { cut, table } from './table.ts';
import { timelineTable } from './timeline.ts';
import type { Verdict } from './verdict.ts';
import { count, number } from './words.ts';

/** Lines of an export that are shown. */
const SHOWN_LINES = 8;

/** Problems of a check that are shown. */
const SHOWN_PROBLEMS = 5;

const INDENT = '  ';

/** Shows how many jobs ended in which way. */
export function reportOutcomes(screen: Screen, results: Readonly<Record<string, readonly Result[]>>): void {
  const rows = Object.entries(results).flatMap(([type, list]) => outcomesOf(type, list));
  const header = ['type', 'state', 'code', 'jobs', 'in plain words'];
  const cells = rows.map((row) => [row.type, row.state, row.code, number(row.jobs), row.meaning]);
  const [head = '', ...lines] = table([header, ...cells], { right: [3] });
  screen.line(INDENT + screen.paint('dim', head));
  for (const line of lines) screen.line(INDENT + line);
}

/** Shows all that the log knows about one job. */
export function reportTimeline(screen: Screen, job: Job): void {
  screen.line(`${INDENT}${screen.paint('dim', `GET /v1/jobs/${job.id}`)}`);
  for (const line of timelineTable(job)) screen.line(INDENT + line);
}

/** Shows the beginning of a CSV file. */
export function reportCsv(screen: Screen, csv: string): void {
  const lines = csv.split('\r\n').filter((line) => line !== '');
  for (const line of lines.slice(0, SHOWN_LINES)) {
    screen.line(INDENT + cut(line, screen.columns - INDENT.length));
  }
  const more = lines.length - SHOWN_LINES;
  if (more > 0)
    screen.line(
      `${INDENT}${screen.paint('dim', `… and ${number(more)} more ${more === 1 ? 'line' : 'lines'}`)}`,
    );
}

/** Shows what was compared, what does not hold, and the verdict. */
export function reportVerdict(screen: Screen, { checks, holds }: Verdict, jobs: number): void {
  let group: string | undefined;
  for (const { noun, text, problems } of checks) {
    if (noun !== group) screen.line(`${INDENT}${noun}s`);
    group = noun;
    if (problems.length === 0) {
      screen.done(text);
      continue;
    }
    screen.line(`${INDENT}${screen.paint('red', '✗')} ${text}`);
    for (const problem of problems.slice(0, SHOWN_PROBLEMS)) screen.line(`${INDENT}    ${problem}`);
    if (problems.length > SHOWN_PROBLEMS)
      screen.line(`${INDENT}    … and ${problems.length - SHOWN_PROBLEMS} more`);
  }
  screen.line();
  screen.line(
    holds
      ? screen.paint('green', `The log and the receivers agree on all ${count(jobs, 'job')}.`)
      : screen.paint('red', 'The log and the receivers do NOT agree.'),
  );
}
