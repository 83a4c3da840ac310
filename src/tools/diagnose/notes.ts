import type { Measurements, Verdict } from './schema.js';
import type { Settings } from './settings.js';
import { showBytes, showMs } from './units.js';

type Note = Verdict['notes'][number];

/** Peculiarities of server, clip and machine that cost something, whichever cost is the largest. */
export function notesOn(measured: Measurements, settings: Settings): Note[] {
  return [...serverNotes(measured, settings), ...clipNotes(measured), ...machineNotes(measured)];
}

function* serverNotes({ server }: Measurements, { keepAliveS }: Settings): Generator<Note> {
  if (!server) return;
  if (!server.acceptsRanges)
    yield {
      code: 'no-range',
      text: 'the server ignores Range: nothing can be skipped, the file is read in order and once',
    };
  if (server.httpVersion === '1.1')
    yield {
      code: 'no-http2',
      text: 'the server does not speak HTTP/2: ranges in parallel need a connection each',
    };
  if (server.tlsVersion !== undefined && server.tlsVersion < 'TLSv1.3')
    yield { code: 'old-tls', text: `${server.tlsVersion}: a handshake takes one round trip more than with TLSv1.3` };
  if (server.redirects > 0)
    yield {
      code: 'redirects',
      text: `${server.redirects} redirects before the file: each costs a request, maybe a set-up`,
    };
  const { announcedS, idleS, closed } = server.keepAlive;
  const lastsS = closed ? idleS : announcedS;
  if (lastsS !== undefined && lastsS < keepAliveS)
    yield {
      code: 'short-keep-alive',
      text: `the server keeps an idle connection for ${lastsS} s, KEEP_ALIVE_S is ${keepAliveS}: the pool dials again`,
      setting: `KEEP_ALIVE_S=${Math.max(1, Math.floor(lastsS))}`,
    };
}

function* clipNotes({ container, server, connection }: Measurements): Generator<Note> {
  if (container?.moov === 'end') {
    const extra = container.warm.medianMs - (connection?.firstByte.warm?.medianMs ?? container.warm.medianMs);
    yield {
      code: 'moov-at-end',
      text: `the index (moov, ${showBytes(container.indexBytes ?? 0)}) lies behind the media data: ${
        server?.acceptsRanges === false
          ? `the whole file comes before it`
          : `one more request, ${showMs(Math.max(0, extra))}`
      }; ffmpeg -movflags +faststart puts it first`,
    };
  }
  if (container?.kind === 'stream')
    yield {
      code: 'no-index',
      text: `${container.format} without an index: the clip is read and decoded from its start, nothing is skipped`,
    };
}

function* machineNotes({ decoders, models }: Measurements): Generator<Note> {
  for (const { name, unavailable } of decoders)
    if (unavailable !== undefined)
      yield {
        code: `no-${name}`,
        text: `${name} does not decode here: ${unavailable}`,
        ...(name === 'ffmpeg' ? { setting: 'FFMPEG_PATH=/path/of/ffmpeg' } : {}),
      };
  for (const reason of models?.passedOver ?? []) yield { code: 'device', text: `not used: ${reason}` };
}
