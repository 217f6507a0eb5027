import { isDatabaseDown } from '../http/database-down.ts';
import type { Settings } from '../settings.ts';
import { StartError } from './start-error.ts';

/** Codes of Postgres for a database that answers but cannot be used, with what to do. */
const REFUSED: { readonly [code: string]: string } = {
  '28P01': 'Its user or password is wrong.',
  '28000': 'It does not let this user in.',
  '3D000': 'There is no database of that name: create it.',
  '42501': 'The user may not create what is needed: grant CREATE on the database.',
};

/** Turns an error of the listening socket into one that says what to do. */
export function explainListen(error: unknown, { host, port }: Settings): unknown {
  const { code } = error as { code?: string };
  const reason = {
    EADDRINUSE: `Port ${port} of ${host} is taken. Stop the program that has it, or start with another one: PORT=${port + 1}`,
    EACCES: `This user may not listen on port ${port}. Use a port above 1023, for example PORT=3000.`,
    EADDRNOTAVAIL: `HOST=${host} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of them.`,
    ENOTFOUND: `HOST=${host} is not known. Use 127.0.0.1, or 0.0.0.0 for all addresses of this machine.`,
  }[code ?? ''];
  return reason === undefined ? error : new StartError(reason, { cause: error });
}

/** Turns an error of the first contact with the database into one that says what to do. */
export function explainDatabase(error: unknown, databaseUrl: string): unknown {
  const { code } = error as { code?: string };
  const place = `The database of DATABASE_URL (${withoutPassword(databaseUrl)})`;
  const refused = REFUSED[code ?? ''];
  if (refused !== undefined) return new StartError(`${place} cannot be used. ${refused}`, { cause: error });
  if (!isDatabaseDown(error)) return error;
  const detail = code === undefined ? '' : ` (${code})`;
  return new StartError(`${place} does not answer${detail}. Start it, or check the URL.`, { cause: error });
}

/** Errors of core whose message already names the place and the remedy. */
const EXPLAINED = new Set(['StartError', 'BatchSenderError', 'InvalidInputError', 'EmbeddedPostgresError']);

/** What to print for an error at the start: a line for what a user can mend, a stack for the rest. */
export function startMessage(error: unknown): string {
  if (error instanceof Error && EXPLAINED.has(error.name)) return error.message;
  return `BatchSender could not start because of an error of its own. Please report it.\n${error instanceof Error ? error.stack : String(error)}`;
}

function withoutPassword(databaseUrl: string): string {
  try {
    const { hostname, port, pathname } = new URL(databaseUrl);
    return `${hostname || 'local socket'}${port ? `:${port}` : ''}${pathname}`;
  } catch {
    return 'not a URL';
  }
}
