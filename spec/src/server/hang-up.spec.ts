import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Subject } from 'rxjs';
import { untilHangUp } from '../../../src/server/hang-up.js';

describe('untilHangUp', () => {
  const begin = () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const source$ = new Subject<string>();
    const seen: string[] = [];
    const subscription = source$.pipe(untilHangUp(response)).subscribe({
      next: (value) => seen.push(value),
      error: ({ code }: { code: string }) => seen.push(code),
      complete: () => seen.push('complete'),
    });
    return { response, source$, seen, subscription };
  };

  it('passes everything on while the caller is there', () => {
    const { source$, seen, response } = begin();
    source$.next('a');
    source$.complete();
    response.emit('close');
    assert.deepEqual(seen, ['a', 'complete']);
  });
  it('unsubscribes in the tick in which the caller leaves', () => {
    const { source$, seen, response } = begin();
    response.emit('close');
    assert.equal(source$.observed, false);
    assert.deepEqual(seen, ['ERR_ABORTED']);
  });
  it('does not even start for a caller that is gone', () => {
    const { response } = begin();
    response.destroy();
    const source$ = new Subject<string>();
    source$.pipe(untilHangUp(response)).subscribe({ error: () => undefined });
    assert.equal(source$.observed, false);
  });
  it('leaves no listener behind', () => {
    const { response, subscription } = begin();
    subscription.unsubscribe();
    assert.equal(response.listenerCount('close'), 0);
  });
});
