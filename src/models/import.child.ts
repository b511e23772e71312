/** The process in which an ONNX file from anywhere is looked at and tried: see `import.ts`. */
import { answerOnce } from '../threads/answer.ts';
import { type AnalysisTask, analyse } from './import-analysis.ts';

answerOnce((task) => analyse(task as AnalysisTask));
