import assert from 'node:assert/strict';
import { NEVER, of, Subject, throwError } from 'rxjs';
import { TikitakaError } from '../../../operators/index.js';
import { eventStream, type WireEvent } from '../../../src/server/event-stream.js';

const quiet = { format: 'ndjson', heartbeatMs: 60_000 } as const;
const first: WireEvent = { event: 'first', members: { frame: '{"n":1}' } };
const answer: WireEvent = { event: 'answer', members: { answer: [Buffer.from('{'), Buffer.from('}')] } };

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('eventStream', () => {
  it('writes one line per event', async () => {
    const body = await eventStream(of(first, answer), quiet);
    assert.equal(await textOf(body), '{"event":"first","frame":{"n":1}}\n{"event":"answer","answer":{}}\n');
  });

  it('writes one message per event', async () => {
    const body = await eventStream(of(answer), { ...quiet, format: 'sse' });
    assert.equal(await textOf(body), 'event: answer\ndata: {"event":"answer","answer":{}}\n\n');
  });

  it('rejects with an error that comes before anything', async () => {
    const failed = new TikitakaError('ERR_DECODE', 'x');
    await assert.rejects(
      eventStream(
        throwError(() => failed),
        quiet,
      ),
      failed,
    );
  });

  it('ends with an error event afterwards, without the text of an unexpected one', async () => {
    const events$ = new Subject<WireEvent>();
    const opening = eventStream(events$, quiet);
    events$.next(first);
    events$.error(new Error('/root/secret'));
    const lines = (await textOf(await opening)).trimEnd().split('\n');
    assert.equal(lines.at(-1), '{"event":"error","status":500,"detail":"Internal Server Error","code":"ERR_INTERNAL"}');
  });

  it('leaves progress out for a reader that does not keep up, and nothing else', async () => {
    const events$ = new Subject<WireEvent>();
    const opening = eventStream(events$, quiet);
    events$.next(first);
    const body = await opening;
    const progress: WireEvent = { event: 'progress', members: { frames: `"${'x'.repeat(10_000)}"` } };
    for (let i = 0; i < 1000; i++) events$.next(progress);
    assert.ok(body.readableLength < 100_000, `${body.readableLength} bytes wait`);
    events$.next(answer);
    events$.complete();
    const lines = (await textOf(body)).trimEnd().split('\n');
    assert.equal(JSON.parse(lines.at(-1) ?? '').event, 'answer');
    assert.ok(lines.length < 20);
  });

  it('unsubscribes when the body is destroyed', async () => {
    const events$ = new Subject<WireEvent>();
    const opening = eventStream(events$, quiet);
    events$.next(first);
    const body = await opening;
    const closed = new Promise((resolve) => body.once('close', resolve));
    body.destroy();
    await closed;
    assert.equal(events$.observed, false);
  });

  it('says that it lives while there is nothing to say', async () => {
    const body = await eventStream(NEVER, { ...quiet, heartbeatMs: 1 });
    assert.equal(body.read()?.toString(), '{"event":"heartbeat"}\n');
    body.destroy();
  });
});
