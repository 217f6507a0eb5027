import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with an app in it, for tests of plugin loading. */
export interface AppFolder {
  readonly path: string;
  /** Writes files: text as it is, objects as JSON. */
  write(files: Readonly<Record<string, string | object>>): void;
  remove(): void;
}

/** Makes a temporary folder with files. */
export function appFolder(files: Readonly<Record<string, string | object>> = {}): AppFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'batchsender-app-')));
  const write: AppFolder['write'] = (more) => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
  };
  write(files);
  return { path, write, remove: () => rmSync(path, { recursive: true }) };
}

/** The text of a module whose default export is a plugin with one type. */
export function pluginModule(name: string, type: string, contract = 1): string {
  return `export default {
    name: '${name}', version: '1.0.0', contract: ${contract},
    modules: [{
      type: '${type}', title: 'T', version: 1, payload: { type: 'object', properties: {} },
      providers: { local: {
        title: 'L', credentials: { type: 'object', properties: {} }, guarantee: { kind: 'at-least-once' },
        open: () => ({ process: () => ({ status: 'succeeded' }) }),
      } },
    }],
  };`;
}

/** Files of an installed package that is a plugin. */
export function pluginPackage(
  name: string,
  type: string,
  more: object = {},
): Record<string, string | object> {
  return {
    [`node_modules/${name}/package.json`]: {
      name,
      version: '1.0.0',
      type: 'module',
      keywords: ['batchsender-plugin'],
      exports: './index.js',
      ...more,
    },
    [`node_modules/${name}/index.js`]: pluginModule(name, type),
  };
}
