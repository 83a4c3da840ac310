import { catchError, defer, EMPTY, finalize, from, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import { isDisturbed, outcomeOf, reportLine, wireFacts } from '../challenge/report.js';
import { type Answer, createFrameWriter } from '../questions/football/index.js';
import type { Answerer, AnswererEvent, EncodedAnswer, Progress } from '../server/index.js';
import type { Engine, FinishedAnswer } from './engine.js';

export interface EngineAnswererOptions {
  /** False: the first finding is a refinement like the others (`EARLY_FLUSH_FIRST_FRAME=0`). */
  readonly earlyFlush: boolean;
  /** Told of every answer that the engine made. */
  readonly onAnswer?: (finished: FinishedAnswer) => void;
}

/** The engine as the server wants it: wire texts instead of findings, and whether a kept answer still holds. */
export function engineAnswerer(engine: Engine, { earlyFlush, onAnswer }: EngineAnswererOptions): Answerer {
  return {
    answer: ({ videoUrl, receivedAtMs }) =>
      engine.answer({ target: videoUrl, requestedAtMs: receivedAtMs }).pipe(
        mergeMap((event): Observable<AnswererEvent> => {
          if (event.type === 'clip') return EMPTY;
          if (event.type === 'answer') {
            onAnswer?.(event.answer);
            return of({ type: 'answer', answer: encoded(event.answer) });
          }
          const { first, findings, snapshot } = event;
          const indexes = findings.map(({ index }) => index);
          if (earlyFlush && first) return of({ type: 'first', read: () => wireFrames(snapshot(), indexes)[0] ?? '' });
          return of({ type: 'progress', read: () => progress(snapshot(), indexes) });
        }),
      ),
    isCurrent: (videoUrl, version) =>
      defer(() => {
        const leave = new AbortController();
        return from(engine.versionOf(videoUrl, leave.signal)).pipe(
          map((now) => now === version),
          // Who cannot be reached has said nothing; who says that the file is gone has.
          catchError((error) => (mayPass(error) ? throwError(() => error) : of(false))),
          finalize(() => leave.abort()),
        );
      }),
  };
}

const mayPass = (error: unknown): boolean => error instanceof TikitakaError && error.retryable;

function progress(answer: Answer, indexes: readonly number[]): Progress {
  return {
    framesMeasured: answer.counts.measured,
    framesTotal: answer.frames.length,
    frames: wireFrames(answer, indexes),
  };
}

function wireFrames(answer: Answer, indexes: readonly number[]): string[] {
  const write = createFrameWriter(answer);
  return indexes.flatMap((index) => {
    const frame = answer.frames[index];
    return frame ? [write(frame)] : [];
  });
}

/** Everything behind the head that differs from caller to caller; see `EncodedAnswer`. */
function encoded(finished: FinishedAnswer): EncodedAnswer {
  const body = finished.body(wireFacts(finished.report));
  const { version, report, compressed } = finished;
  return {
    tail: body.subarray(1),
    onCompressed: compressed,
    disturbed: isDisturbed(report),
    report: { outcome: outcomeOf(report), text: reportLine(report), figures: report },
    ...(version === undefined ? {} : { version }),
  };
}
