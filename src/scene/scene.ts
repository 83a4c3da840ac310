import type { Answer, AnswerFrame, Finding, Provenance } from './answer.js';
import { associate, type Links, speedsFrom } from './associate.js';
import { PictureSpace } from './camera.js';
import { steadyCamera } from './camera-track.js';
import { curvesOf } from './curves.js';
import { type CutHints, cutFrame, cutOdds } from './cuts.js';
import { fillStretch, partsOf } from './fill.js';
import { certainKeyPoints, NO_KEY_POINTS } from './key-points.js';
import { placesOf } from './places.js';
import { createSample, type Sample } from './sample.js';
import type { Station } from './tracklets.js';
import { buildTracks } from './tracks.js';

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

/** Opens an empty scene; see `Scene`. */
export function createScene(options: SceneOptions): Scene {
  const { width, height, skipPitch = false, confThreshold = 0.45 } = options;
  const space = new PictureSpace(width, height);
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
      const timeOf = (n: number) => (clip.framePtsUs ? clip.framePtsUs[n] / 1e6 : n / (clip.fps ?? 25));
      const samples = [...findings.values()]
        .sort((a, b) => a.index - b.index)
        .map((f) => createSample(f, space, timeOf(f.index), skipPitch));
      const frameCount = clip.frameCount ?? (samples.at(-1)?.index ?? -1) + 1;
      const hints: CutHints = { keyframes: clip.keyframes ?? [], frameBytes: clip.frameBytes ?? [] };
      const frames: AnswerFrame[] = [];
      let shot: Sample[] = [];
      let start = 0;
      const close = (end: number) => {
        const stations: Station[] = [];
        shot.forEach((sample, k) => {
          const camera = steadyCamera(shot, k, space);
          if (!camera) return;
          stations.push({
            index: sample.index,
            timeS: sample.timeS,
            revision: sample.index,
            sample,
            camera,
            certain: certainKeyPoints(camera, space),
            bodies: sample.persons,
            places: placesOf(sample.persons, camera),
            balls: { timeS: sample.timeS, bodies: sample.balls, places: placesOf(sample.balls, camera) },
          });
        });
        let links: (Links | undefined)[] = [];
        for (let pass = 0; pass < 3; pass++) {
          links = stations.slice(1).map((b, k) => {
            const a = stations[k];
            const p = links[k - 1];
            const q = links[k + 1];
            return associate(a, b, {
              confThreshold,
              speedBefore: p && speedsFrom(a, stations[k - 1], p.previous),
              speedBehind: q && speedsFrom(b, stations[k + 2], q.next),
            });
          });
        }
        const curves = stations.length
          ? curvesOf(stations, buildTracks(stations, links, space), { confThreshold, space })
          : [];
        const parts = partsOf(curves, stations.length);
        for (let k = -1; k < stations.length; k++) {
          const first = k < 0 ? start : stations[k].index;
          const to = stations[k + 1];
          frames.push(
            ...fillStretch(
              {
                before: stations[k - 1],
                from: stations[k],
                to,
                after: stations[k + 2],
                parts: parts[k + 1],
                first,
                end: to ? to.index : end,
              },
              space,
              timeOf,
            ),
          );
        }
        start = end;
        shot = [];
      };
      samples.forEach((sample, k) => {
        const before = samples[k - 1];
        if (before && cutOdds(before, sample, space, hints) > 0) close(cutFrame(before.index, sample.index, hints));
        shot.push(sample);
      });
      close(frameCount);
      const counts: Record<Provenance, number> = { measured: 0, tracked: 0, interpolated: 0, held: 0 };
      for (const frame of frames) counts[frame.source]++;
      while (frames.length < frameCount)
        frames.push({ index: frames.length, source: 'held', keyPoints: NO_KEY_POINTS, objects: [] });
      return { width, height, frames, counts };
    },
  };
}
