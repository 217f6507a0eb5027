import { v7 } from 'uuid';

const PREFIX = 'con_';

/** Makes the id of a stored connection. */
export const newConnectionId = (): string => `${PREFIX}${v7()}`;

/** True for one that is stored with its credentials; no type of a default connection's id holds a `_`. */
export const isStoredConnection = (connectionId: string): boolean => connectionId.startsWith(PREFIX);

/** The id of a provider's default connection, whose credentials the host gives. */
export const defaultConnectionId = (type: string, provider: string): string => `${type}.${provider}`;
