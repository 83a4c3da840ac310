import { catchError, defer, finalize, from, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import type { ClassThresholds } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { isDisturbed, outcomeOf, reportLine, wireFacts } from '../challenge/report.js';
import { createFrameWriter, previewFrame } from '../questions/football/index.js';
import type { Answerer, AnswererEvent, EncodedAnswer } from '../server/index.js';
import type { Engine, EngineEvent, FinishedAnswer } from './engine.js';

type FindingsEvent = Extract<EngineEvent, { readonly type: 'findings' }>;

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
          if (event.type === 'answer') {
            onAnswer?.(event.answer);
            return of({ type: 'answer', answer: encoded(event.answer) });
          }
          const frames = () => wireFrames(event, engine.runner.thresholds);
          if (earlyFlush && event.first) return of({ type: 'first', read: () => frames()[0] ?? '' });
          const { measured, clip } = event;
          return of({
            type: 'progress',
            read: () => ({ framesMeasured: measured, framesTotal: clip.frameCount ?? 0, frames: frames() }),
          });
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

/** What was just seen, frame by frame, before it is part of an answer. */
function wireFrames({ findings, clip }: FindingsEvent, thresholds: ClassThresholds): string[] {
  const write = createFrameWriter(clip);
  return findings.map((finding) => write(previewFrame(finding, thresholds)));
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
