/** Imported before anything else: a Node that is too old is told so, in place of an error from somewhere deep. */
const [LEAST_MAJOR, LEAST_MINOR] = [22, 13];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < LEAST_MAJOR || (major === LEAST_MAJOR && minor < LEAST_MINOR)) {
  process.stderr.write(
    `labelsmith: this is Node ${process.versions.node}, and Node ${LEAST_MAJOR}.${LEAST_MINOR} or newer is needed.\n` +
      '  Install a current Node from https://nodejs.org. In a checkout, `npm run -s labelsmith -- ARGS` uses the pinned one.\n',
  );
  process.exit(1);
}
