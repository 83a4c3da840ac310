import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface ShapedLinkOptions {
  /** Port on this machine that the link leads to. */
  readonly targetPort: number;
  /** Round-trip time, ms. Default 60. */
  readonly rttMs?: number;
  /** Rate towards the client, bytes/s, shared by all connections. Default 5e6. */
  readonly bytesPerSecond?: number;
  /** What a new connection waits beyond the round trips of TCP, TLS and HTTP (name look-up, cold balancer, …), ms. Default 2220. */
  readonly setUpMs?: number;
}

export interface ShapedLink {
  readonly port: number;
  close(): Promise<void>;
}

/** Bytes that leave the bottleneck in one go. */
const PIECE_BYTES = 16_384;
/** First congestion window: ten segments of 1448 bytes (RFC 6928). */
const INITIAL_WINDOW_BYTES = 14_480;
/** How far ahead of now the bottleneck may be booked: timers come about that late anyway, ms. */
const BOOK_AHEAD_MS = 8;

/**
 * A TCP proxy that makes a loopback server feel like a CDN: delay, a shared bottleneck with strict order, slow start, and a
 * set-up cost per new connection. With the defaults a cold TLS 1.3 + HTTP/2 request sees its first byte after about 2.42 s, a warm one after
 * 63 ms. Recipe: docs/measurements.md "Shaping a link".
 */
export async function createShapedLink(options: ShapedLinkOptions): Promise<ShapedLink> {
  const { targetPort, rttMs = 60, bytesPerSecond = 5e6, setUpMs = 2220 } = options;
  const bottleneck = { freeAtMs: 0, bytesPerMs: bytesPerSecond / 1000 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
    // The client's own SYN was answered at once by this machine: its round trip is charged here.
    carryUp(client, target, { rttMs, readyAtMs: performance.now() + setUpMs + rttMs });
    carryDown(target, client, { rttMs, bottleneck });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Requests are small: they are delayed, not throttled. */
function carryUp(client: Socket, target: Socket, { rttMs, readyAtMs }: { rttMs: number; readyAtMs: number }) {
  const line = delayLine(client);
  const arrival = () => Math.max(performance.now(), readyAtMs) + rttMs / 2;
  client.on('data', (bytes) => line(arrival(), () => target.write(bytes)));
  client.once('end', () => line(arrival(), () => target.end()));
  client.once('close', () => setTimeout(() => target.destroy(), rttMs / 2).unref());
}

interface DownOptions {
  readonly rttMs: number;
  readonly bottleneck: { freeAtMs: number; readonly bytesPerMs: number };
}

function carryDown(target: Socket, client: Socket, { rttMs, bottleneck }: DownOptions) {
  const line = delayLine(client);
  const bandwidthDelayBytes = bottleneck.bytesPerMs * rttMs;
  const queueBytes = Math.max(262_144, 2 * bandwidthDelayBytes);
  const queue: Buffer[] = [];
  let queued = 0;
  let unacknowledged = 0;
  let window = INITIAL_WINDOW_BYTES;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  function pump() {
    clearTimeout(timer);
    timer = undefined;
    while (!client.destroyed) {
      const [first] = queue;
      if (first === undefined) break;
      if (unacknowledged >= window || client.writableLength > queueBytes) return;
      const aheadMs = bottleneck.freeAtMs - performance.now();
      if (aheadMs > BOOK_AHEAD_MS) {
        timer = setTimeout(pump, aheadMs - BOOK_AHEAD_MS / 2);
        return;
      }
      const piece = first.subarray(0, PIECE_BYTES);
      if (piece.length === first.length) queue.shift();
      else queue[0] = first.subarray(PIECE_BYTES);
      send(piece);
    }
    if (ended) line(bottleneck.freeAtMs + rttMs / 2, () => client.end());
  }

  function send(piece: Buffer) {
    queued -= piece.length;
    unacknowledged += piece.length;
    bottleneck.freeAtMs = Math.max(performance.now(), bottleneck.freeAtMs) + piece.length / bottleneck.bytesPerMs;
    const sentAtMs = bottleneck.freeAtMs;
    line(sentAtMs + rttMs / 2, () => {
      client.write(piece);
      setTimeout(() => acknowledge(piece.length), sentAtMs + rttMs - performance.now());
    });
    if (queued < queueBytes / 2) target.resume();
  }

  /** Slow start: every acknowledged byte lets two more be under way, up to what the path holds. */
  function acknowledge(bytes: number) {
    unacknowledged -= bytes;
    if (window < bandwidthDelayBytes + 65_536) window += bytes;
    pump();
  }

  target.on('data', (bytes) => {
    queue.push(bytes);
    queued += bytes.length;
    if (queued > queueBytes) target.pause();
    if (!timer) pump();
  });
  target.once('end', () => {
    ended = true;
    if (!timer) pump();
  });
  client.on('drain', () => {
    if (!timer) pump();
  });
  client.once('close', () => clearTimeout(timer));
}

/** Runs actions at their times and strictly in order, until `owner` closes. */
function delayLine(owner: Socket) {
  const actions: { readonly atMs: number; readonly act: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const run = () => {
    timer = undefined;
    for (let [next] = actions; next !== undefined; [next] = actions) {
      const waitMs = next.atMs - performance.now();
      if (waitMs > 0.5) {
        timer = setTimeout(run, waitMs);
        return;
      }
      actions.shift();
      next.act();
    }
  };
  owner.once('close', () => {
    clearTimeout(timer);
    actions.length = 0;
  });
  return (atMs: number, act: () => void) => {
    actions.push({ atMs, act });
    if (!timer) run();
  };
}
