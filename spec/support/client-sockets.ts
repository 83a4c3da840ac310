import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const sockets = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return;
  const socket = message.socket as Socket;
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

/**
 * Client sockets of this process that are open, to a given port. (A server is no witness: one that waits for its own
 * writes does not read, and so does not see that the client has gone.)
 */
export function openClientSockets(port: number): number {
  return [...sockets].filter(({ remotePort, destroyed }) => remotePort === port && !destroyed).length;
}
