// The mock of the Signal service: the npm package's, with what it lacks for this signal-cli.

import { EventEmitter } from 'node:events';
import { randomUUID } from 'node:crypto';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { Blobs } from './blobs.mjs';
import { Chat } from './chat.mjs';
import { Groups } from './groups.mjs';
import {
  ACI, EnvelopeType, PNI, Server, WebSocketServer, bare, certificate, createHandler, crypto,
  fromBase64, micro, protos,
} from './library.mjs';
import { Mailbox } from './mailbox.mjs';
import { Phone } from './phone.mjs';
import { Provisioning } from './provisioning.mjs';
import { Registration, credentials } from './registration.mjs';

const TYPES = new Map([
  [protos.Envelope.Type.CIPHERTEXT, EnvelopeType.CipherText],
  [protos.Envelope.Type.PREKEY_BUNDLE, EnvelopeType.PreKey],
  [protos.Envelope.Type.UNIDENTIFIED_SENDER, EnvelopeType.SealedSender],
  [protos.Envelope.Type.PLAINTEXT_CONTENT, EnvelopeType.Plaintext],
]);
// What the real service closes a socket with when its device has been unlinked.
const UNLINKED = 4401;
// Longer than the client keeps an idle connection, so that it never writes into a closed one.
const KEEP_ALIVE_MS = 10 * 60 * 1000;

export class Service extends Server {
  phones = new Map();
  blobs = new Blobs();
  provisioning = new Provisioning();
  registration = new Registration(this);
  groupStore = new Groups(this);
  challenged = false;
  captchaRequired = false;
  #mailboxes = new Map();
  #theirs = createHandler(this, { cdn3Path: tmpdir() });

  log(text) {
    console.error(`${new Date().toISOString()} ${text}`);
  }

  // -- the wire ------------------------------------------------------------------------------

  async listen() {
    const server = https.createServer(
      { key: certificate('key.pem'), cert: certificate('full-cert.pem') },
      (request, response) => this.#answer(request, response).catch((problem) => {
        this.log(`${request.method} ${request.url} -> ${problem.stack}`);
        response.headersSent || response.writeHead(500).end(problem.message);
      }),
    );
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    const sockets = new WebSocketServer({
      server,
      verifyClient: ({ req }, done) => this.#mayConnect(req).then((may) => done(may, 403)),
    });
    sockets.on('connection', (socket, request) => {
      new Chat(request, socket, this).start().catch((problem) => this.log(problem.stack));
    });
    this.https = server;
    this.emptyAttachment = {};
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `https://127.0.0.1:${server.address().port}`;
  }

  async #mayConnect({ headers: { authorization } }) {
    return !authorization || Boolean(await this.auth(...credentials(authorization)));
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, this.url);
    if (pathname.startsWith('/storage/v1/')) {
      // The package only knows the path with a slash at its end.
      request.url = request.url.replace('/storage', '/storageService').replace(/storage$/, '$&/');
      return micro.run(request, response, this.#theirs);
    }
    const body = await micro.buffer(request, { limit: '200mb' });
    if (/^\/cdn\d/.test(pathname)) {
      return this.blobs.handle(request, response, body);
    }
    if (pathname.startsWith('/storage/v2/groups')) {
      const [status, bytes] = await this.groupStore.handle(request, body);
      const headers = { 'X-Signal-Timestamp': Date.now() };
      return response.writeHead(status, headers).end(bytes);
    }
    const [status, answer, headers] = this.registration.handles(pathname)
      ? await this.registration.handle(request, body)
      : await this.#asChat(request, body);
    if (status >= 400) {
      this.log(`${request.method} ${request.url} -> ${status}`);
    }
    const bytes = Buffer.isBuffer(answer) ? answer : JSON.stringify(answer);
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(bytes);
  }

  /** REST knows the same routes as the socket. */
  async #asChat(request, body) {
    const chat = new Chat(request, new EventEmitter(), this);
    const { authorization } = request.headers;
    chat.device = authorization && (await this.auth(...credentials(authorization)));
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}:${value}`);
    const answer = await chat.handleRequest({
      verb: request.method, path: request.url, headers, body,
    });
    return [answer.status, Buffer.from(answer.body), {}];
  }

  // -- delivery ------------------------------------------------------------------------------

  /** 428 with a challenge, if somebody asked for it. */
  challenge() {
    return this.challenged
      ? [428, { token: 'challenge-token', options: ['captcha'] }]
      : undefined;
  }

  async deliver(source, serviceId, prepared, timestamp) {
    for (const [target, { type, content }] of prepared) {
      const sealed = type === protos.Envelope.Type.UNIDENTIFIED_SENDER;
      await this.send(target, protos.Envelope.encode({
        type,
        timestamp,
        sourceServiceId: sealed ? undefined : source.aci,
        sourceDevice: sealed ? undefined : source.deviceId,
        destinationServiceId: serviceId,
        content: fromBase64(content),
        urgent: true,
      }).finish());
    }
  }

  /** Also what the package's phones send with. */
  async send(target, bytes) {
    const envelope = protos.Envelope.decode(bytes);
    const phone = this.phoneOf(target);
    const sealed = envelope.type === protos.Envelope.Type.UNIDENTIFIED_SENDER;
    if (phone && phone.primary.device === target) {
      const source = sealed ? undefined
        : await this.getDeviceByServiceId(envelope.sourceServiceId, envelope.sourceDevice);
      const kind = target.getServiceIdKind(envelope.destinationServiceId);
      return phone.receive(source, kind, TYPES.get(envelope.type), envelope);
    }
    if (sealed) {
      delete envelope.sourceServiceId;
      delete envelope.sourceDevice;
    }
    envelope.serverTimestamp = Date.now();
    envelope.serverGuid = randomUUID();
    this.#mailbox(target).put(protos.Envelope.encode(envelope).finish());
  }

  #mailbox(device) {
    if (!this.#mailboxes.has(device)) {
      this.#mailboxes.set(device, new Mailbox());
    }
    return this.#mailboxes.get(device);
  }

  async addWebSocket(device, socket) {
    this.log(`${device.number}.${device.deviceId} is connected`);
    this.#mailbox(device).open(socket);
  }

  removeWebSocket(device, socket) {
    this.log(`${device.number}.${device.deviceId} is gone`);
    this.#mailbox(device).close(socket);
  }

  // -- accounts and devices ------------------------------------------------------------------

  /** A primary device may leave its `.1` out. */
  async auth(username, password) {
    return super.auth(/\.\d+$/.test(username) ? username : `${username}.1`, password);
  }

  async createPhone({ name, contacts = [] }) {
    const primary = await this.createPrimaryDevice({
      profileName: name,
      contacts: contacts.map((contact) => this.phones.get(contact).primary),
    });
    primary.contactsBlob.cdnNumber = 3;
    const phone = new Phone(this, name, primary);
    this.phones.set(name, phone);
    return phone;
  }

  phoneOf({ aci }) {
    return [...this.phones.values()].find(({ primary }) => primary.device.aci === aci);
  }

  allDevices({ number }) {
    return this.devices.get(number) ?? [];
  }

  describeDevices(device) {
    return this.allDevices(device).map(({ deviceId, name, registrationId }) => ({
      id: deviceId, name: name ?? null, created: Date.now(), lastSeen: Date.now(), registrationId,
    }));
  }

  async link(authorization, wanted) {
    const [, password] = credentials(authorization);
    const primary = this.provisioning.redeem(wanted.verificationCode);
    const { registrationId, pniRegistrationId, name } = wanted.accountAttributes;
    const device = await this.registerDevice({
      primary, registrationId, pniRegistrationId, password,
    });
    const { accessKey, profile, profileName, profileKeyCommitment } = primary;
    Object.assign(device, { name, accessKey, profile, profileName, profileKeyCommitment });
    this.phoneOf(primary)?.primary.addSecondaryDevice(device);
    for (const [kind, prefix] of [[ACI, 'aci'], [PNI, 'pni']]) {
      await device.setKeys(kind, {
        identityKey: await primary.getIdentityKey(kind),
        signedPreKey: crypto.decodeSignedPreKey(wanted[`${prefix}SignedPreKey`]),
        lastResortKey: crypto.decodeKyberPreKey(wanted[`${prefix}PqLastResortPreKey`]),
      });
    }
    return { uuid: device.aci, pni: bare(device.pni), deviceId: device.deviceId };
  }

  /** Members that a client leaves out, or sends as null, stay as they are. */
  async storeKeys(device, kind, wanted) {
    const known = device.keys.get(kind);
    const { preKeys, pqPreKeys, signedPreKey, pqLastResortPreKey } = wanted;
    await device.setKeys(kind, {
      identityKey: known.identityKey,
      preKeys: preKeys?.map(crypto.decodePreKey) ?? known.preKeys,
      kyberPreKeys: pqPreKeys?.map(crypto.decodeKyberPreKey) ?? known.kyberPreKeys,
      signedPreKey: signedPreKey ? crypto.decodeSignedPreKey(signedPreKey) : undefined,
      lastResortKey: pqLastResortPreKey ? crypto.decodeKyberPreKey(pqLastResortPreKey) : undefined,
    });
  }

  setAttributes(device, { unidentifiedAccessKey }) {
    for (const each of this.allDevices(device)) {
      each.accessKey = unidentifiedAccessKey ? fromBase64(unidentifiedAccessKey) : undefined;
    }
  }

  async removeDevice(number, deviceId) {
    const device = await this.getDevice(number, deviceId);
    await super.removeDevice(number, deviceId);
    await this.phoneOf(device)?.primary.unlink(device);
    this.#mailbox(device).socket?.ws.close(UNLINKED);
  }

  /** The account is deleted. */
  forget(device) {
    for (const each of this.allDevices(device)) {
      this.devicesByAuth.delete(`${each.number}.${each.deviceId}`);
      this.devicesByAuth.delete(`${each.aci}.${each.deviceId}`);
    }
    this.devices.delete(device.number);
    this.devicesByServiceId.delete(device.aci);
    this.devicesByServiceId.delete(device.pni);
  }

  /** Contact discovery: `number aci pni` a line for those that are registered. */
  discover(numbers) {
    const found = numbers.map((number) => this.devices.get(number)?.[0])
      .filter((device) => device && !this.isUnregistered(device.aci));
    return found.map(({ number, aci, pni }) => `${number} ${aci} ${bare(pni)}\n`).join('');
  }

  // -- hooks of the package ------------------------------------------------------------------

  async storeAttachment(blob) {
    const key = randomUUID();
    this.blobs.put(`attachments/${key}`, blob);
    return key;
  }
}
