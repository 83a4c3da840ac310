import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface ClientsOptions {
  /** Connections at once, 1 or more. */
  readonly maxClients: number;
  /** Whether a connection may not be closed to make room. */
  readonly serves: (connection: Socket) => boolean;
  /** Told of a connection that gets no place: everything else is at work. Its is to close it. */
  readonly onFull: (connection: Socket) => void;
}

/** Who is connected to a server. */
export interface Clients {
  readonly count: number;
  /** Whether a response is being made on this connection. */
  awaits(connection: Socket): boolean;
  /** Closes every connection, those too that the server has let go of. */
  closeAll(): void;
}

/**
 * Bounds the connections of a server. Where there are too many, the one gives way that sent no request for the longest time: a stranger
 * who opens all of them and holds them keeps nobody out, as a plain limit would.
 */
export function boundClients(server: Server, { maxClients, serves, onFull }: ClientsOptions): Clients {
  /** Longest without a request first; with the number of responses being made. */
  const open = new Map<Socket, number>();
  const change = (connection: Socket, responses: number) => {
    const before = open.get(connection);
    if (before !== undefined) open.set(connection, before + responses);
  };
  server.on('connection', (connection: Socket) => {
    open.set(connection, 0);
    connection.once('close', () => open.delete(connection));
    if (open.size <= maxClients) return;
    const [oldest = connection] = [...open.keys()].filter((each) => !serves(each));
    // It counts no longer, though closing takes another turn.
    open.delete(oldest);
    if (oldest === connection) onFull(connection);
    else oldest.destroy();
  });
  server.on('request', ({ socket }, response) => {
    const responses = open.get(socket);
    if (responses === undefined) return;
    open.delete(socket);
    open.set(socket, responses + 1);
    response.once('close', () => change(socket, -1));
  });
  return {
    get count() {
      return open.size;
    },
    awaits: (connection) => (open.get(connection) ?? 0) > 0,
    closeAll() {
      for (const connection of open.keys()) connection.destroy();
    },
  };
}
