/** The entry of a table by a name that comes from outside: one that every object has, such as `constructor`, is none. */
export const lookup = <T>(table: Readonly<Record<string | number, T>>, name: unknown): T | undefined =>
  (typeof name === 'string' || typeof name === 'number') && Object.hasOwn(table, name)
    ? table[name]
    : undefined;
