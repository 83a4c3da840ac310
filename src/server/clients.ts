import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { OptionError } from '../../operators/index.js';

export interface ClientsOptions {
  /** Connections at once, 1 or more. */
  readonly maxClients: number;
  /** Whether a connection may not be closed to make room. */
  readonly serves: (connection: Socket) => boolean;
  /** Closes the connection that must go: the new one where all others are at work, else one that was `idle`. */
  readonly onFull: (connection: Socket, idle: boolean) => void;
}

/** Who is connected to a server. */
export interface Clients {
  /** Whether a response is being made on this connection. */
  awaits(connection: Socket): boolean;
}

/**
 * Bounds the connections of a server. Where there are too many, the one gives way that sent no request for the longest time: a stranger
 * who opens all of them and holds them keeps nobody out, as a plain limit would. Throws ERR_OPTION when called with a limit that cannot be.
 */
export function boundClients(server: Server, { maxClients, serves, onFull }: ClientsOptions): Clients {
  if (!(maxClients >= 1)) throw new OptionError('maxClients must be 1 or more', { maxClients });
  /** Longest without a request first; with the response to the last one. */
  const open = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (connection: Socket) => {
    open.set(connection, undefined);
    connection.once('close', () => open.delete(connection));
    if (open.size <= maxClients) return;
    const [oldest = connection] = [...open.keys()].filter((each) => !serves(each));
    // It counts no longer, though closing takes another turn.
    open.delete(oldest);
    onFull(oldest, oldest !== connection);
  });
  server.on('request', ({ socket }, response) => {
    if (open.delete(socket)) open.set(socket, response);
  });
  return {
    awaits(connection) {
      // Responses leave in the order of their requests: the last one stands for all.
      const response = open.get(connection);
      return response !== undefined && !response.writableFinished;
    },
  };
}
