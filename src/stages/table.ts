/** Every stage that is done shard by shard, so that a process that is told a stage's name and a shard can do it. */
import { type StageEntry, stageEntry } from '../jobs/stage-worker.ts';
import { addStage } from './add/add-stage.ts';
import { bandStage, copyStage } from './add/alike-stages.ts';
import { classifyStage } from './classify/classify-stage.ts';
import { predictStage } from './classify/predict-stage.ts';
import { detectStage } from './detect/detect-stage.ts';
import { doubtStage } from './detect/doubt-stage.ts';
import { poseStage } from './detect/pose.ts';
import { segmentStage } from './detect/segment.ts';
import { assignStage } from './discover/assign.ts';
import { sampleStage } from './discover/sample-stage.ts';
import { neighboursStage, restartsStage } from './discover/sample-work.ts';
import { embedStage } from './embed/embed-stage.ts';
import { meanStage } from './embed/mean-stage.ts';
import { cutsStage } from './export/cuts-stage.ts';
import { exportStage } from './export/export-stage.ts';
import { matchStage } from './match/match-stage.ts';
import { labelStage } from './teach/label-stage.ts';
import { pilePredictionStage } from './teach/predict-stage.ts';
import { rowsStage } from './teach/rows-stage.ts';
import { statisticsStage } from './teach/statistics-stage.ts';

export const STAGES: readonly StageEntry[] = [
  stageEntry(addStage),
  stageEntry(bandStage),
  stageEntry(copyStage),
  stageEntry(detectStage),
  stageEntry(doubtStage),
  stageEntry(poseStage),
  stageEntry(segmentStage),
  stageEntry(embedStage),
  stageEntry(meanStage),
  stageEntry(sampleStage),
  stageEntry(neighboursStage),
  stageEntry(restartsStage),
  stageEntry(assignStage),
  stageEntry(matchStage),
  stageEntry(rowsStage),
  stageEntry(statisticsStage),
  stageEntry(pilePredictionStage),
  stageEntry(labelStage),
  stageEntry(classifyStage),
  stageEntry(predictStage),
  stageEntry(cutsStage),
  stageEntry(exportStage),
];
