import { PassThrough, type Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import { errorResponse } from './error-response.js';

export type StreamFormat = 'ndjson' | 'sse';

export const streamTypes: Readonly<Record<StreamFormat, string>> = {
  ndjson: 'application/x-ndjson',
  sse: 'text/event-stream',
};

/** One event: its name and its further members as JSON texts or UTF-8 bytes, free of line breaks. */
export interface WireEvent {
  readonly event: 'first' | 'progress' | 'answer';
  readonly members: Readonly<Record<string, string | readonly Uint8Array[]>>;
}

export interface EventStreamOptions {
  readonly format: StreamFormat;
  /** A sign of life after so many ms, so that proxies keep the connection. */
  readonly heartbeatMs: number;
}

/**
 * Writes events to an HTTP body, one line (NDJSON) or one message (SSE) each. Resolves when there is something to send, so that
 * an error before that can still become an HTTP status (rejects with it); an error afterwards becomes a last `error` event.
 * Destroying the body unsubscribes. A slow reader misses `progress` events instead of growing our memory.
 */
export function eventStream(
  events$: Observable<WireEvent>,
  { format, heartbeatMs }: EventStreamOptions,
): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const body = new PassThrough();
    let flowing = true;
    let begun = false;
    const write = (event: string, members: WireEvent['members']) => {
      begun = true;
      if (flowing || event !== 'progress')
        for (const part of encode[format](event, members)) flowing = body.write(part);
      resolve(body);
    };
    const heartbeat = setInterval(() => write('heartbeat', {}), heartbeatMs);
    body.on('drain', () => {
      flowing = true;
    });
    const subscription = events$.subscribe({
      next: ({ event, members }) => write(event, members),
      error: (error: unknown) => {
        clearInterval(heartbeat);
        if (!begun) return reject(error);
        const { status, code, body: told } = errorResponse(error);
        write('error', { status: String(status), detail: JSON.stringify(told.detail), code: JSON.stringify(code) });
        body.end();
      },
      complete: () => {
        clearInterval(heartbeat);
        body.end();
      },
    });
    body.once('close', () => {
      clearInterval(heartbeat);
      subscription.unsubscribe();
    });
  });
}

const encode: Readonly<Record<StreamFormat, (event: string, members: WireEvent['members']) => readonly Uint8Array[]>> =
  {
    ndjson: (event, members) => partsOf(`{"event":"${event}"`, members, '}\n'),
    sse: (event, members) => partsOf(`event: ${event}\ndata: {"event":"${event}"`, members, '}\n\n'),
  };

/** Texts in one piece, bytes as they are: an answer may be tens of megabytes. */
function partsOf(start: string, members: WireEvent['members'], end: string): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let text = start;
  for (const [name, json] of Object.entries(members)) {
    text += `,"${name}":`;
    if (typeof json === 'string') text += json;
    else {
      parts.push(Buffer.from(text));
      for (const piece of json) parts.push(piece);
      text = '';
    }
  }
  parts.push(Buffer.from(text + end));
  return parts;
}
