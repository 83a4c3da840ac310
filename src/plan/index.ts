export {
  type CostModel,
  createCostModel,
  decodeMs,
  priorSpeeds,
  type Speeds,
  type Work,
  wallMs,
} from './cost-model.js';
export { bisectionOrder, type Gop, splitIntoGops } from './gops.js';
export {
  createPlanner,
  FIXED_STRIDE,
  type Moment,
  type PlannedVisit,
  type Planner,
  type PlannerOptions,
} from './planner.js';
