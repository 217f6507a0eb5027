import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLE = new URL('../../', import.meta.url);

/** What a command left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a copy of the example, in which somebody types commands. */
export interface Desk {
  /** Runs lines of `sh`; the first one that fails ends them. */
  run(commands: string, env?: Readonly<Record<string, string>>): Promise<Outcome>;
  read(name: string): string;
  write(name: string, text: string): void;
  files(): readonly string[];
  remove(): void;
}

let desks = 0;

/**
 * Makes a desk where `SERVER` and `API_KEY` are set. Its newsletter has a name of its own, since
 * the same list with the same text is not sent twice.
 */
export function desk(server: string, apiKey: string): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'batchsender newsletter, '));
  for (const name of ['newsletter.sh', 'newsletter.json', 'people.csv']) {
    copyFileSync(new URL(name, EXAMPLE), join(folder, name));
  }
  const newsletter = join(folder, 'newsletter.json');
  desks += 1;
  writeFileSync(newsletter, readFileSync(newsletter, 'utf8').replace('newsletter"', `newsletter ${desks}"`));
  return {
    run: (commands, env = {}) =>
      new Promise((resolve) => {
        const options = {
          cwd: folder,
          env: { PATH: process.env['PATH'], SERVER: server, API_KEY: apiKey, ...env },
          timeout: 60_000,
        };
        execFile('sh', ['-euc', commands], options, (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
        });
      }),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    write: (name, text) => writeFileSync(join(folder, name), text),
    files: () => readdirSync(folder).sort(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The blocks of commands in a section of a page, as they stand there. The path is seen from the example. */
export function commandsOf(page: string, section: string): readonly string[] {
  const text = readFileSync(new URL(page, EXAMPLE), 'utf8');
  const part = text.split(/^## /m).find((one) => one.startsWith(`${section}\n`)) ?? '';
  return [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

/** The rows of a CSV without quoted line ends, by the names of its header; quoted cells keep their quotes. */
export function rowsOf(csv: string): Record<string, string>[] {
  const [header = [], ...rows] = csv
    .replace('\uFEFF', '')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)?.map((cell) => cell.replace(/,$/, '')) ?? []);
  return rows.map((cells) => Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ''])));
}
