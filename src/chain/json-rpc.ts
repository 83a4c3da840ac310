import { Observable, Subject } from 'rxjs';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { nodeName } from './networks.js';

export interface NodeOptions {
  /** `ws://` or `wss://` address of a node's JSON-RPC. */
  readonly url: string;
  /** Longest time until the connection stands, ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest time for one answer, ms. Default 30,000. */
  readonly callTimeoutMs?: number;
}

/** What a node says on its own: `method` and the subscription that it belongs to. */
export interface NodeNotice {
  readonly method: string;
  readonly subscription: string | number;
  readonly result: unknown;
}

/** One standing connection to a node. */
export interface ChainNode {
  /** Calls a method. Errors: ERR_CHAIN_RPC (the node says no), ERR_CHAIN_TIMEOUT, ERR_CHAIN_LOST. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  readonly notices$: Observable<NodeNotice>;
}

/** A metagraph of 256 keys takes 50 KB, metadata 0.4 MB; chosen with room. */
const maxMessageBytes = 32 << 20;

const messageSchema = z.union([
  z.object({
    method: z.string(),
    params: z.object({ subscription: z.union([z.string(), z.number()]), result: z.unknown() }),
  }),
  z.object({
    id: z.int(),
    error: z.object({ code: z.number().optional(), message: z.string(), data: z.unknown().optional() }),
  }),
  z.object({ id: z.int(), result: z.unknown() }),
]);

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: TikitakaError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Cold: subscribing connects and emits the node once the connection stands; unsubscribing cuts it at once. Errors, also after the
 * emission: ERR_CHAIN_CONNECT, ERR_CHAIN_LOST, ERR_CHAIN_ANSWER (what came is not JSON-RPC). Reconnecting is the caller's: `retry`.
 *
 * Why not polkadot's WsProvider: it parses what arrives in the socket's event handler, so that one line of HTML from a proxy ends
 * the whole process (measured with 16.5.6: uncaught SyntaxError).
 */
export function connectNode({
  url,
  connectTimeoutMs = 10_000,
  callTimeoutMs = 30_000,
}: NodeOptions): Observable<ChainNode> {
  if (!/^wss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new OptionError('The address of a node must begin with ws:// or wss://');
  }
  const name = nodeName(url);
  return new Observable<ChainNode>((subscriber) => {
    const socket = new WebSocket(url, { handshakeTimeout: connectTimeoutMs, maxPayload: maxMessageBytes });
    const waiting = new Map<number, Waiting>();
    const notices$ = new Subject<NodeNotice>();
    let nextId = 1;
    let opened = false;

    const settle = (id: number): Waiting | undefined => {
      const entry = waiting.get(id);
      clearTimeout(entry?.timer);
      waiting.delete(id);
      return entry;
    };
    const end = (error: TikitakaError) => {
      for (const id of waiting.keys()) settle(id)?.reject(error);
      subscriber.error(error);
    };
    const node: ChainNode = {
      notices$,
      call: (method, params) =>
        new Promise((resolve, reject) => {
          if (socket.readyState !== WebSocket.OPEN) return reject(lost(name));
          const id = nextId++;
          const timer = setTimeout(() => {
            settle(id)?.reject(
              new TikitakaError('ERR_CHAIN_TIMEOUT', `${name} did not answer ${method} within ${callTimeoutMs} ms`),
            );
          }, callTimeoutMs);
          waiting.set(id, { resolve, reject, timer });
          socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        }),
    };
    subscriber.add(() => {
      for (const id of waiting.keys()) settle(id)?.reject(lost(name));
      socket.terminate();
    });
    socket.on('open', () => {
      opened = true;
      subscriber.next(node);
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = isBinary ? undefined : parse(data.toString());
      if (!message) return end(new TikitakaError('ERR_CHAIN_ANSWER', `${name} sent something that is not JSON-RPC`));
      if ('method' in message)
        return notices$.next({ method: message.method, ...message.params, result: message.params.result });
      const entry = settle(message.id);
      if ('result' in message) entry?.resolve(message.result);
      else entry?.reject(refusal(message.error));
    });
    socket.on('error', (cause) =>
      end(
        opened
          ? lost(name, cause)
          : new TikitakaError('ERR_CHAIN_CONNECT', `${name}: ${cause.message}`, { cause, retryable: true }),
      ),
    );
    socket.on('close', () => end(lost(name)));
  });
}

function parse(text: string): z.infer<typeof messageSchema> | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function refusal({
  code,
  message,
  data,
}: {
  code?: number | undefined;
  message: string;
  data?: unknown;
}): TikitakaError {
  const text = typeof data === 'string' ? `${message}: ${data}` : message;
  return new TikitakaError('ERR_CHAIN_RPC', text, { details: { code } });
}

function lost(node: string, cause?: unknown): TikitakaError {
  return new TikitakaError('ERR_CHAIN_LOST', `The connection to ${node} was lost`, { cause, retryable: true });
}
