import type { Module, Provider } from '../plugin/index.ts';
import { answerCases } from './cases/answers.ts';
import { batchCases } from './cases/batches.ts';
import { callbackCases } from './cases/callbacks.ts';
import { definitionCases } from './cases/definition.ts';
import { keyCases } from './cases/keys.ts';
import { lostCases } from './cases/lost.ts';
import { privacyCases } from './cases/privacy.ts';
import { resolveCases } from './cases/resolve.ts';
import { sessionCases } from './cases/sessions.ts';
import type { ConformanceCase, ConformanceOptions } from './options.ts';
import { Rig } from './rig.ts';

/**
 * What the contract asks of a provider, as a list of cases for any test framework. Run them one
 * after another: they share the vendor's test server.
 *
 * @example
 * for (const { name, skip, run } of conformance({ plugin, type: 'sms', provider: 'acme', credentials, payloads })) {
 *   test(name, { skip }, run); // node:test
 * }
 *
 * @throws Error if the plugin has no such type or provider, or if there is no payload.
 */
export function conformance(options: ConformanceOptions): ConformanceCase[] {
  const { module, provider } = find(options);
  if (options.payloads.length === 0)
    throw new Error('conformance: payloads is empty: give at least one valid payload');
  const rig = new Rig(options, module, provider);
  return [
    ...definitionCases(rig),
    ...sessionCases(rig),
    ...answerCases(rig),
    ...batchCases(rig),
    ...lostCases(rig),
    ...resolveCases(rig),
    ...keyCases(rig),
    ...privacyCases(rig),
    ...callbackCases(rig),
  ];
}

/** What came of all cases. */
export interface ConformanceReport {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: Error }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Runs all cases, one after another, and never rejects for what the plugin does. */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const passed: string[] = [];
  const failed: { name: string; error: Error }[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const { name, skip, run } of conformance(options)) {
    if (skip !== undefined) skipped.push({ name, reason: skip });
    else {
      try {
        await run();
        passed.push(name);
      } catch (error) {
        failed.push({
          name,
          error: error instanceof Error ? error : new Error(String(error), { cause: error }),
        });
      }
    }
  }
  return { passed, failed, skipped };
}

function find({ plugin, type, provider: name }: ConformanceOptions): { module: Module; provider: Provider } {
  const module = plugin.modules.find((candidate) => candidate.type === type);
  if (module === undefined) {
    const types = plugin.modules.map((candidate) => candidate.type).join(', ');
    throw new Error(`conformance: plugin ${plugin.name} has no job type '${type}'. It has: ${types}`);
  }
  const provider = Object.hasOwn(module.providers, name) ? module.providers[name] : undefined;
  if (provider === undefined) {
    const names = Object.keys(module.providers).join(', ');
    throw new Error(`conformance: job type '${type}' has no provider '${name}'. It has: ${names}`);
  }
  return { module, provider: provider as Provider };
}
