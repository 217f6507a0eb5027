import type { RegisteredModule } from '@batchsender/core';
import type { Provider } from '@batchsender/core/plugin';
import { type Static, Type } from 'typebox';
import { COMPONENT, JsonObject, oneOfStrings, openObject, strict } from './common.ts';

const ProviderSchema = strict(
  {
    name: Type.String(),
    title: Type.String(),
    guarantee: oneOfStrings(['keyed', 'reconcilable', 'at-most-once', 'at-least-once', 'varies'], {
      description:
        'What happens to a call whose result was lost. `varies`: it depends on connection and payload.',
    }),
    batchSize: Type.Integer({ minimum: 1, description: 'Most jobs in one call.' }),
    credentials: openObject({ description: 'JSON Schema of the credentials.' }),
    oauth: Type.Boolean({ description: 'A person may grant access to its connections by OAuth.' }),
  },
  { [COMPONENT]: 'Provider' },
);

/** An installed module. */
export const ModuleSchema = strict(
  {
    type: Type.String(),
    title: Type.String(),
    version: Type.Integer({ description: 'Version of the payload schema.' }),
    payload: openObject({ description: 'JSON Schema of the payload.' }),
    defaultProvider: Type.String(),
    providers: Type.Array(ProviderSchema),
    plugin: strict({ name: Type.String(), version: Type.String() }),
  },
  { [COMPONENT]: 'Module' },
);

export const ModuleList = strict(
  { items: Type.Array(ModuleSchema), nextCursor: Type.Null() },
  { [COMPONENT]: 'ModuleList' },
);

export const ModuleParams = Type.Object({ type: Type.String({ description: 'Job type.' }) });

export const PreviewBody = strict({
  payload: JsonObject,
  defaults: Type.Optional(JsonObject),
});

export const PreviewSchema = strict(
  {
    payload: openObject({ description: 'As the provider would get it.' }),
    problems: Type.Array(strict({ path: Type.String(), code: Type.String(), message: Type.String() }), {
      description: 'What is wrong with it; empty if it could be sent.',
    }),
    preview: Type.Union([JsonObject, Type.Null()], { description: 'What the module says of it.' }),
  },
  { [COMPONENT]: 'JobPreview' },
);

/** Turns a registered module into the API's. */
export function moduleView({
  module,
  plugin,
  defaultProvider,
}: RegisteredModule): Static<typeof ModuleSchema> {
  return {
    type: module.type,
    title: module.title,
    version: module.version,
    payload: jsonOf(module.payload),
    defaultProvider,
    providers: Object.entries(module.providers).map(([name, provider]) => providerView(name, provider)),
    plugin: { name: plugin.name, version: plugin.version },
  };
}

function providerView(name: string, provider: Provider<never, never>): Static<typeof ProviderSchema> {
  const { guarantee } = provider;
  return {
    name,
    title: provider.title,
    guarantee: typeof guarantee === 'function' ? 'varies' : guarantee.kind,
    batchSize: provider.batchSize ?? 1,
    credentials: jsonOf(provider.credentials),
    oauth: provider.oauth !== undefined,
  };
}

/** Plain JSON of a schema; TypeBox keeps marks of its own beside it. */
const jsonOf = (schema: object): Record<string, unknown> => JSON.parse(JSON.stringify(schema));
