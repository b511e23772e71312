/**
 * fast-check for the tests of this repository. In a whole run (`npm test`) every property draws from one seed, so that a
 * commit passes or fails and does not do both; a file that is run by itself, and the slow tests, draw anew each time,
 * which is how new counterexamples are found. `LABELSMITH_PROPERTY_SEED=N` repeats a draw.
 */
import fc from 'fast-check';

const given = process.env.LABELSMITH_PROPERTY_SEED;
if (given !== undefined) fc.configureGlobal({ seed: Number(given) });

export default fc;
