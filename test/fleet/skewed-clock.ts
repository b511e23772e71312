/** Loaded before anything else: the clock of this process is LABELSMITH_TEST_SKEW_MS ahead (below 0: behind). */
const skewMs = Number(process.env.LABELSMITH_TEST_SKEW_MS ?? 0);
const TrueDate = Date;

class SkewedDate extends TrueDate {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(TrueDate.now() + skewMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return TrueDate.now() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
