import { connect, type Socket } from 'node:net';

/** A TCP connection that says what it is told to and keeps what comes back. */
export interface RawConnection {
  readonly socket: Socket;
  /** What came back so far, one letter per byte. */
  readonly text: string;
  readonly closed: boolean;
}

/** Raw connections to a port of this machine; `closeAll` after each test. */
export function rawConnections() {
  const sockets: Socket[] = [];
  return {
    open(port: number, first?: string): RawConnection {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      const seen = { socket, text: '', closed: false };
      socket.on('data', (chunk) => {
        seen.text += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        seen.closed = true;
      });
      if (first !== undefined) socket.write(first, 'latin1');
      return seen;
    },
    closeAll() {
      for (const socket of sockets.splice(0)) socket.destroy();
    },
  };
}
