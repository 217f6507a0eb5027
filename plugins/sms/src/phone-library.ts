import { createRequire } from 'node:module';
import type * as PhoneLibrary from 'libphonenumber-js/max';

const load = createRequire(import.meta.url);
let library: typeof PhoneLibrary | undefined;

/**
 * The library that knows the numbers of all countries. It takes 7 MB, so it is loaded with the first number: a
 * server loads every plugin that is installed, also those that nobody uses.
 */
export function phoneLibrary(): typeof PhoneLibrary {
  library ??= load('libphonenumber-js/max') as typeof PhoneLibrary;
  return library;
}
