import type { Stance } from './locomotion.js';
import type { Person } from './match-cast.js';

export type Material = 'skin' | 'hair' | 'shirt' | 'shorts' | 'socks' | 'boots' | 'hands';
export type Point3 = readonly [xM: number, yM: number, zM: number];

/** A rounded stick: the hull of two balls of `radiusM`. Bodies are made of these. */
export interface Limb {
  readonly from: Point3;
  readonly to: Point3;
  readonly radiusM: number;
  readonly material: Material;
}

// Proportions of a 1.82 m man in metres (chosen after common anthropometric tables).
const THIGH = 0.45;
const SHANK = 0.43;
const FOOT = 0.2;
const UPPER_ARM = 0.29;
const FOREARM = 0.26;
const TRUNK = 0.52;
const ANKLE_HEIGHT = 0.07;

/** Turns body coordinates (forward, left, up, metres of a 1.82 m man) into the world. */
const placer = (person: Person, stance: Stance): ((forward: number, left: number, up: number) => Point3) => {
  const size = person.heightM / 1.82;
  const [cos, sin] = [Math.cos(stance.headingRad) * size, Math.sin(stance.headingRad) * size];
  return (forward, left, up) => [
    stance.xM + forward * cos - left * sin * person.build,
    stance.yM + forward * sin + left * cos * person.build,
    Math.max(0, up * size),
  ];
};

/**
 * The body of a person as limbs in metres: standing, walking or running by speed and stride phase. The lower foot
 * touches the ground.
 */
export function skeletonOf(person: Person, stance: Stance): readonly Limb[] {
  const speed = stance.speedMs;
  const swing = Math.min(1, speed * 0.5) * Math.min(0.95, 0.22 + 0.105 * speed);
  const fold = Math.min(1.75, 0.2 + 0.24 * speed) * Math.min(1, speed);
  const lean = 0.03 + 0.028 * speed;
  const legs = ([1, -1] as const).map((side) => {
    const phase = stance.strideRad + (side === 1 ? 0 : Math.PI);
    const thigh = swing * Math.sin(phase) + fold * 0.12;
    const shank = thigh - 0.1 - fold * Math.max(0, Math.cos(phase - 0.35));
    const knee = [Math.sin(thigh) * THIGH, -Math.cos(thigh) * THIGH] as const;
    const ankle = [knee[0] + Math.sin(shank) * SHANK, knee[1] - Math.cos(shank) * SHANK] as const;
    const pointed = Math.min(0.9, Math.max(0, -shank));
    return {
      side,
      knee,
      ankle,
      toe: [ankle[0] + Math.cos(pointed) * FOOT, ankle[1] - Math.sin(pointed) * FOOT - 0.02] as const,
    };
  });
  const hip = ANKLE_HEIGHT - Math.min(...legs.map((leg) => Math.min(leg.ankle[1], leg.toe[1] + ANKLE_HEIGHT - 0.03)));
  const put = placer(person, stance);
  const limbs: Limb[] = [];
  const add = (from: Point3, to: Point3, radius: number, material: Material): void => {
    limbs.push({ from, to, radiusM: (radius * person.heightM) / 1.82, material });
  };
  const spread = person.part === 'keeper' && speed < 2 ? 0.09 : 0.02;
  for (const { side, knee, ankle, toe } of legs) {
    const [atHip, atKnee, atAnkle] = [0.095 * side, (0.1 + spread) * side, (0.1 + 2 * spread) * side];
    const hipPoint = put(0, atHip, hip);
    const kneePoint = put(knee[0], atKnee, hip + knee[1]);
    const anklePoint = put(ankle[0], atAnkle, hip + ankle[1]);
    const share = 0.62;
    const hem = put(knee[0] * share, atHip + (atKnee - atHip) * share, hip + knee[1] * share);
    add(hem, kneePoint, 0.07, 'skin');
    add(hipPoint, hem, 0.105, 'shorts');
    add(kneePoint, anklePoint, 0.058, 'socks');
    add(anklePoint, put(toe[0], atAnkle, hip + toe[1]), 0.045, 'boots');
  }
  const [shoulderForward, shoulderUp] = [Math.sin(lean) * TRUNK, hip + Math.cos(lean) * TRUNK];
  for (const side of [1, -1] as const) {
    add(put(0, 0.08 * side, hip + 0.04), put(shoulderForward, 0.135 * side, shoulderUp - 0.07), 0.115, 'shirt');
    const arm = -swing * 0.95 * Math.sin(stance.strideRad + (side === 1 ? 0 : Math.PI)) + lean * 0.5;
    const bend = Math.min(1.5, 0.25 + 0.22 * speed) + (person.part === 'keeper' ? 0.5 : 0);
    const elbow = [shoulderForward + Math.sin(arm) * UPPER_ARM, shoulderUp - Math.cos(arm) * UPPER_ARM] as const;
    const hand = [elbow[0] + Math.sin(arm + bend) * FOREARM, elbow[1] - Math.cos(arm + bend) * FOREARM] as const;
    const shoulder = put(shoulderForward, 0.19 * side, shoulderUp - 0.03);
    const elbowPoint = put(elbow[0], 0.27 * side, elbow[1]);
    const handPoint = put(hand[0], 0.25 * side, hand[1]);
    add(shoulder, elbowPoint, 0.062, 'shirt');
    add(elbowPoint, handPoint, 0.042, person.part === 'keeper' ? 'shirt' : 'skin');
    add(handPoint, handPoint, person.part === 'keeper' ? 0.07 : 0.045, 'hands');
  }
  const head = [shoulderForward + Math.sin(lean) * 0.22, shoulderUp + 0.205] as const;
  add(put(shoulderForward, 0, shoulderUp), put(head[0], 0, head[1]), 0.06, 'skin');
  add(put(head[0] + 0.01, 0, head[1] - 0.03), put(head[0] + 0.01, 0, head[1] + 0.02), 0.092, 'skin');
  add(put(head[0] - 0.025, 0, head[1] + 0.035), put(head[0] - 0.01, 0, head[1] + 0.05), 0.092, 'hair');
  return limbs;
}
