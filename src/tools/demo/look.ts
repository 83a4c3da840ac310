import type { Person } from './match-cast.js';
import { createRandom, type Random } from './random.js';
import type { Material } from './skeleton.js';

/** Red, green, blue, 0..255. */
export type Colour = readonly [number, number, number];
export type Outfit = Readonly<Record<Material, Colour>>;

/** How one match looks: colours, light and mowing; drawn once from the seed. */
export interface MatchLook {
  /** In the order of the cast. */
  readonly outfits: readonly Outfit[];
  readonly teamColours: readonly [Colour, Colour];
  readonly grass: Colour;
  readonly stripeWidthM: number;
  /** Difference in brightness between two stripes, as a fraction. */
  readonly stripeContrast: number;
  readonly chequered: boolean;
  /** Ground metres that a shadow reaches per metre of height, one entry per light. */
  readonly shadows: readonly (readonly [number, number])[];
  readonly shadowAlpha: number;
  /** How full the stands are, 0..1. */
  readonly attendance: number;
}

interface Kit {
  readonly shirt: Colour;
  readonly shorts: Colour;
  readonly socks: Colour;
}
const WHITE: Colour = [232, 233, 230];
const BLACK: Colour = [26, 27, 32];
const RED: Colour = [186, 28, 36];
const NAVY: Colour = [28, 38, 92];
const BLUE: Colour = [38, 84, 186];
const YELLOW: Colour = [236, 208, 46];

/** Kit pairs that broadcasters would accept: one light, one dark. */
const PAIRINGS: readonly (readonly [Kit, Kit])[] = [
  [
    { shirt: WHITE, shorts: WHITE, socks: WHITE },
    { shirt: RED, shorts: BLACK, socks: BLACK },
  ],
  [
    { shirt: YELLOW, shorts: BLACK, socks: YELLOW },
    { shirt: WHITE, shorts: RED, socks: WHITE },
  ],
  [
    { shirt: WHITE, shorts: BLACK, socks: WHITE },
    { shirt: BLUE, shorts: BLUE, socks: BLUE },
  ],
  [
    { shirt: RED, shorts: WHITE, socks: RED },
    { shirt: NAVY, shorts: NAVY, socks: NAVY },
  ],
  [
    { shirt: YELLOW, shorts: BLUE, socks: WHITE },
    { shirt: BLACK, shorts: BLACK, socks: BLACK },
  ],
];
const KEEPERS: readonly Colour[] = [
  [232, 112, 28],
  [214, 60, 150],
  [96, 196, 226],
  [128, 60, 170],
];
const OFFICIALS: readonly Colour[] = [BLACK, [64, 190, 200], [232, 232, 60]];
const SKINS: readonly Colour[] = [
  [222, 172, 138],
  [206, 154, 122],
  [168, 116, 86],
  [112, 74, 54],
];
const HAIRS: readonly Colour[] = [
  [34, 26, 22],
  [62, 42, 28],
  [120, 88, 50],
  [20, 18, 18],
];

function outfit(kit: Kit, random: Random, hands?: Colour): Outfit {
  const skin = random.pick(SKINS);
  return {
    ...kit,
    skin,
    hair: random.pick(HAIRS),
    hands: hands ?? skin,
    boots: random.pick<Colour>([
      [30, 30, 34],
      [230, 230, 226],
      [222, 92, 40],
      [60, 200, 120],
    ]),
  };
}

export function lookOf(seed: number, people: readonly Person[]): MatchLook {
  const random = createRandom(seed, 3);
  const pair = random.pick(PAIRINGS);
  const swap = random.next() < 0.5;
  const teams: readonly [Kit, Kit] = swap ? [pair[1], pair[0]] : pair;
  const firstKeeper = random.below(KEEPERS.length);
  const official = random.pick(OFFICIALS.filter((c) => teams.every((kit) => distance(kit.shirt, c) > 90)));
  const outfits = people.map((person) => {
    if (person.side === 2) return outfit({ shirt: official, shorts: BLACK, socks: BLACK }, random);
    if (person.part !== 'keeper') return outfit(teams[person.side], random);
    const colour = KEEPERS[(firstKeeper + person.side) % KEEPERS.length] ?? YELLOW;
    return outfit({ shirt: colour, shorts: colour, socks: colour }, random, WHITE);
  });
  const sunny = random.next() < 0.5;
  const [east, length] = [random.between(-1, 1), random.between(0.5, 1.1)];
  const green = random.between(-8, 10);
  return {
    outfits,
    teamColours: [teams[0].shirt, teams[1].shirt],
    grass: sunny ? [70 + green, 128 + green, 48] : [58 + green, 112 + green, 42],
    stripeWidthM: random.pick([5.25, 5.5, 5.83]),
    stripeContrast: random.between(0.07, 0.15),
    chequered: random.next() < 0.25,
    shadows: sunny
      ? [[east * length, -0.6 * length]]
      : [
          [0.5, 0.4],
          [-0.5, 0.4],
          [0.5, -0.4],
          [-0.5, -0.4],
        ],
    shadowAlpha: sunny ? 0.42 : 0.13,
    attendance: random.between(0.72, 0.96),
  };
}

const distance = (a: Colour, b: Colour): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
