export type {
  BoxXyxyPx,
  ClassId,
  Detection,
  KeyPoint,
  ModelInput,
  ModelPicture,
  ModelRunner,
  PictureFinding,
} from './contract.js';
