import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { createConnections } from '../../../src/net/connections.js';
import type { Dialled } from '../../../src/net/dial.js';

describe('connections', () => {
  it('a socket that opens after the close is destroyed, and nobody gets it', async () => {
    let dialled: (socket: Dialled) => void = () => {};
    const connections = createConnections({
      dial: () =>
        new Promise((resolve) => {
          dialled = resolve;
        }),
      maxConnections: 1,
      maxKeptAlive: 1,
      keepAliveMs: 1000,
      waitMs: 1000,
      onClosed: () => {},
    });
    const acquired = connections.acquire(new URL('http://example.com'), new AbortController().signal);
    await connections.close();
    const socket = new Socket();
    dialled({ socket, httpVersion: '1.1', setUp: { dnsMs: 0, tcpMs: 0, tlsMs: 0 } });
    await assert.rejects(acquired, { code: 'ERR_ABORTED' });
    assert.equal(socket.destroyed, true);
    assert.equal(connections.stats().open, 0);
  });

  it('a request that finds no free place in time is ERR_SOURCE_CONNECT', async () => {
    const connections = createConnections({
      dial: async () => ({ socket: new Socket(), httpVersion: '1.1', setUp: { dnsMs: 0, tcpMs: 0, tlsMs: 0 } }),
      maxConnections: 1,
      maxKeptAlive: 1,
      keepAliveMs: 1000,
      waitMs: 1,
      onClosed: () => {},
    });
    const { signal } = new AbortController();
    const url = new URL('http://example.com');
    const first = await connections.acquire(url, signal);
    await assert.rejects(connections.acquire(url, signal), { code: 'ERR_SOURCE_CONNECT', retryable: true });
    connections.release(first);
    assert.equal(await connections.acquire(url, signal), first);
    await connections.close();
  });
});
