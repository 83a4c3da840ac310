import type { ClassThresholds } from '../../../models/index.js';
import type { ClipFrames, Provenance } from '../../challenge/index.js';
import type { Answer, AnswerFrame, Finding } from './answer.js';
import { PictureSpace } from './camera.js';
import { type CutHints, cutFrame, cutOdds } from './cuts.js';
import { Memo } from './memo.js';
import { FramePacker } from './packed-frame.js';
import { createSample, type Sample, type SampleOptions } from './sample.js';
import { ShotFiller } from './shot.js';

export interface SceneOptions extends ClipFrames {
  /** Size of the original picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** False: every sample stands alone, the frames between hold the nearest one. Default true. */
  readonly tracking?: boolean;
  /** True: no key points in the answer, tracks in picture coordinates. Default false. */
  readonly skipPitch?: boolean;
  /** Nobody is shown without a box above the threshold of its class; weaker ones confirm his track. The model knows its own (`ModelSet.thresholds`). 0..1, 1 = nothing; default 0.4 each (chosen). */
  readonly thresholds?: ClassThresholds;
}

/**
 * The clip as far as it is understood: findings in, whole-clip answers out. The answer depends on the set of findings alone,
 * not on their order or grouping. A new finding costs its neighbourhood; the rest is kept.
 */
export interface Scene {
  /** Samples added so far. */
  readonly sampleCount: number;
  /** Takes findings in any order; a second finding for a frame replaces the first. Cheap: the work is done by `refresh` or `snapshot`. */
  add(findings: readonly Finding[]): void;
  /** Completes or corrects what is known of the clip. */
  setClip(clip: ClipFrames): void;
  /** Works off what `add` left until `isPaused` says so (asked after every fraction of a millisecond of work); true = nothing is left to do. */
  refresh(isPaused: () => boolean): boolean;
  /** The last answer that was complete, maybe without the newest findings: what there is when no time is left. */
  readonly latest: Answer | undefined;
  /** Whole-clip answer from all findings. Frames that did not change since the last snapshot are the same objects. */
  snapshot(): Answer;
}

const USUAL_THRESHOLDS: ClassThresholds = { ball: 0.4, goalkeeper: 0.4, player: 0.4, referee: 0.4 };

/** Opens an empty scene; see `Scene`. */
export function createScene(options: SceneOptions): Scene {
  return new FootballScene(options);
}

class FootballScene implements Scene {
  private readonly space: PictureSpace;
  private readonly looks: SampleOptions;
  /** Not looked at yet, by frame number. */
  private readonly findings = new Map<number, Finding>();
  private clip: ClipFrames;
  private readonly samples = new Map<number, Sample>();
  private readonly cuts = new Memo<number>();
  private readonly filler: ShotFiller;
  /** Work in progress on what `add` brought; undefined = none. */
  private work: Generator<undefined, Answer> | undefined;
  private answer: Answer | undefined;
  latest: Answer | undefined;
  private readonly unseen = new Memo<AnswerFrame>();

  constructor(private readonly options: SceneOptions) {
    const { width, height, tracking = true, skipPitch = false, thresholds = USUAL_THRESHOLDS } = options;
    this.clip = options;
    this.space = new PictureSpace(width, height);
    this.looks = { space: this.space, thresholds, skipPitch };
    this.filler = new ShotFiller({ space: this.space, tracking, thresholds });
  }

  get sampleCount(): number {
    return new Set([...this.findings.keys(), ...this.samples.keys()]).size;
  }

  add(findings: readonly Finding[]): void {
    for (const finding of findings) this.findings.set(finding.index, finding);
    this.outdate();
  }

  setClip(clip: ClipFrames): void {
    const changed = Object.entries(clip).some(([name, value]) => this.clip[name as keyof ClipFrames] !== value);
    if (!changed) return;
    this.clip = { ...this.clip, ...clip };
    this.outdate();
  }

  refresh(isPaused: () => boolean): boolean {
    if (this.answer) return true;
    this.work ??= this.understand();
    for (;;) {
      const { done, value } = this.work.next();
      if (done) {
        this.answer = value;
        this.latest = value;
        return true;
      }
      if (isPaused()) return false;
    }
  }

  snapshot(): Answer {
    while (!this.answer) this.refresh(() => false);
    return this.answer;
  }

  private outdate(): void {
    this.work = undefined;
    this.answer = undefined;
  }

  private *understand(): Generator<undefined, Answer> {
    const { clip, space } = this;
    const { width, height } = this.options;
    const { framePtsUs, fps = 25 } = clip;
    const timeOf = (frame: number): number => (framePtsUs?.[frame] ?? (frame * 1e6) / fps) / 1e6;
    const hints: CutHints = { keyframes: clip.keyframes ?? [], frameBytes: clip.frameBytes ?? [] };
    for (const [index, finding] of this.findings) {
      this.samples.set(index, createSample(finding, timeOf(index), this.looks));
      this.findings.delete(index);
      yield;
    }
    const samples = this.samplesBefore(clip.frameCount ?? Number.POSITIVE_INFINITY, timeOf);
    const frameCount = clip.frameCount ?? (samples.at(-1)?.index ?? -1) + 1;
    const frames: AnswerFrame[] = [];
    let shot: Sample[] = [];
    let first = 0;
    for (const [k, sample] of samples.entries()) {
      shot.push(sample);
      const next = samples[k + 1];
      if (next) {
        const { keyframes } = hints;
        const odds = this.cuts.get(pairKey(sample, next), [sample, next, keyframes], () =>
          cutOdds(sample, next, space, hints),
        );
        yield;
        if (odds <= 0) continue;
      }
      const end = next ? cutFrame(sample.index, next.index, hints) : frameCount;
      for (const frame of yield* this.filler.fill({ samples: shot, first, end, timeOf, clip })) frames.push(frame);
      shot = [];
      first = end;
    }
    while (frames.length < frameCount) frames.push(this.nothing(frames.length));
    this.cuts.sweep();
    this.unseen.sweep();
    this.filler.sweep();
    const counts: Record<Provenance, number> = { measured: 0, tracked: 0, interpolated: 0, held: 0 };
    for (const { source } of frames) counts[source]++;
    return { width, height, frames, counts };
  }

  /** The samples below a frame number in ascending order, at the times that are known now. */
  private samplesBefore(end: number, timeOf: (frame: number) => number): readonly Sample[] {
    for (const [index, sample] of this.samples) {
      const timeS = timeOf(index);
      if (timeS !== sample.timeS) this.samples.set(index, { ...sample, timeS });
    }
    return [...this.samples.values()].filter(({ index }) => index < end).sort((a, b) => a.index - b.index);
  }

  /** A frame of a clip of which nothing is known yet. */
  private nothing(index: number): AnswerFrame {
    return this.unseen.get(index, [], () => new FramePacker().take(index, 'held'));
  }
}

function pairKey(a: Sample, b: Sample): number {
  return a.index * 2 ** 21 + b.index;
}
