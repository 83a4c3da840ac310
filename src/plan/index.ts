export {
  type CostModel,
  createCostModel,
  decodeMs,
  priorSpeeds,
  type Speeds,
  type Work,
  wallMs,
} from './cost-model.js';
export { lossBetween, lossHeld } from './fill.js';
export { bisectionOrder, type Gop, splitIntoGops, splitIntoShots } from './gops.js';
export { type PartialBytesOptions, partialBytes } from './partial-bytes.js';
export {
  createPlanner,
  FIXED_STRIDE,
  type Moment,
  type PlannedVisit,
  type Planner,
  type PlannerOptions,
} from './planner.js';
export { type SimulatedVisit, type SimulateOptions, type Simulation, simulate } from './simulate.js';
export { mostMissedFirst, type Shot, spreadOver } from './spread.js';
