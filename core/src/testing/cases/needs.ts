import type { ConformanceCase, VendorHooks } from '../options.ts';
import type { Rig } from '../rig.ts';

/** Why a case cannot run: the hooks that it lacks. Undefined if it has all. */
export function lacking(rig: Rig, ...hooks: readonly (keyof VendorHooks)[]): string | undefined {
  const missing = hooks.filter((hook) => rig.options.respond?.[hook] === undefined);
  return missing.length === 0
    ? undefined
    : `give the suite ${missing.map((hook) => `respond.${hook}`).join(' and ')}`;
}

/** The first of several hooks that is there. */
export function firstOf<H extends keyof VendorHooks>(rig: Rig, hooks: readonly H[]): H | undefined {
  return hooks.find((hook) => rig.options.respond?.[hook] !== undefined);
}

/** A case that runs unless there is a reason to skip it. */
export function conformanceCase(
  name: string,
  skip: string | undefined,
  run: () => Promise<void>,
): ConformanceCase {
  return { name, skip, run: () => (skip === undefined ? run() : Promise.resolve()) };
}
