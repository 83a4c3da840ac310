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
 * (near a goal) and assistant referees (on a touch line), and of several keepers at one goal only the likeliest stays one. A
 * generator, so that the caller may pause between persons.
 */
export function* assignRoles(
  shot: readonly Station[],
  tracks: readonly Track[],
): Generator<undefined, readonly TrackRole[]> {
  const voted: TrackRole[] = [];
  const keepers: Keeper[] = [];
  for (const track of tracks) {
    const votes = vote(shot, track);
    voted.push({ track, votes, classId: CLASSES[argmax(votes)] });
    if (argmax(votes) === 0) {
      const sights = track.samples.reduce((sum, k, n) => sum + shot[k].bodies.score[track.bodies[n]], 0);
      keepers.push({ track, certainty: votes[0] * sights });
    }
    yield;
  }
  const refused = new Set<Track>();
  const [left, right] = [new Shift(), new Shift()];
  for (const { track } of keepers.sort((a, b) => b.certainty - a.certainty)) {
    const goal = meanPlace(shot, track).x < PITCH_LENGTH_M / 2 ? left : right;
    if (!goal.take(track)) refused.add(track);
    yield;
  }
  return voted.map((role) => {
    if (!refused.has(role.track)) return role;
    const votes: TrackRole['votes'] = [0, role.votes[1], role.votes[2]];
    return { track: role.track, votes, classId: CLASSES[argmax(votes)] };
  });
}

interface Keeper {
  readonly track: Track;
  readonly certainty: number;
}

/** Who keeps one goal when: one at a time. */
class Shift {
  /** First and last sample of each who was taken, in the order of time. */
  private readonly first: number[] = [];
  private readonly last: number[] = [];

  /** False where somebody stands there already. */
  take({ samples }: Track): boolean {
    const [first, last] = [samples[0], samples[samples.length - 1]];
    let [low, high] = [0, this.first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.last[middle] < first) low = middle + 1;
      else high = middle;
    }
    if (this.first[low] <= last) return false;
    this.first.splice(low, 0, first);
    this.last.splice(low, 0, last);
    return true;
  }
}

/** Class of one body by its own scores. */
export function likeliestRole({ roles }: Bodies, i: number): ClassId {
  return CLASSES[argmax([roles[i * 3], roles[i * 3 + 1], roles[i * 3 + 2]])];
}

const CLASSES: readonly ClassId[] = [1, 2, 3];

function argmax(values: readonly number[]): number {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)));
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
