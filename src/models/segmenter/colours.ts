/**
 * What colours a set of pixels has: a mixture of Gaussians with full covariances, as in GrabCut (Rother, Kolmogorov and
 * Blake, SIGGRAPH 2004, section 3.1). Made by splitting the widest cluster along its widest direction (Orchard and
 * Bouman, "Color quantization of images", 1991), which needs no random start, and refined by reassigning each colour to
 * its likeliest component. Cost: O(pixels × components) a pass.
 */

/** Added to variances, in levels squared: colours are rounded, and a flat patch must not become infinitely likely. */
const FLOOR = 9;

/**
 * Shape [components, 10]: −ln(weight) + ½ ln |Σ|; the mean; and Σ⁻¹, upper triangle by rows: 00, 01, 02, 11, 12, 22.
 */
export type ColourModel = Float64Array;
const FIELDS = 10;

/**
 * The colours of the pixels at `members`.
 * @param pixels shape [n, 3], 0 to 255
 * @param members indices into the pixels, at least one
 */
export function fitColours(pixels: Uint8Array, members: Int32Array, count: number, passes = 2): ColourModel {
  let model = modelOf(split(pixels, members, count), pixels);
  for (let pass = 0; pass < passes; pass++) {
    const groups = Array.from({ length: model.length / FIELDS }, (): number[] => []);
    for (const i of members) groups[nearest(model, pixels, i)]?.push(i);
    model = modelOf(
      groups.filter((group) => group.length > 0).map((group) => Int32Array.from(group)),
      pixels,
    );
  }
  return model;
}

/** −ln of how likely a pixel's colour is under its likeliest component, but for a constant. */
export function costOf(model: ColourModel, pixels: Uint8Array, i: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < model.length; k += FIELDS) least = Math.min(least, componentCost(model, k, pixels, i));
  return least;
}

function nearest(model: ColourModel, pixels: Uint8Array, i: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < model.length; k += FIELDS) {
    const cost = componentCost(model, k, pixels, i);
    if (cost >= least) continue;
    best = k;
    least = cost;
  }
  return best / FIELDS;
}

function componentCost(m: ColourModel, k: number, pixels: Uint8Array, i: number): number {
  const a = pixels[3 * i] - m[k + 1];
  const b = pixels[3 * i + 1] - m[k + 2];
  const c = pixels[3 * i + 2] - m[k + 3];
  const ofA = m[k + 4] * a + 2 * (m[k + 5] * b + m[k + 6] * c);
  const ofB = m[k + 7] * b + 2 * m[k + 8] * c;
  return m[k] + 0.5 * (a * ofA + b * ofB + m[k + 9] * c * c);
}

interface Moments {
  readonly n: number;
  readonly mean: readonly [number, number, number];
  /** Upper triangle of the covariance. */
  readonly covariance: readonly [number, number, number, number, number, number];
}

function momentsOf(pixels: Uint8Array, members: Int32Array): Moments {
  const n = members.length;
  let [r, g, b] = [0, 0, 0];
  for (const i of members) {
    r += pixels[3 * i];
    g += pixels[3 * i + 1];
    b += pixels[3 * i + 2];
  }
  const mean = [r / n, g / n, b / n] as const;
  const sums = [0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number];
  for (const i of members) {
    const x = pixels[3 * i] - mean[0];
    const y = pixels[3 * i + 1] - mean[1];
    const z = pixels[3 * i + 2] - mean[2];
    sums[0] += x * x;
    sums[1] += x * y;
    sums[2] += x * z;
    sums[3] += y * y;
    sums[4] += y * z;
    sums[5] += z * z;
  }
  const covariance = sums.map((sum) => sum / n) as unknown as Moments['covariance'];
  return { n, mean, covariance };
}

/** The members in at most `count` groups; fewer where there are fewer colours. */
function split(pixels: Uint8Array, members: Int32Array, count: number): Int32Array[] {
  const groups = [{ members, ...widest(momentsOf(pixels, members)) }];
  while (groups.length < count) {
    let at = 0;
    for (let k = 1; k < groups.length; k++) {
      if ((groups[k]?.spread ?? 0) > (groups[at]?.spread ?? 0)) at = k;
    }
    const { members: all, direction, threshold } = groups[at];
    const [low, high] = [[], []] as [number[], number[]];
    for (const i of all) {
      const along = pixels[3 * i] * direction[0] + pixels[3 * i + 1] * direction[1] + pixels[3 * i + 2] * direction[2];
      (along <= threshold ? low : high).push(i);
    }
    if (low.length === 0 || high.length === 0) break;
    const parts = [low, high].map((part) => {
      const list = Int32Array.from(part);
      return { members: list, ...widest(momentsOf(pixels, list)) };
    });
    groups.splice(at, 1, ...parts);
  }
  return groups.map((group) => group.members);
}

/** The direction of most variance (by power iteration), where the mean is along it, and how much there is of it in all. */
function widest({ n, mean, covariance }: Moments) {
  const [c00, c01, c02, c11, c12, c22] = covariance;
  let v: [number, number, number] = [1, 1, 1];
  let variance = 0;
  for (let pass = 0; pass < 20; pass++) {
    const next: [number, number, number] = [
      c00 * v[0] + c01 * v[1] + c02 * v[2],
      c01 * v[0] + c11 * v[1] + c12 * v[2],
      c02 * v[0] + c12 * v[1] + c22 * v[2],
    ];
    variance = Math.hypot(...next);
    if (variance < 1e-9) break;
    v = [next[0] / variance, next[1] / variance, next[2] / variance];
  }
  return { direction: v, threshold: mean[0] * v[0] + mean[1] * v[1] + mean[2] * v[2], spread: n * variance };
}

function modelOf(groups: readonly Int32Array[], pixels: Uint8Array): ColourModel {
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const model = new Float64Array(FIELDS * groups.length);
  for (const [k, group] of groups.entries()) {
    const { n, mean, covariance } = momentsOf(pixels, group);
    const [a, b, c, d, e, f] = covariance;
    const [s00, s11, s22] = [a + FLOOR, d + FLOOR, f + FLOOR];
    // Cofactors of the symmetric matrix [[s00, b, c], [b, s11, e], [c, e, s22]].
    const [k00, k01, k02] = [s11 * s22 - e * e, c * e - b * s22, b * e - c * s11];
    const [k11, k12, k22] = [s00 * s22 - c * c, b * c - s00 * e, s00 * s11 - b * b];
    const determinant = s00 * k00 + b * k01 + c * k02;
    const inverse = [k00, k01, k02, k11, k12, k22].map((cofactor) => cofactor / determinant);
    model.set([-Math.log(n / total) + 0.5 * Math.log(determinant), ...mean, ...inverse], FIELDS * k);
  }
  return model;
}
