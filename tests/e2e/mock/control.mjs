// The control port: what a test tells the service and the telephones, as JSON over plain HTTP.
// POST /phones/NAME/COMMAND with the command's members; the answer is its result. The commands of
// GROUP_COMMANDS stand below /phones/NAME/groups/.

import http from 'node:http';
import { micro } from './library.mjs';

const PHONE_COMMANDS = new Set([
  'changeIdentity', 'describe', 'download', 'list', 'scan', 'send', 'setRegistered', 'unlink',
  'upload',
]);

const GROUP_COMMANDS = new Set([
  'accept', 'create', 'describe', 'invite', 'joinByLink', 'remove', 'rename', 'setRole',
]);

export async function listen(service) {
  const server = http.createServer(async (request, response) => {
    const body = await micro.buffer(request, { limit: '200mb' });
    try {
      const answer = await run(service, new URL(request.url, 'http://mock').pathname, body);
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {}));
    } catch (problem) {
      service.log(`${request.url} -> ${problem.stack}`);
      response.writeHead(400).end(problem.message);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

async function run(service, path, body) {
  // The agent in signal-cli asks this one, in lines.
  if (path === '/directory') {
    return service.discover(body.toString().split('\n'));
  }
  const wanted = body.length ? JSON.parse(body) : {};
  const [, where, name, command, groupCommand] = path.split('/');
  if (where === 'service') {
    return Object.assign(service, wanted) && {};
  }
  if (where === 'phones' && !name) {
    return (await service.createPhone(wanted)).describe();
  }
  const phone = service.phones.get(decodeURIComponent(name));
  if (phone && command === 'groups' && GROUP_COMMANDS.has(groupCommand)) {
    return phone.groups[groupCommand](wanted);
  }
  if (!phone || !PHONE_COMMANDS.has(command)) {
    throw new Error(`no such phone or command: ${path}`);
  }
  return phone[command](wanted);
}
