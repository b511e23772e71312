/** Imported before anything else: a Node that is too old is told so, in place of an error from somewhere deep. */
const [MIN_MAJOR, MIN_MINOR] = [22, 13];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MIN_MAJOR || (major === MIN_MAJOR && minor < MIN_MINOR)) {
  process.stderr.write(
    `labelsmith: this is Node ${process.versions.node}, and Node ${MIN_MAJOR}.${MIN_MINOR} or newer is needed.\n` +
      '  Install a current Node from https://nodejs.org. In a checkout, `npm run -s labelsmith -- ARGS` uses the pinned one.\n',
  );
  process.exit(1);
}
