import type { ClassId } from '../../../models/index.js';
import { PITCH_LENGTH_M, PITCH_WIDTH_M } from '../../questions/football/index.js';
import type { Random } from './random.js';

export type Part = 'keeper' | 'outfield' | 'referee' | 'assistant';

/** One person of the match: who they are; nothing here changes while they run. */
export interface Person {
  /** Stable over the clip; the ball is 0. */
  readonly id: number;
  readonly classId: ClassId;
  readonly part: Part;
  /** 0 attacks to the right, 1 to the left, 2 are the officials. */
  readonly side: 0 | 1 | 2;
  /** Place in the formation as fractions: from the own goal to the opponent's, from the far touchline to the near one. */
  readonly post: readonly [forward: number, across: number];
  readonly heightM: number;
  /** Shoulder width relative to the average. */
  readonly build: number;
  readonly topSpeedMs: number;
}

const FORMATIONS: readonly (readonly (readonly [number, number])[])[] = [
  [
    [0.18, 0.12],
    [0.13, 0.37],
    [0.13, 0.63],
    [0.18, 0.88],
    [0.46, 0.1],
    [0.4, 0.37],
    [0.4, 0.63],
    [0.46, 0.9],
    [0.72, 0.4],
    [0.68, 0.62],
  ],
  [
    [0.2, 0.1],
    [0.13, 0.36],
    [0.13, 0.64],
    [0.2, 0.9],
    [0.36, 0.5],
    [0.46, 0.3],
    [0.46, 0.7],
    [0.7, 0.14],
    [0.74, 0.5],
    [0.7, 0.86],
  ],
];

/** Two teams of eleven, a referee and two assistants. */
export function castMatch(random: Random): readonly Person[] {
  const people: Person[] = [];
  const add = (part: Part, side: 0 | 1 | 2, post: readonly [number, number]): void => {
    people.push({
      id: people.length + 1,
      classId: part === 'keeper' ? 1 : part === 'outfield' ? 2 : 3,
      part,
      side,
      post,
      heightM: Math.min(1.96, Math.max(1.7, random.gaussian() * 0.06 + (part === 'keeper' ? 1.9 : 1.82))),
      build: random.between(0.94, 1.08),
      topSpeedMs: part === 'outfield' ? random.between(7.2, 8) : part === 'keeper' ? 6 : 6.5,
    });
  };
  for (const side of [0, 1] as const) {
    add('keeper', side, [0.03, 0.5]);
    for (const post of random.pick(FORMATIONS)) add('outfield', side, post);
  }
  add('referee', 2, [0.5, 0.5]);
  add('assistant', 2, [0.75, 0]);
  add('assistant', 2, [0.25, 1]);
  return people;
}

/** Mirrors a length for the team that attacks to the left. */
export const forSide = (side: 0 | 1 | 2, xM: number): number => (side === 1 ? PITCH_LENGTH_M - xM : xM);

/** Where a person belongs while the ball is at [`ballX`, `ballY`]: formations slide and breathe with the ball. */
export function stationOf(person: Person, ballX: number, ballY: number, attacking: boolean): readonly [number, number] {
  const ball = forSide(person.side, ballX);
  const middle = PITCH_WIDTH_M / 2;
  const [forward, across] = person.post;
  switch (person.part) {
    case 'keeper': {
      const out = 2.5 + Math.max(0, ball - 45) * 0.16;
      return [forSide(person.side, out), middle + (ballY - middle) * 0.12];
    }
    case 'outfield': {
      const x = 8 + forward * 66 + (ball - PITCH_LENGTH_M / 2) * 0.52 + (attacking ? 5 : -3);
      const width = attacking ? 56 : 42;
      const y = middle + (across - 0.5) * width + (ballY - middle) * 0.36;
      return [forSide(person.side, Math.min(99, Math.max(5, x))), Math.min(66, Math.max(2, y))];
    }
    case 'referee':
      return [Math.min(92, Math.max(13, ballX - 9)), Math.min(58, Math.max(10, ballY + (ballY > middle ? -9 : 9)))];
    case 'assistant': {
      const right = forward > 0.5;
      const x = right ? Math.max(54, Math.min(103, ballX + 8)) : Math.min(51, Math.max(2, ballX - 8));
      return [x, right ? -0.9 : PITCH_WIDTH_M + 0.9];
    }
  }
}
