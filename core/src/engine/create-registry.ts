import { Compile } from 'typebox/compile';
import { CONTRACT, type Module, type Plugin, type Provider } from '../plugin/index.ts';
import { schemaProblem } from './check-schema.ts';
import { BatchSenderError } from './errors.ts';
import type { RegisteredModule, Registry } from './registry.ts';
import { rateProblem } from './runner/rates.ts';
import type { EventKind } from './store.ts';

const RECEIPT = /^[a-z][a-z0-9_]{0,39}$/;
const NAME = /^[a-z][a-z0-9]{0,39}$/;

/** Makes an empty registry. Nothing is global: two engines in one process share nothing. */
export function createRegistry(plugins: readonly Plugin[] = []): Registry {
  const modules = new Map<string, RegisteredModule>();
  const registry: Registry = {
    register(plugin) {
      const checked = checkPlugin(plugin);
      for (const { type } of checked) {
        const taken = modules.get(type);
        if (taken !== undefined) {
          refuse(
            plugin,
            `job type '${type}' is already registered by ${taken.plugin.name}: install only one of them`,
          );
        }
      }
      for (const module of checked) {
        modules.set(module.type, {
          module,
          plugin,
          defaultProvider: Object.keys(module.providers)[0] as string,
        });
      }
    },
    get: (type) => modules.get(type),
    provider: (type, name) => providerOf(modules.get(type)?.module, name),
    list: () => [...modules.values()],
  };
  for (const plugin of plugins) registry.register(plugin);
  return registry;
}

function providerOf(module: Module | undefined, name: string): Provider | undefined {
  if (module === undefined || !Object.hasOwn(module.providers, name)) return undefined;
  return module.providers[name] as Provider | undefined;
}

function checkPlugin(plugin: Plugin): readonly Module[] {
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.name !== 'string') {
    throw new BatchSenderError(
      'plugin_invalid',
      'A plugin must be the object that definePlugin returns, with a name: check the default export of the package',
    );
  }
  if (plugin.contract !== CONTRACT) {
    refuse(
      plugin,
      `it was written for contract ${String(plugin.contract)}, this core speaks contract ${CONTRACT}: ` +
        `install a version of ${plugin.name} for contract ${CONTRACT}, or the core that it asks for`,
    );
  }
  if (typeof plugin.version !== 'string')
    refuse(plugin, 'version is missing: give the version of the package');
  if (!Array.isArray(plugin.modules) || plugin.modules.length === 0) {
    refuse(plugin, 'modules is empty: list at least one module made by defineModule');
  }
  const seen = new Set<string>();
  for (const module of plugin.modules) {
    checkModule(plugin, module);
    if (seen.has(module.type))
      refuse(plugin, `job type '${module.type}' is defined twice: remove one of them`);
    seen.add(module.type);
  }
  return plugin.modules;
}

function checkModule(plugin: Plugin, module: Module): void {
  if (typeof module !== 'object' || module === null) {
    refuse(plugin, `modules holds ${String(module)}: each module must be one made by defineModule`);
  }
  if (!NAME.test(module.type)) {
    refuse(plugin, `job type '${String(module.type)}' is not a name: use ${String(NAME)}`);
  }
  const at = `module '${module.type}'`;
  if (!Number.isSafeInteger(module.version) || module.version < 1) {
    refuse(plugin, `${at}: version must be a whole number from 1`);
  }
  checkSchema(plugin, `${at}: payload`, module.payload);
  checkReceipts(plugin, at, module);
  const names = Object.keys(module.providers ?? {});
  if (names.length === 0) refuse(plugin, `${at} has no providers: add at least one made by defineProvider`);
  for (const name of names) {
    if (!NAME.test(name)) refuse(plugin, `${at}: provider '${name}' is not a name: use ${String(NAME)}`);
    checkProvider(plugin, `${at}, provider '${name}'`, module.providers[name] as Provider);
  }
}

/** Kinds by which the engine tells what became of a job: a receipt of that name would be taken for one. */
const ENGINE_KINDS = new Set<string>([
  'attempted',
  'succeeded',
  'failed',
  'unknown',
  'cancelled',
  'retried',
  'postponed',
  'released',
  'reopened',
  'resolved',
  'late',
] satisfies EventKind[]);

function checkReceipts(plugin: Plugin, at: string, { receipts = [] }: Module): void {
  for (const { kind, precedence } of receipts) {
    if (!RECEIPT.test(kind)) refuse(plugin, `${at}: receipt '${kind}' is not a name: use ${String(RECEIPT)}`);
    if (ENGINE_KINDS.has(kind))
      refuse(plugin, `${at}: receipt '${kind}' has the name of an event of the engine: choose another one`);
    if (!Number.isFinite(precedence))
      refuse(plugin, `${at}: receipt '${kind}' needs a precedence; the common kinds have 10 to 60`);
  }
}

function checkProvider(plugin: Plugin, at: string, provider: Provider): void {
  if (typeof provider !== 'object' || provider === null) {
    refuse(plugin, `${at} is ${String(provider)}: make it with defineProvider`);
  }
  checkSchema(plugin, `${at}: credentials`, provider.credentials);
  if (typeof provider.open !== 'function') refuse(plugin, `${at}: open must be a function`);
  const { guarantee } = provider;
  if (typeof guarantee !== 'function' && !isGuarantee(guarantee)) {
    refuse(
      plugin,
      `${at}: guarantee must be keyed, reconcilable, at-most-once or at-least-once with its fields, or a function`,
    );
  }
  checkNumbers(plugin, at, provider);
  checkRates(plugin, at, provider);
}

function checkNumbers(plugin: Plugin, at: string, provider: Provider): void {
  for (const field of ['batchSize', 'batchBytes', 'concurrency'] as const) {
    const value = provider[field];
    // A function can only be asked with credentials: by the conformance suite, and by the runner.
    if (typeof value === 'function' && field === 'concurrency') continue;
    if (value !== undefined && (!Number.isSafeInteger(value) || Number(value) < 1)) {
      refuse(plugin, `${at}: ${field} must be a whole number from 1`);
    }
  }
  const { endpointKey } = provider;
  if (endpointKey !== undefined && typeof endpointKey !== 'function' && !isText(endpointKey)) {
    refuse(plugin, `${at}: endpointKey must be a function of the payload, or a text if all jobs go to one`);
  }
  if (typeof provider.timeoutMs === 'number' && !(provider.timeoutMs > 0)) {
    refuse(plugin, `${at}: timeoutMs must be above 0`);
  }
}

function checkRates(plugin: Plugin, at: string, provider: Provider): void {
  const { rates = [], batchSize } = provider;
  // A function can only be asked with credentials: by the conformance suite, and by the runner.
  if (typeof rates === 'function') return;
  for (const rate of rates) {
    const problem = rateProblem(rate, batchSize);
    if (problem !== undefined) refuse(plugin, `${at}: ${problem}`);
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function isGuarantee(value: unknown): boolean {
  const guarantee = value as { kind?: unknown; scope?: unknown; ttlMs?: unknown; settleMs?: unknown } | null;
  switch (guarantee?.kind) {
    case 'keyed':
      return (guarantee.scope === 'job' || guarantee.scope === 'call') && Number(guarantee.ttlMs) > 0;
    case 'reconcilable':
      return Number(guarantee.settleMs) >= 0;
    case 'at-most-once':
    case 'at-least-once':
      return true;
    default:
      return false;
  }
}

function checkSchema(plugin: Plugin, at: string, schema: unknown): void {
  if (typeof schema !== 'object' || schema === null || (schema as { type?: unknown }).type !== 'object') {
    refuse(plugin, `${at} schema must be an object schema: make it with Type.Object`);
  }
  const problem = schemaProblem(schema);
  if (problem !== undefined) refuse(plugin, `${at} schema is broken: ${problem}`);
  try {
    JSON.stringify(schema);
    Compile(schema as Parameters<typeof Compile>[0]).Check({});
  } catch (error) {
    refuse(plugin, `${at} schema does not compile: ${(error as Error).message}`);
  }
}

function refuse(plugin: Plugin, reason: string): never {
  throw new BatchSenderError('plugin_invalid', `Plugin ${plugin.name}: ${reason}`);
}
