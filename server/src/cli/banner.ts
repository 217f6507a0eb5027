import type { Plugin } from '@batchsender/core/plugin';
import type { Role } from '../settings/variables.ts';

/** What a person wants to see when the server has started. */
export interface BannerFacts {
  readonly version: string;
  readonly role: Role;
  /** What the runner takes; undefined: all that is installed, or no runner here. */
  readonly types: readonly string[] | undefined;
  readonly url: string;
  /** Folder of the embedded database; undefined if it is elsewhere. */
  readonly dataDir: string | undefined;
  readonly plugins: readonly Plugin[];
  readonly notices: readonly string[];
}

/** The lines that are shown on a terminal, with the API key if it was made just now. */
export function banner(facts: BannerFacts, madeKey: string | undefined): string {
  const rows: [string, string][] = [
    ...placeRows(facts),
    ['Data', facts.dataDir ?? 'the database of DATABASE_URL'],
    ['Plugins', facts.plugins.length === 0 ? 'none' : facts.plugins.map(pluginLine).join(', ')],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(8)} ${value}`);
  const key = madeKey === undefined ? [] : ['', ...keyLines(madeKey).map((line) => `  ${line}`)];
  const notices = facts.notices.map((notice) => `  ! ${notice}`);
  const more = notices.length === 0 ? [] : ['', ...notices];
  return [
    '',
    `  BatchSender ${facts.version}`,
    '',
    ...lines,
    ...key,
    ...more,
    '',
    '  Ctrl+C stops it.',
    '',
  ].join('\n');
}

function placeRows({ role, url, types }: BannerFacts): [string, string][] {
  const taken: [string, string][] = types === undefined ? [] : [['Types', types.join(', ')]];
  if (role === 'runner') return [['Runner', `${url}/readyz`], ...taken];
  return [['API', `${url}/v1`], ['Docs', `${url}/docs`], ...taken];
}

/** The lines that show a new API key. They are the only place where it is ever shown. */
export function keyLines(key: string): readonly string[] {
  return [`API key  ${key}`, 'It is shown this once: only its hash is stored.'];
}

/** What to say if no plugin was found. */
export const NO_PLUGINS =
  'No plugin is installed, so no job can be taken. Install one, for example: npm install @batchsender/plugin-webhook';

function pluginLine({ name, version, modules }: Plugin): string {
  return `${name} ${version} (${modules.map(({ type }) => type).join(', ')})`;
}

/** The URL at which a person reaches the server. */
export function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}
