/** Names of keypoints for formats that name them. */

/** COCO's 17 keypoints of a person, in order. */
export const PERSON_KEYPOINTS: readonly string[] = [
  'nose',
  'left_eye',
  'right_eye',
  'left_ear',
  'right_ear',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
];

/** Names of the points of a skeleton that has `count`: a person's where they are 17, else numbers from 1. */
export function keypointNames(count: number): readonly string[] {
  if (count === PERSON_KEYPOINTS.length) return PERSON_KEYPOINTS;
  return Array.from({ length: count }, (_, i) => `point_${i + 1}`);
}

/** Where each point lands when left and right are swapped, counted from 0. */
export function mirroredKeypoints(count: number): readonly number[] {
  const names = keypointNames(count);
  return names.map((name, i) => {
    const other = name.replace(/^(left|right)_/, (side) => (side === 'left_' ? 'right_' : 'left_'));
    return other === name ? i : names.indexOf(other);
  });
}
