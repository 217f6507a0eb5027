import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRegistry } from '@batchsender/core';
import type { Plugin } from '@batchsender/core/plugin';
import { StartError } from '../cli/start-error.ts';
import type { Config } from './define-config.ts';
import { entryOf, importConditions } from './entry.ts';
import { findInstalled, findPluginPackages, type InstalledPackage } from './packages.ts';

/** The config file's names; the first one that exists is read. */
const CONFIG_FILES = ['batchsender.config.ts', 'batchsender.config.js', 'batchsender.config.mjs'];

/** A plugin with the words that errors name it by. */
interface Source {
  readonly plugin: unknown;
  readonly from: string;
}

/**
 * Loads the plugins that the config file in a folder names; without one, each dependency of the
 * app there that has the keyword `batchsender-plugin`.
 * @throws StartError naming the package and what to do.
 */
export async function loadPlugins(cwd: string): Promise<readonly Plugin[]> {
  const config = CONFIG_FILES.map((name) => join(cwd, name)).find((file) => existsSync(file));
  const sources =
    config === undefined
      ? await Promise.all(findPluginPackages(cwd).map(importPackage))
      : await fromConfig(config, cwd);
  return checked(sources);
}

async function fromConfig(file: string, cwd: string): Promise<readonly Source[]> {
  const config = (await importDefault(file, file)) as Partial<Config> | undefined;
  if (!Array.isArray(config?.plugins)) {
    throw new StartError(
      `${file} has no list of plugins. Write: export default defineConfig({ plugins: ['@batchsender/plugin-webhook'] })`,
    );
  }
  return Promise.all(
    config.plugins.map((item: unknown, index) =>
      typeof item === 'string'
        ? importNamed(item, cwd, file)
        : { plugin: item, from: `plugins[${index}] of ${file}` },
    ),
  );
}

function importNamed(name: string, cwd: string, file: string): Promise<Source> {
  const installed = findInstalled(name, cwd);
  if (installed === undefined) {
    throw new StartError(`${name}, which ${file} names, is not installed. Run: npm install ${name}`);
  }
  return importPackage(installed);
}

async function importPackage({ name, directory, manifest }: InstalledPackage): Promise<Source> {
  const entry = entryOf(directory, manifest, importConditions());
  if (entry === undefined || !existsSync(entry)) {
    throw new StartError(
      `${name} has no file to load${entry === undefined ? '' : `: ${entry} does not exist`}. ` +
        `Is it built? If not, build it; if so, install it again: npm install ${name}`,
    );
  }
  return { plugin: await importDefault(entry, name), from: name };
}

async function importDefault(file: string, name: string): Promise<unknown> {
  try {
    const exported = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return exported.default;
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StartError(`${name} cannot be loaded: ${reason}`, { cause: error });
  }
}

/** Registers the plugins once on trial, so that a wrong one is found before the database starts. */
function checked(sources: readonly Source[]): readonly Plugin[] {
  const registry = createRegistry();
  return sources.map(({ plugin, from }) => {
    if (
      typeof plugin !== 'object' ||
      plugin === null ||
      !Array.isArray((plugin as Partial<Plugin>).modules)
    ) {
      throw new StartError(`${from} is not a plugin. Its default export must be definePlugin({ … }).`);
    }
    try {
      registry.register(plugin as Plugin);
    } catch (error) {
      throw new StartError(`${from} cannot be used. ${(error as Error).message}`, { cause: error });
    }
    return plugin as Plugin;
  });
}
