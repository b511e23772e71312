/** To the nearest whole number, halves to the even one: `round` of Python and `cvRound` of OpenCV. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}
