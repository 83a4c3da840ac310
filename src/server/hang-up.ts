import type { ServerResponse } from 'node:http';
import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';

/**
 * Passes the source on until the connection of `response` closes before the answer was sent: then it unsubscribes from the
 * source, in the same tick, and errors with ERR_ABORTED.
 */
export function untilHangUp<T>(response: ServerResponse): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((subscriber) => {
      const onClose = () => {
        if (!response.writableFinished) subscriber.error(new TikitakaError('ERR_ABORTED', 'The caller hung up'));
      };
      response.once('close', onClose);
      subscriber.add(() => response.off('close', onClose));
      if (response.destroyed) onClose();
      else source.subscribe(subscriber);
    });
}
