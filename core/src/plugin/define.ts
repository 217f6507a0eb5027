import type { Static, TSchema } from 'typebox';
import type { Module, Plugin, Provider } from './contract.ts';

/** A provider's definition: its types follow from the two schemas. */
export interface ProviderDefinition<P extends TSchema, C extends TSchema>
  extends Omit<Provider<Static<P>, Static<C>>, 'credentials'> {
  /** The module's payload schema; gives the payload's type to every function below. */
  readonly payload: P;
  readonly credentials: C;
}

/** A module's definition: its types follow from the payload schema. */
export interface ModuleDefinition<P extends TSchema>
  extends Omit<Module<Static<P>>, 'payload' | 'providers'> {
  readonly payload: P;
  // biome-ignore lint/suspicious/noExplicitAny: each provider has credentials of its own
  readonly providers: { readonly [name: string]: Provider<Static<P>, any> };
}

/**
 * Defines one way to deliver jobs of a type.
 *
 * @example
 * const http = defineProvider({
 *   title: 'HTTP',
 *   payload: GreetingPayload,
 *   credentials: Type.Object({}),
 *   guarantee: { kind: 'at-least-once' },
 *   open: () => ({ process: async (job) => succeeded(job.payload.name) }),
 * });
 */
export function defineProvider<P extends TSchema, C extends TSchema>(
  definition: ProviderDefinition<P, C>,
): Provider<Static<P>, Static<C>> {
  const { payload: _payload, ...provider } = definition;
  return provider;
}

/** Defines the code for one job type. */
export function defineModule<P extends TSchema>(definition: ModuleDefinition<P>): Module<Static<P>> {
  return definition;
}

/** Defines a plugin: the default export of its package. */
export function definePlugin(definition: Plugin): Plugin {
  return definition;
}
