import { afterEach, describe, expect, test } from 'vitest';
import { loadPlugins } from '../../src/plugin-loader/load.ts';
import { type AppFolder, appFolder, pluginModule, pluginPackage } from '../helpers/app-folder.ts';

const folders: AppFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function app(files: Record<string, string | object>): string {
  const folder = appFolder(files);
  folders.push(folder);
  return folder.path;
}

const typesOf = async (cwd: string): Promise<string[]> =>
  (await loadPlugins(cwd)).flatMap(({ modules }) => modules.map(({ type }) => type)).sort();

const failureOf = async (files: Record<string, string | object>): Promise<string> => {
  try {
    await loadPlugins(app(files));
  } catch (error) {
    expect((error as Error).name).toBe('StartError');
    return (error as Error).message;
  }
  throw new Error('the plugins were loaded');
};

describe('without a config file', () => {
  test('dependencies of every kind with the keyword are plugins, others are not', async () => {
    const cwd = app({
      'package.json': {
        dependencies: { one: '1', plain: '1' },
        optionalDependencies: { '@scope/two': '1', absent: '1' },
        devDependencies: { three: '1' },
      },
      ...pluginPackage('one', 'a'),
      ...pluginPackage('@scope/two', 'b'),
      ...pluginPackage('three', 'c'),
      ...pluginPackage('plain', 'd', { keywords: ['other'] }),
      ...pluginPackage('unlisted', 'e'),
    });
    expect(await typesOf(cwd)).toEqual(['a', 'b', 'c']);
  });

  test('workspaces are candidates too, each once', async () => {
    const workspace = (name: string): object => ({
      name,
      type: 'module',
      keywords: ['batchsender-plugin'],
      exports: { '.': { default: './index.js' } },
    });
    const cwd = app({
      'package.json': { private: true, workspaces: ['plugins/*', 'core'] },
      'plugins/x/package.json': workspace('x'),
      'plugins/x/index.js': pluginModule('x', 'x'),
      'plugins/empty/readme.md': '',
      'core/package.json': { name: 'core' },
    });
    expect(await typesOf(cwd)).toEqual(['x']);
  });

  test('a folder without a package.json has none', async () => {
    expect(await loadPlugins(app({}))).toEqual([]);
  });

  test('a package that is for import only is loaded', async () => {
    const cwd = app({
      'package.json': { dependencies: { one: '1' } },
      ...pluginPackage('one', 'a', { exports: { '.': { import: './index.js' } } }),
    });
    expect(await typesOf(cwd)).toEqual(['a']);
  });
});

describe('a config file', () => {
  test('names plugins and packages, and nothing else is loaded', async () => {
    const cwd = app({
      'package.json': { dependencies: { one: '1', two: '1' } },
      ...pluginPackage('one', 'a'),
      ...pluginPackage('two', 'b'),
      'mine.mjs': pluginModule('mine', 'm'),
      'batchsender.config.mjs': "import mine from './mine.mjs'; export default { plugins: ['two', mine] };",
    });
    expect(await typesOf(cwd)).toEqual(['b', 'm']);
  });

  test('may be TypeScript', async () => {
    const cwd = app({
      'package.json': { type: 'module' },
      ...pluginPackage('one', 'a'),
      'batchsender.config.ts': "const plugins: string[] = ['one']; export default { plugins };",
    });
    expect(await typesOf(cwd)).toEqual(['a']);
  });

  test('may name no plugin', async () => {
    const cwd = app({ 'batchsender.config.mjs': 'export default { plugins: [] };' });
    expect(await loadPlugins(cwd)).toEqual([]);
  });
});

describe('a start fails, naming what is wrong and what to do, for', () => {
  test('a package that is not installed', async () => {
    const message = await failureOf({ 'batchsender.config.mjs': "export default { plugins: ['absent'] };" });
    expect(message).toMatch(
      /^absent, which .*batchsender\.config\.mjs names, is not installed\. Run: npm install absent$/,
    );
  });

  test.each(['export const plugins = [];', 'export default {};', "export default { plugins: 'one' };"])(
    'the config file %s',
    async (text) => {
      expect(await failureOf({ 'batchsender.config.mjs': text })).toMatch(
        /has no list of plugins\. Write: export default/,
      );
    },
  );

  test('a config file that throws', async () => {
    const message = await failureOf({ 'batchsender.config.mjs': "throw new Error('no luck');" });
    expect(message).toMatch(/batchsender\.config\.mjs cannot be loaded: Error: no luck$/);
  });

  test('a package that throws when it is imported', async () => {
    const message = await failureOf({
      'package.json': { dependencies: { one: '1' } },
      ...pluginPackage('one', 'a'),
      'node_modules/one/index.js': "import 'missing-part';",
    });
    expect(message).toMatch(/^one cannot be loaded: .*missing-part/);
  });

  test.each([
    'export const x = 1;',
    'export default null;',
    'export default {};',
    'export default () => {};',
  ])('a package whose code is %s', async (code) => {
    const message = await failureOf({
      'package.json': { dependencies: { one: '1' } },
      ...pluginPackage('one', 'a'),
      'node_modules/one/index.js': code,
    });
    expect(message).toBe('one is not a plugin. Its default export must be definePlugin({ … }).');
  });

  test('an item of the config that is no plugin', async () => {
    expect(await failureOf({ 'batchsender.config.mjs': 'export default { plugins: [42] };' })).toMatch(
      /^plugins\[0\] of .* is not a plugin\./,
    );
  });

  test('a package that is not built', async () => {
    const message = await failureOf({
      'package.json': { dependencies: { one: '1' } },
      ...pluginPackage('one', 'a', { exports: './dist/index.js' }),
    });
    expect(message).toMatch(/^one has no file to load: .*dist\/index\.js does not exist\. Is it built\?/);
  });

  test('a wrong contract number', async () => {
    const message = await failureOf({
      'package.json': { dependencies: { one: '1' } },
      ...pluginPackage('one', 'a'),
      'node_modules/one/index.js': pluginModule('one', 'a', 99),
    });
    expect(message).toMatch(/^one cannot be used\. .*contract.*99/s);
  });

  test('two plugins with the same type', async () => {
    const message = await failureOf({
      'package.json': { dependencies: { one: '1', two: '1' } },
      ...pluginPackage('one', 'same'),
      ...pluginPackage('two', 'same'),
    });
    expect(message).toMatch(/^two cannot be used\. .*same/);
  });

  test('a package.json that is not JSON', async () => {
    expect(await failureOf({ 'package.json': '{' })).toMatch(/package\.json is not valid JSON\./);
  });
});
