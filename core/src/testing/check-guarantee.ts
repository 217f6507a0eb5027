import { show } from './check-result.ts';

/** Why a value is no guarantee; undefined if it is one. */
export function guaranteeProblem(value: unknown): string | undefined {
  const guarantee = value as Record<string, unknown> | null | undefined;
  switch (guarantee?.['kind']) {
    case 'at-most-once':
    case 'at-least-once':
      return undefined;
    case 'reconcilable':
      return isTime(guarantee['settleMs']) ? undefined : 'reconcilable needs settleMs, milliseconds from 0';
    case 'keyed':
      if (guarantee['scope'] !== 'job' && guarantee['scope'] !== 'call')
        return "keyed needs scope: 'job' or 'call'";
      return isTime(guarantee['ttlMs']) && guarantee['ttlMs'] !== 0 ? undefined : 'keyed needs ttlMs above 0';
    default:
      return `${show(value)} is no guarantee`;
  }
}

const isTime = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;
