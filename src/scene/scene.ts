import type { Answer, AnswerFrame, Finding, Provenance } from './answer.js';

/** What is known of the clip; parts may be learnt later (`setClip`). */
export interface SceneClip {
  /** Frames of the clip; undefined = not known yet: the answer then reaches to the last finding. */
  readonly frameCount?: number | undefined;
  /** Presentation time of frame n in µs from the first frame, by frame number. Default: from `fps`. */
  readonly framePtsUs?: ArrayLike<number> | undefined;
  /** Frames per second, used where `framePtsUs` is missing. Default 25. */
  readonly fps?: number | undefined;
  /** Frame numbers of keyframes: where a cut is likely. */
  readonly keyframes?: readonly number[] | undefined;
  /** Coded size of frame n in bytes, by frame number: a cut shows as a frame that outweighs its neighbours. */
  readonly frameBytes?: ArrayLike<number> | undefined;
}

export interface SceneOptions extends SceneClip {
  /** Size of the original picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** False: every sample stands alone, the frames between hold the nearest one. Default true. */
  readonly tracking?: boolean;
  /** True: no key points in the answer, tracks in picture coordinates. Default false. */
  readonly skipPitch?: boolean;
  /** Persons at or above this score stand on their own; weaker ones need a track that confirms them. Range 0..1, default 0.45 (models README: best F1). */
  readonly confThreshold?: number;
}

/** The clip as far as it is understood: findings in, whole-clip answers out. Same set of findings, same answer, whatever the order. */
export interface Scene {
  /** Samples added so far. */
  readonly sampleCount: number;
  /** Takes findings in any order; a second finding for a frame replaces the first. Cheap: the work is done by `refresh` or `snapshot`. */
  add(findings: readonly Finding[]): void;
  /** Completes or corrects what is known of the clip. */
  setClip(clip: SceneClip): void;
  /** Works off what `add` left until `isPaused` says so (asked every millisecond or so of work); true = nothing is left to do. */
  refresh(isPaused: () => boolean): boolean;
  /** Whole-clip answer from all findings. Frames that did not change since the last snapshot are the same objects. */
  snapshot(): Answer;
}

const NO_POINTS: readonly (readonly [number, number])[] = Array.from({ length: 32 }, () => [0, 0] as const);

/** Opens an empty scene; see `Scene`. */
export function createScene(options: SceneOptions): Scene {
  const { width, height, skipPitch = false, confThreshold = 0.45 } = options;
  const findings = new Map<number, Finding>();
  let clip: SceneClip = options;
  return {
    get sampleCount() {
      return findings.size;
    },
    add(more) {
      for (const finding of more) findings.set(finding.index, finding);
    },
    setClip(more) {
      clip = { ...clip, ...more };
    },
    refresh: () => true,
    snapshot(): Answer {
      const known = [...findings.values()].sort((a, b) => a.index - b.index);
      const frameCount = clip.frameCount ?? (known.at(-1)?.index ?? -1) + 1;
      const counts: Record<Provenance, number> = { measured: 0, tracked: 0, interpolated: 0, held: 0 };
      const frames: AnswerFrame[] = [];
      let at = 0;
      for (let index = 0; index < frameCount; index++) {
        while (
          at + 1 < known.length &&
          Math.abs((known[at + 1]?.index ?? 0) - index) < Math.abs((known[at]?.index ?? 0) - index)
        )
          at++;
        const near = known[at];
        const source: Provenance = near?.index === index ? 'measured' : 'held';
        counts[source]++;
        frames.push({
          index,
          source,
          keyPoints:
            skipPitch || !near
              ? NO_POINTS
              : NO_POINTS.map((none, k) => {
                  const point = near.keyPoints[k];
                  return point && point.score >= 0.35 ? ([point.xPx, point.yPx] as const) : none;
                }),
          objects: (near?.detections ?? [])
            .filter((d) => d.score >= confThreshold)
            .map((d, id) => ({ id, classId: d.classId, boxXyxyPx: d.boxXyxyPx, source, score: d.score })),
        });
      }
      return { width, height, frames, counts };
    },
  };
}
