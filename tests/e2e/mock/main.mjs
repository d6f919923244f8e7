// Starts the service and the control port, and says on standard output where they are. Ends with
// whoever started it: when standard input closes.

import { listen } from './control.mjs';
import { certificate, parameters, trustRoot } from './library.mjs';
import { Service } from './service.mjs';

const service = new Service();
await service.listen();
const control = await listen(service);

console.log(JSON.stringify({
  service: service.url,
  control,
  directory: `${control}/directory`,
  trustRoot: trustRoot.publicKey,
  serverParams: parameters.publicParams,
  genericParams: parameters.genericPublicParams,
  backupParams: parameters.backupPublicParams,
  certificateAuthority: certificate('ca-cert.pem').toString(),
}));

process.on('unhandledRejection', (problem) => service.log(`unhandled: ${problem?.stack}`));
process.stdin.on('close', () => process.exit()).resume();
