/**
 * What labels, regions and detections name by number (tasks, models, annotators, acceptances, runs) is never deleted, and its
 * numbers come from the same transaction: looking each of them up again for every row was a third of a commit's time. Images
 * and classes, which may go, are still looked up.
 */
export const fewerReferences = `
ALTER TABLE label DROP CONSTRAINT label_task_id_fkey, DROP CONSTRAINT label_model_id_fkey,
  DROP CONSTRAINT label_annotator_id_fkey, DROP CONSTRAINT label_run_key_fkey;
ALTER TABLE region DROP CONSTRAINT region_model_id_fkey, DROP CONSTRAINT region_run_key_fkey;
ALTER TABLE candidate DROP CONSTRAINT candidate_model_id_fkey;
ALTER TABLE detection DROP CONSTRAINT detection_model_id_fkey, DROP CONSTRAINT detection_acceptance_id_fkey,
  DROP CONSTRAINT detection_run_key_fkey;
`;
