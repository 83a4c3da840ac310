import type { ClassId } from '../../../models/index.js';
import { PITCH_LENGTH_M, PITCH_WIDTH_M } from './pitch.js';
import type { Bodies } from './sample.js';
import type { Station } from './tracklets.js';
import type { Track } from './tracks.js';

/** What a track as a whole says about its person. */
export interface TrackRole {
  readonly track: Track;
  readonly classId: ClassId;
  /** P(goalkeeper), P(player), P(referee) after the vote. */
  readonly votes: readonly [number, number, number];
}

/** How near to a goal line a keeper mostly stays, m. */
const KEEPER_REACH_M = 22;

/**
 * Gives each person one class for the whole shot: the samples vote with their scores, the place on the pitch speaks for keepers
 * (near a goal) and assistant referees (on a touch line), and of several keepers at one goal only the likeliest stays one.
 */
export function assignRoles(shot: readonly Station[], tracks: readonly Track[]): readonly TrackRole[] {
  const voted = tracks.map((track) => ({ track, votes: vote(shot, track) }));
  const certainty = ({ track, votes }: { readonly track: Track; readonly votes: TrackRole['votes'] }): number =>
    votes[0] * track.samples.reduce((sum, k, n) => sum + shot[k].bodies.score[track.bodies[n]], 0);
  const keepers = voted.filter(({ votes }) => argmax(votes) === 0).sort((a, b) => certainty(b) - certainty(a));
  const kept: { readonly track: Track; readonly left: boolean }[] = [];
  const refused = new Set<Track>();
  for (const { track } of keepers) {
    const left = meanPlace(shot, track).x < PITCH_LENGTH_M / 2;
    if (kept.some((other) => other.left === left && overlap(other.track, track))) refused.add(track);
    else kept.push({ track, left });
  }
  return voted.map(({ track, votes }) => {
    const fair: readonly [number, number, number] = refused.has(track) ? [0, votes[1], votes[2]] : votes;
    return { track, votes: fair, classId: CLASSES[argmax(fair)] };
  });
}

/** Class of one body by its own scores. */
export function likeliestRole({ roles }: Bodies, i: number): ClassId {
  return CLASSES[argmax([roles[i * 3], roles[i * 3 + 1], roles[i * 3 + 2]])];
}

const CLASSES: readonly ClassId[] = [1, 2, 3];

function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

function overlap(a: Track, b: Track): boolean {
  return a.samples[0] <= b.samples[b.samples.length - 1] && b.samples[0] <= a.samples[a.samples.length - 1];
}

function vote(shot: readonly Station[], track: Track): readonly [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  track.samples.forEach((k, n) => {
    const { score, roles } = shot[k].bodies;
    const i = track.bodies[n];
    for (let r = 0; r < 3; r++) sums[r] += score[i] * roles[i * 3 + r];
  });
  if (shot[track.samples[0]].camera.onPitch) {
    const place = meanPlace(shot, track);
    const fromGoal = Math.min(place.x, PITCH_LENGTH_M - place.x);
    sums[0] *= fromGoal > KEEPER_REACH_M ? 0.2 : Math.abs(place.y - PITCH_WIDTH_M / 2) < 12 ? 1.5 : 1;
    if (place.y < 0.7 || place.y > PITCH_WIDTH_M - 0.7) sums[2] *= 2;
  }
  const all = sums[0] + sums[1] + sums[2];
  return [sums[0] / all, sums[1] / all, sums[2] / all];
}

/** Mean place of a track, metres. */
export function meanPlace(shot: readonly Station[], track: Track): { readonly x: number; readonly y: number } {
  let x = 0;
  let y = 0;
  track.samples.forEach((k, n) => {
    x += shot[k].places.x[track.bodies[n]];
    y += shot[k].places.y[track.bodies[n]];
  });
  return { x: x / track.samples.length, y: y / track.samples.length };
}
