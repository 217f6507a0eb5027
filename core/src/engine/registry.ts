import type { Module, Plugin, Provider } from '../plugin/index.ts';

/** A module with the plugin that brought it. */
export interface RegisteredModule {
  readonly module: Module;
  readonly plugin: Plugin;
  /** Name of the provider that is used when a batch names none. */
  readonly defaultProvider: string;
}

/** Maps job types to modules. */
export interface Registry {
  /** Checks the plugin's contract number, names, types and schemas. @throws BatchSenderError `plugin_invalid` saying what to do. */
  register(plugin: Plugin): void;
  get(type: string): RegisteredModule | undefined;
  provider(type: string, name: string): Provider | undefined;
  list(): readonly RegisteredModule[];
}
