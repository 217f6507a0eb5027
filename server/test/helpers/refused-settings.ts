import { expect } from 'vitest';
import { readSettings } from '../../src/settings.ts';

/** What a start says of settings that it refuses. */
export function messageOf(env: Record<string, string>): string {
  try {
    readSettings(env, '/app');
  } catch (error) {
    expect((error as Error).name).toBe('StartError');
    return (error as Error).message;
  }
  throw new Error('the settings were taken');
}
