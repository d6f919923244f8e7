// One connection of a client: the package's, with the routes it lacks or answers otherwise than
// this signal-cli needs. The same routes serve REST, see service.mjs.

import {
  ACI, Connection, MultiRecipientMessage, PNI, bare, crypto, fromBase64, libsignal, protos,
  toBase64, zkgroup,
} from './library.mjs';

const UNIDENTIFIED = protos.Envelope.Type.UNIDENTIFIED_SENDER;

export class Chat extends Connection {
  constructor(request, socket, service) {
    super(request, socket, service);
    // The first route that matches answers, so ours go before the package's.
    const theirs = this.router.routes.splice(0);
    this.#addRoutes(service);
    this.router.routes.push(...theirs);
  }

  async start() {
    const { pathname } = new URL(this.request.url, 'http://mock');
    if (pathname.startsWith('/v1/websocket/provisioning')) {
      return this.server.provisioning.open(this);
    }
    return super.start();
  }

  async handleRequest(request) {
    const response = await this.router.run(request);
    if (response.status >= 400) {
      this.server.log(`${request.verb} ${request.path} -> ${response.status} ${response.body}`);
    }
    if (response.status === 428) {
      response.headers.push('Retry-After:3600');
    }
    return response;
  }

  #addRoutes(service) {
    const { router } = this;
    const json = (body) => JSON.parse(Buffer.from(body).toString());
    const ok = async () => [200, { ok: true }];

    // messages
    router.put('/v1/messages/multi_recipient', async (_, body, __, query) => {
      const refused = service.challenge();
      return refused ?? (await this.#sendToMany(body, Number(query.ts)));
    });
    router.put('/v1/messages/:serviceId', async ({ serviceId }, body, headers) => {
      const refused = service.challenge() ?? (await this.#refusal(serviceId, headers));
      return refused ?? (await this.#sendToOne(serviceId, json(body)));
    });
    router.put('/v1/challenge', async () => {
      service.challenged = false;
      return [200, { ok: true }];
    });
    router.get('/v4/attachments/form/upload', async () => [
      200, service.blobs.uploadForm(service.url),
    ]);

    // keys
    router.put('/v2/keys', async (_, body, __, query) => {
      await service.storeKeys(this.device, query?.identity === 'pni' ? PNI : ACI, json(body));
      return [200, { ok: true }];
    });
    router.post('/v2/keys/check', ok);

    // profiles
    for (const path of ['', '/:version', '/:version/:request']) {
      router.get(`/v1/profile/:serviceId${path}`, async ({ serviceId, request }, _, headers) => {
        return (await this.#refusal(serviceId, headers)) ?? this.#profile(serviceId, request);
      });
    }
    router.put('/v1/profile', async (_, body) => this.#storeProfile(json(body)));
    router.post('/v1/profile/identity_check/batch', async () => [200, { elements: [] }]);

    // accounts and devices
    router.get('/v1/accounts/whoami', async () => {
      const { aci, pni, number } = this.device;
      return [200, { uuid: aci, pni: bare(pni), number, usernameHash: null }];
    });
    router.put('/v1/accounts/attributes', async (_, body) => {
      service.setAttributes(this.device, json(body));
      return [200, { ok: true }];
    });
    router.put('/v1/accounts/username_hash/confirm', async (_, body) => {
      const { usernameHash, zkProof, encryptedUsername } = json(body);
      const result = await service.confirmUsername(this.device.aci, {
        usernameHash: Buffer.from(usernameHash, 'base64url'),
        zkProof: Buffer.from(zkProof, 'base64url'),
        encryptedUsername: encryptedUsername && Buffer.from(encryptedUsername, 'base64url'),
      });
      return result ? [200, { usernameHash, ...result }] : [409, {}];
    });
    router.put('/v1/accounts/name', ok);
    router.put('/v1/accounts/registration_lock', ok);
    router.del('/v1/accounts/gcm', ok);
    router.del('/v1/accounts/me', async () => {
      service.forget(this.device);
      return [200, { ok: true }];
    });
    router.get('/v1/devices', async () => [200, { devices: service.describeDevices(this.device) }]);
    router.del('/v1/devices/:id', async ({ id }) => {
      await service.removeDevice(this.device.number, Number(id));
      return [200, { ok: true }];
    });
    router.get('/v1/devices/provisioning/code', async () => [
      200, { verificationCode: service.provisioning.code(this.device) },
    ]);
    router.put('/v1/provisioning/:address', async ({ address }, body) => {
      service.provisioning.answer(address, fromBase64(json(body).body));
      return [200, { ok: true }];
    });
    router.put('/v1/devices/link', async (_, body, headers) => {
      return [200, await service.link(headers.authorization, json(body))];
    });
    router.get('/v2/directory/auth', async () => [200, { username: 'mock', password: 'mock' }]);
    router.get('/v2/config', async () => [200, { config: [] }]);
  }

  async #refusal(serviceId, headers) {
    const target = await this.server.getDeviceByServiceId(serviceId);
    if (!target || this.server.isUnregistered(serviceId)) {
      return [404, { error: 'Not registered' }];
    }
    const error = this.checkAccessKey(target, headers);
    return error === undefined ? undefined : [401, { error }];
  }

  async #sendToOne(serviceId, { messages, timestamp }) {
    const { server } = this;
    const prepared = await server.prepareMultiDeviceMessage(this.device, serviceId, messages);
    switch (prepared.status) {
      case 'ok':
        await server.deliver(this.device, serviceId, prepared.result, timestamp);
        return [200, { needsSync: false }];
      case 'incomplete': {
        const { missingDevices, extraDevices } = prepared;
        return [409, { missingDevices, extraDevices }];
      }
      case 'stale':
        return [410, { staleDevices: prepared.staleDevices }];
      default:
        return [404, { error: 'Not found' }];
    }
  }

  /** One sealed message of a group for everybody; each device gets its own part. */
  async #sendToMany(body, timestamp) {
    const { server } = this;
    const message = new MultiRecipientMessage(Buffer.from(body));
    const parts = Object.entries(message.recipientsByServiceIdString());
    const outcomes = await Promise.all(parts.map(async ([uuid, recipient]) => {
      const content = toBase64(message.messageForRecipient(recipient));
      const messages = recipient.deviceIds.map((destinationDeviceId, index) => ({
        type: UNIDENTIFIED,
        destinationDeviceId,
        destinationRegistrationId: recipient.registrationIds[index],
        content,
      }));
      return { uuid, ...(await server.prepareMultiDeviceMessage(undefined, uuid, messages)) };
    }));
    const having = (status) => outcomes.filter((outcome) => outcome.status === status);
    if (having('incomplete').length) {
      return [409, having('incomplete').map(({ uuid, missingDevices, extraDevices }) => ({
        uuid, devices: { missingDevices, extraDevices },
      }))];
    }
    if (having('stale').length) {
      return [410, having('stale').map(({ uuid, staleDevices }) => ({
        uuid, devices: { staleDevices },
      }))];
    }
    for (const { uuid, result } of having('ok')) {
      await server.deliver(undefined, uuid, result, timestamp);
    }
    return [200, { uuids404: having('unknown').map(({ uuid }) => uuid) }];
  }

  async #profile(serviceId, request) {
    const device = await this.server.getDeviceByServiceId(serviceId);
    const kind = device.getServiceIdKind(serviceId);
    const credential = request && (await this.server.issueExpiringProfileKeyCredential(
      device, new zkgroup.ProfileKeyCredentialRequest(Buffer.from(request, 'hex')),
    ));
    const { about, aboutEmoji, avatar } = device.profile ?? {};
    return [200, {
      uuid: serviceId,
      identityKey: toBase64((await device.getIdentityKey(kind)).serialize()),
      name: device.profileName && toBase64(device.profileName),
      about, aboutEmoji, avatar,
      unidentifiedAccess:
        device.accessKey && toBase64(crypto.generateAccessKeyVerifier(device.accessKey)),
      unrestrictedUnidentifiedAccess: false,
      capabilities: device.capabilities,
      credential: credential && toBase64(credential),
    }];
  }

  #storeProfile({ name, about, aboutEmoji, avatar, sameAvatar, commitment }) {
    const key = `profiles/${this.device.aci}/${Date.now()}`;
    const kept = this.device.profile?.avatar;
    const profile = { about, aboutEmoji, avatar: avatar ? (sameAvatar ? kept : key) : undefined };
    for (const device of this.server.allDevices(this.device)) {
      device.profile = profile;
      device.profileName = fromBase64(name);
      device.profileKeyCommitment = new zkgroup.ProfileKeyCommitment(fromBase64(commitment));
    }
    return [200, avatar && !sameAvatar ? uploadForm(key) : ''];
  }
}

/** Where a picture goes: a form on the first CDN. Only the key matters to the mock. */
export function uploadForm(key) {
  const unused = { acl: 'x', policy: 'x', date: 'x', signature: 'x' };
  return { ...unused, key, algorithm: 'x', credential: 'x' };
}
