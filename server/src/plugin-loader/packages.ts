import { globSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Manifest, readManifest } from './manifest.ts';

/** Keyword by which a package says that it is a plugin. */
const KEYWORD = 'batchsender-plugin';

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  /** Its folder, with links resolved. */
  readonly directory: string;
  readonly manifest: Manifest;
}

/** The plugins among the dependencies and the workspaces of the app in a folder. */
export function findPluginPackages(cwd: string): readonly InstalledPackage[] {
  const app = readManifest(cwd);
  if (app === undefined) return [];
  const dependencies = { ...app.dependencies, ...app.optionalDependencies, ...app.devDependencies };
  const installed = Object.keys(dependencies).map((name) => findInstalled(name, cwd));
  const candidates = [...installed, ...workspacesOf(app, cwd)].filter((found) => found !== undefined);
  const plugins = candidates.filter(({ manifest }) => manifest.keywords?.includes(KEYWORD));
  return [...new Map(plugins.map((plugin) => [plugin.directory, plugin])).values()];
}

/** A package as the app in a folder sees it; undefined if it is not installed. */
export function findInstalled(name: string, cwd: string): InstalledPackage | undefined {
  const file = attempt(() => findPackageJSON(name, pathToFileURL(join(cwd, 'package.json'))));
  return file === undefined ? undefined : packageIn(dirname(file));
}

function workspacesOf(app: Manifest, cwd: string): readonly (InstalledPackage | undefined)[] {
  const { workspaces } = app;
  const patterns =
    (Array.isArray(workspaces)
      ? workspaces
      : workspaces && 'packages' in workspaces && workspaces.packages) || [];
  const folders = (patterns as readonly string[]).flatMap((pattern) => globSync(pattern, { cwd }));
  return folders.sort().map((folder) => packageIn(join(cwd, folder)));
}

function packageIn(directory: string): InstalledPackage | undefined {
  const manifest = readManifest(directory);
  if (manifest?.name === undefined) return undefined;
  return { name: manifest.name, directory: realpathSync(directory), manifest };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
