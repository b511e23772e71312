/** An S3 server in a process of its own: prints its address, ends with its input. */
import { startFauxqs } from 'fauxqs';

const server = await startFauxqs({ port: 0, logger: false });
server.createBucket('bucket');
process.stdout.write(`http://127.0.0.1:${server.port}\n`);
process.stdin.resume().on('end', () => process.exit());
