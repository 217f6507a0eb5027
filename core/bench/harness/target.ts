import { decimal, markdownTable } from './table.ts';

/** A figure that the project promises, with the limit that it must keep. */
export interface Target {
  readonly name: string;
  /** Undefined if the figure could not be taken, for example without a peer. */
  readonly figure: number | undefined;
  readonly limit: number;
  readonly kind: 'at least' | 'at most';
  readonly unit?: string;
}

export type Verdict = 'ok' | 'missed' | 'not measured';

export function verdict(target: Target): Verdict {
  const { figure, limit, kind } = target;
  if (figure === undefined || !Number.isFinite(figure)) return 'not measured';
  const kept = kind === 'at least' ? figure >= limit : figure <= limit;
  return kept ? 'ok' : 'missed';
}

export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const unit = target.unit === undefined ? '' : ` ${target.unit}`;
    const figure = decimal(target.figure);
    return [target.name, figure + unit, `${target.kind} ${target.limit}${unit}`, verdict(target)];
  });
  return markdownTable(['figure', 'measured', 'target', 'ok or missed'], rows);
}

/** Undefined if either is missing, so that a missing peer makes no figure. */
export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
