import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/engine/create-registry.ts';
import { BatchSenderError } from '../../src/engine/errors.ts';
import {
  CONTRACT,
  defineModule,
  definePlugin,
  defineProvider,
  type Module,
  type Plugin,
  type Provider,
  succeeded,
  Type,
} from '../../src/plugin/index.ts';

const Payload = Type.Object({ to: Type.String() });

const provider = defineProvider({
  title: 'Fake',
  payload: Payload,
  credentials: Type.Object({}),
  guarantee: { kind: 'at-least-once' },
  open: () => ({ process: () => succeeded() }),
});

const module = defineModule({
  type: 'mail',
  title: 'Mail',
  version: 1,
  payload: Payload,
  providers: { fake: provider },
});
const plugin = definePlugin({ name: 'plugin-mail', version: '1.2.3', contract: CONTRACT, modules: [module] });

const withModule = (over: object): Plugin => ({
  ...plugin,
  modules: [{ ...module, ...over } as unknown as Module],
});
const withProvider = (over: object): Plugin =>
  withModule({ providers: { fake: { ...provider, ...over } as unknown as Provider } });

function refusal(...plugins: unknown[]): BatchSenderError {
  try {
    createRegistry(plugins as Plugin[]);
  } catch (error) {
    return error as BatchSenderError;
  }
  throw new Error('the plugin was accepted');
}

describe('a registry', () => {
  it('finds modules and providers by their names', () => {
    const registry = createRegistry([plugin]);
    expect(registry.get('mail')).toMatchObject({ plugin: { name: 'plugin-mail' }, defaultProvider: 'fake' });
    expect(registry.provider('mail', 'fake')).toBe(provider);
    expect(registry.list()).toHaveLength(1);
  });

  it.each([
    ['sms', 'fake'],
    ['mail', 'other'],
    ['mail', 'constructor'],
    ['__proto__', 'fake'],
  ])('knows no provider %s/%s', (type, name) => {
    expect(createRegistry([plugin]).provider(type, name)).toBeUndefined();
  });

  it('takes plugins from another copy of the package: no class is asked for', () => {
    const copy = { ...structuredClone({ ...plugin, modules: [] }), modules: plugin.modules };
    expect(() => createRegistry([copy])).not.toThrow();
  });

  it('shares nothing with another registry', () => {
    createRegistry([plugin]);
    expect(createRegistry().get('mail')).toBeUndefined();
  });

  it('keeps nothing of a plugin that it refuses', () => {
    const registry = createRegistry([plugin]);
    const both = { ...plugin, name: 'plugin-both', modules: [{ ...module, type: 'sms' }, module] };
    expect(() => registry.register(both)).toThrow(BatchSenderError);
    expect(registry.get('sms')).toBeUndefined();
  });
});

describe('a plugin that cannot be used is refused, saying what to do', () => {
  const { open: _open, ...noOpen } = provider;

  it.each<[string, unknown, RegExp]>([
    ['it is nothing', undefined, /default export/],
    ['it is a namespace', { default: plugin }, /default export/],
    ['a wrong contract number', { ...plugin, contract: 2 }, /contract 2.*install a version of plugin-mail/s],
    ['no contract number', { ...plugin, contract: undefined }, /contract undefined/],
    ['no version', { ...plugin, version: undefined }, /version is missing: give/],
    ['no modules', { ...plugin, modules: [] }, /list at least one module/],
    ['a module that is undefined', { ...plugin, modules: [undefined] }, /module.*defineModule/],
    ['a type twice', { ...plugin, modules: [module, module] }, /'mail' is defined twice: remove one/],
    ['a type that is no name', withModule({ type: 'E-Mail' }), /'E-Mail' is not a name: use/],
    ['no schema version', withModule({ version: 0 }), /version must be a whole number from 1/],
    [
      'no payload schema',
      withModule({ payload: undefined }),
      /payload schema must be an object schema: make it/,
    ],
    ['a payload that is no object', withModule({ payload: Type.String() }), /Type\.Object/],
    [
      'a broken schema',
      withModule({ payload: Type.Object({ a: { type: 'strnig' } }) }),
      /\/properties\/a\/type/,
    ],
    [
      'a bad pattern',
      withModule({ payload: Type.Object({ a: Type.String({ pattern: '(' }) }) }),
      /payload schema/,
    ],
    ['no providers', withModule({ providers: {} }), /add at least one made by defineProvider/],
    [
      'a provider that is undefined',
      withModule({ providers: { fake: undefined } }),
      /'fake'.*defineProvider/,
    ],
    ['a provider that is no name', withModule({ providers: { 'a b': provider } }), /'a b' is not a name/],
    [
      'no credentials schema',
      withProvider({ credentials: undefined }),
      /credentials schema must be an object/,
    ],
    ['no open', withModule({ providers: { fake: noOpen } }), /open must be a function/],
    ['no guarantee', withProvider({ guarantee: undefined }), /guarantee must be keyed, reconcilable/],
    ['a guarantee without its fields', withProvider({ guarantee: { kind: 'keyed' } }), /with its fields/],
    ['a batch size of 0', withProvider({ batchSize: 0 }), /batchSize must be a whole number from 1/],
    ['a batch of 1.5 bytes', withProvider({ batchBytes: 1.5 }), /batchBytes must be a whole number/],
    ['a batch size by a function', withProvider({ batchSize: () => 5 }), /batchSize must be a whole number/],
    ['a concurrency of 0', withProvider({ concurrency: 0 }), /concurrency must be a whole number/],
    ['an endpointKey that is no text', withProvider({ endpointKey: 5 }), /endpointKey must be a function/],
    ['no time for a call', withProvider({ timeoutMs: 0 }), /timeoutMs must be above 0/],
    ['a rate without a window', withProvider({ rates: [{ per: 'call', max: 1 }] }), /a rate needs per/],
    [
      'a call that never fits its rate',
      withProvider({ batchSize: 9, rates: [{ per: 'job', max: 5, windowMs: 1_000 }] }),
      /a call of batchSize 9 jobs can never fit/,
    ],
  ])('%s', (_name, broken, message) => {
    const error = refusal(broken);
    expect(error).toBeInstanceOf(BatchSenderError);
    expect(error.code).toBe('plugin_invalid');
    expect(error.message).toMatch(message);
  });

  it('a job type that another plugin brought', () => {
    const other = { ...plugin, name: 'plugin-other' };
    expect(refusal(plugin, other).message).toMatch(/plugin-other.*'mail'.*by plugin-mail: install only one/);
  });
});
