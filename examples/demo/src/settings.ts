/** How the receivers' books may be falsified, to see that the check finds it. */
export const SABOTAGES = ['drop-one', 'double-one', 'accept-failed'] as const;

/** See {@link SABOTAGES}. */
export type Sabotage = (typeof SABOTAGES)[number];

/** What the demo reads from its environment. */
export interface Settings {
  /** Emails, and as many webhooks. */
  readonly jobs: number;
  readonly sabotage: Sabotage | undefined;
}

/** A setting that is wrong: its message names it, and what is allowed. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/**
 * Reads `DEMO_JOBS` (20 to 50,000, default 2,000) and `DEMO_SABOTAGE` (default none).
 * @throws SettingError
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const text = env['DEMO_JOBS'] || '2000';
  const jobs = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (jobs < 20 || jobs > 50_000) {
    throw new SettingError(`DEMO_JOBS is "${text}". It must be a whole number from 20 to 50000.`);
  }
  const wish = env['DEMO_SABOTAGE'] || undefined;
  const sabotage = SABOTAGES.find((known) => known === wish);
  if (wish !== sabotage) {
    throw new SettingError(
      `DEMO_SABOTAGE is "${wish}". It must be one of ${SABOTAGES.join(', ')}, or unset.`,
    );
  }
  return { jobs, sabotage };
}
